/**
 * The liar's moves at whoever goes to devices without network: it brings them other files, and carries their receipts as it likes.
 *
 * - A capsule is files of the repository, and the liar has them all; a receipt counts as its device's confirmation, once.
 */
import { concatBytes } from '../../formats/bytes.ts';
import { encodeCapsuleHead, parseCapsuleHead } from '../../formats/capsule.ts';
import { encodeEnvelope, parseEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { encodeReceipt, parseReceipt, RECEIPT_PAYLOAD_TYPE, type Receipt } from '../../formats/receipt.ts';
import { seededSigner } from '../seeded-signer.ts';
import type { Lies, Victim } from './liar-victim.ts';
import { anyFile, mutated, oneOf, passOn, say, type Liar, type Move } from './liar.ts';

type Files = ReadonlyMap<string, Uint8Array>;

function carrier(kind: string, play: (liar: Liar) => Promise<unknown> | void): Move {
  return { kind, at: 'carrier', play: (liar) => Promise.resolve(play(liar)).then(() => undefined) };
}

/** What a device without network is brought, or what becomes of its receipts. */
function carried(kind: string, lies: (liar: Liar) => Lies): Move {
  return carrier(kind, (liar) => {
    const victim = offline(liar);
    victim.lies = { ...victim.lies, ...lies(liar) };
  });
}

function offline({ victims }: Liar): Victim {
  const victim = victims.find(({ isOffline }) => isOffline);
  if (victim === undefined) throw new Error('there is a device without network');
  return victim;
}

/** The files of a capsule that is whole. */
function filesOf(capsule: Uint8Array): Files {
  const placed = parseCapsuleHead(capsule, capsule.length);
  if (!placed.ok) return new Map();
  return new Map(placed.value.map(({ name, offset, length }) => [name, capsule.slice(offset, offset + length)]));
}

function packed(files: Files): Uint8Array {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const head = encodeCapsuleHead(sorted.map(([name, { length }]) => ({ name, length })));
  return concatBytes(head, ...sorted.map(([, bytes]) => bytes));
}

/** The capsule with one file changed, left out, or put there that lies elsewhere. */
function altered(liar: Liar, capsule: Uint8Array): Uint8Array {
  const { random } = liar;
  const files = new Map(filesOf(capsule));
  const name = oneOf(random, [...files.keys(), 'metadata/1.root.json']);
  const kind = /\.([a-z-]+)\.json$/.exec(name)?.[1];
  switch (random(3)) {
    case 0:
      files.delete(name);
      break;
    case 1:
      files.set(name, mutated(files.get(name) ?? new Uint8Array(), random));
      break;
    default:
      files.set(name, anyFile(liar, kind === undefined ? /./ : new RegExp(`\\d\\.${kind}\\.json$`)));
  }
  return packed(files);
}

function anyReceipt({ heard, random }: Liar): Uint8Array {
  return heard.receipts.length === 0 ? new Uint8Array() : oneOf(random, heard.receipts);
}

/** A receipt that says something else, with the signature that it had, or with one of the liar's. */
async function forged(liar: Liar): Promise<Uint8Array> {
  const { random, victims, chain } = liar;
  const envelope = parseEnvelope(anyReceipt(liar), RECEIPT_PAYLOAD_TYPE);
  const said = envelope.ok ? parseReceipt(envelope.value.payload) : envelope;
  if (!envelope.ok || !said.ok) return new Uint8Array();
  const other = parseEnvelope(anyReceipt(liar), RECEIPT_PAYLOAD_TYPE);
  const otherSaid = other.ok ? parseReceipt(other.value.payload) : other;
  const changed: Receipt = {
    ...said.value,
    ...oneOf<Partial<Receipt>>(random, [
      { deviceId: oneOf(random, victims).member?.deviceId ?? 'ab'.repeat(32) },
      { product: chain.neighbour.id.product, root: chain.neighbour.id.rootOneSha256 },
      { root: chain.neighbour.id.rootOneSha256 },
      { sequence: said.value.sequence + 1_000 },
      { outcome: 'confirmed', code: undefined, capsule: undefined },
      { release: '99.0.0' },
      { channel: 'beta' },
      ...(otherSaid.ok ? [{ statement: otherSaid.value.statement }, { plan: otherSaid.value.plan }] : []),
    ]),
  };
  const payload = encodeReceipt(changed);
  const sig = await seededSigner('the liar').sign(preAuthEncoding(RECEIPT_PAYLOAD_TYPE, payload));
  const signatures = random(2) === 0 ? envelope.value.signatures : [{ keyid: '', sig }];
  return encodeEnvelope({ payloadType: RECEIPT_PAYLOAD_TYPE, payload, signatures });
}

export const CARRIER_MOVES: readonly Move[] = [
  carried('a capsule of before, or all of them in any order', ({ capsules, random }) => ({
    brought: () => (random(2) === 0 ? [...capsules].reverse() : [oneOf(random, capsules)]),
  })),
  carried('a capsule changed or cut', ({ random }) => ({ brought: (honest) => [mutated(honest, random)] })),
  carried('a capsule with a file changed, left out or exchanged', (liar) => {
    const evil = altered(liar, liar.capsules.at(-1) ?? new Uint8Array());
    return { brought: (honest) => [evil, ...(liar.random(2) === 0 ? [honest] : [])] };
  }),
  carried('the files of two capsules in one', ({ capsules, random }) => {
    const [one, two] = [oneOf(random, capsules), oneOf(random, capsules)];
    const mixed = packed(new Map([...filesOf(one), ...filesOf(two)]));
    return { brought: () => [mixed] };
  }),
  carried('a capsule of the other product', ({ chain }) => {
    const { product } = chain.neighbour.id;
    const files = [...chain.written].filter(
      ([name]) => name.startsWith(`${product}/`) && !/timestamp|snapshot/.test(name),
    );
    const foreign = packed(new Map(files.map(([name, bytes]) => [name.slice(product.length + 1), bytes])));
    return { brought: () => [foreign] };
  }),
  carried('nothing brought, or any bytes', (liar) => ({
    brought: () => (liar.random(2) === 0 ? [] : [anyFile(liar), new Uint8Array(), anyFile(liar)]),
  })),
  carried('receipts held back', () => ({ receipt: () => Promise.resolve() })),
  carried('receipts changed, cut, or exchanged for others', (liar) => ({
    receipt: (receipt) =>
      passOn(liar, liar.random(2) === 0 ? mutated(receipt, liar.random) : anyReceipt(liar), 'receipt'),
  })),
  carrier('a receipt handed in again, of any time, twice', async (liar) => {
    const receipt = anyReceipt(liar);
    for (let i = 0; i < 2; i++) await say(liar, 'receipt', receipt);
  }),
  carrier('a receipt of another device, repository, plan, release or start', async (liar) => {
    await say(liar, 'receipt', await forged(liar));
  }),
  carrier('a receipt as a check-in, or a check-in as a receipt', async (liar) => {
    const { heard, random } = liar;
    await say(liar, 'confirm', anyReceipt(liar));
    if (heard.words.length > 0) await say(liar, 'receipt', oneOf(random, heard.words));
  }),
];
