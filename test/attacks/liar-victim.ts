/**
 * The devices that the liar lies to: two of one product over the network, one that is brought files, one of another product.
 *
 * - Each is a whole device in memory; what it asks for, is brought, and says passes through the liar's hands, by default unchanged.
 * - Where the liar plays with HTTP itself, the device's own clients speak to a real server of the liar's.
 */
import { parseEnvelope } from '../../formats/dsse.ts';
import { ed25519PublicKey } from '../../formats/ed25519-key.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { parseReceipt, RECEIPT_PAYLOAD_TYPE } from '../../formats/receipt.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { accept } from '../../formats/verdict.ts';
import type { CapsuleFolder } from '../../bootloader-verifier/agent/capsule-folder.ts';
import { identityClientHttp } from '../../bootloader-verifier/agent/identity-client-http.ts';
import { freshKeyNode } from '../../bootloader-verifier/agent/identity-key-node.ts';
import type { ConnectedIdentityClient } from '../../bootloader-verifier/agent/identity-client.ts';
import type { RepositoryClient } from '../../bootloader-verifier/agent/repository-client.ts';
import { repositoryClientHttp } from '../../bootloader-verifier/agent/repository-client-http.ts';
import { packCapsule } from '../../cli/pack-capsule.ts';
import { checkSignature } from '../../signer/signature-check-node.ts';
import type { Random } from '../../simulation/seed.ts';
import { accepted } from '../accepted.ts';
import type { Ends } from '../temporary-folder.ts';
import { makeTinyDevice, type TinyDevice, type TinyDeviceOptions } from '../tiny-device.ts';
import type { TinyRepository } from '../tiny-repository.ts';
import type { Chain, ChainDevice } from './liar-chain.ts';
import { passOn, type Enrolment, type Liar } from './liar.ts';
import { serveWire, type Played, type WireAnswer } from './liar-wire.ts';

/** What a device is answered instead of the truth: bytes, or none, or a fault. */
export type Lie = Uint8Array | 'absent' | 'endless' | 'refuse' | 'honest';
/** What becomes of all that passes by in one round; each part passes things on by default. */
export type Lies = {
  readonly file?: (name: string, honest: Uint8Array | undefined) => Lie;
  /** How answers with files are put. */
  readonly fileGame?: Played;
  /** How answers about identities are put. */
  readonly identityGame?: Played;
  readonly nonce?: (honest: Uint8Array) => Uint8Array;
  readonly asked?: (honest: Enrolment) => Enrolment;
  readonly answer?: (honest: Uint8Array) => Uint8Array;
  readonly said?: (honest: Uint8Array) => Uint8Array;
  readonly word?: (word: Uint8Array) => Promise<boolean>;
  /** What lies in the folder of a device that is brought files. */
  readonly brought?: (honest: Uint8Array) => readonly Uint8Array[];
  readonly receipt?: (receipt: Uint8Array) => Promise<unknown>;
};
export type Victim = {
  readonly index: number;
  readonly repository: TinyRepository;
  /** Its place in the fleet; undefined for one of the other product, which has no identity. */
  readonly member: ChainDevice | undefined;
  readonly isOffline: boolean;
  readonly device: TinyDevice;
  /** The public keys for which it has asked a certificate. */
  readonly keys: Uint8Array[];
  lies: Lies;
  /** Told when an answer about identities that never ends has begun: the signer has dealt with what was asked. */
  giveUp: () => void;
};

/** How long a client waits for an answer that never ends, and for all others. */
const BRIEF_MS = 40;
const PATIENT_MS = 20_000;
/** How many receipts whoever carries them hands in again: the newest, of what was tried. */
const RECEIPTS_CARRIED = 4;
/** The roles of the first product that a capsule carries. */
const CAPSULE_ROLE = /^gateway\/metadata\/\d+\.(root|targets|stable)\.json$/;
const never = new AbortController().signal;

/** A liar over `chain`, with devices that have never lived. */
export async function makeLiar(chain: Chain, random: Random, ends: Ends): Promise<Liar> {
  const victims: Victim[] = [];
  const answer: WireAnswer = (index, asked) => {
    const victim = victims[index];
    if (victim === undefined) throw new Error('there is such a device');
    return answerOf(chain, victim, asked);
  };
  const liar: Liar = {
    ...{
      chain,
      random,
      victims,
      wire: await serveWire(answer, ends),
      archive: new Map(),
      capsules: [],
      packed: { of: '' },
    },
    ...{ heard: { words: [], receipts: [], enrolments: [], uses: [] }, nonces: [], refusals: new Map() },
    acknowledged: [],
  };
  for (const [index, member] of [...chain.fleet, undefined].entries()) {
    victims.push(await makeVictim(liar, { index, member, isOffline: index === 2 }));
  }
  return liar;
}

async function makeVictim(
  liar: Liar,
  of: { readonly index: number; readonly member: ChainDevice | undefined; readonly isOffline: boolean },
): Promise<Victim> {
  const { index, member, isOffline } = of;
  const { chain } = liar;
  const repository = member === undefined ? chain.neighbour : chain.repository;
  const find = (): Victim => victim;
  const ways: TinyDeviceOptions = isOffline
    ? { source: { kind: 'capsules', folder: folderOf(liar, find) }, receipts: stickOf(liar) }
    : {
        source: { kind: 'server', client: fileClient(liar, index, find) },
        identities: { client: identityClient(liar, index, find), freshKey: (seed) => keyOf(find(), seed) },
        checkIn: (word) => {
          liar.heard.words.push(word.slice());
          return find().lies.word?.(word) ?? passOn(liar, word);
        },
      };
  const secret = member === undefined ? {} : { secret: member.secret };
  const device = await makeTinyDevice(repository, { ...ways, ...secret });
  const victim: Victim = { ...of, repository, device, keys: [], lies: {}, giveUp: () => undefined };
  return victim;
}

async function keyOf({ keys }: Victim, seed: Uint8Array | undefined): ReturnType<typeof freshKeyNode> {
  const fresh = await freshKeyNode(seed);
  keys.push(ed25519PublicKey(fresh.seed));
  return fresh;
}

/** What `victim` is told lies under `name`. */
function toldOf({ store }: Chain, victim: Victim, name: string): Exclude<Lie, 'honest'> {
  const honest = store.objects.get(`${victim.repository.id.product}/${name}`);
  const lie = victim.lies.file?.(name, honest) ?? 'honest';
  return lie === 'honest' ? (honest ?? 'absent') : lie;
}

/** The repository as `victim` meets it: by the liar's word alone, or over the wire. */
function fileClient(liar: Liar, index: number, find: () => Victim): RepositoryClient {
  const url = new URL(`r/${index}/`, liar.wire.url);
  const over = [BRIEF_MS, PATIENT_MS].map((silenceMsMax) => repositoryClientHttp(url, { silenceMsMax, stop: never }));
  return {
    get: async (name, bytesMax) => {
      const { fileGame } = find().lies;
      const client = over[fileGame?.game.isEndless === true ? 0 : 1];
      if (fileGame !== undefined && client !== undefined) return client.get(name, bytesMax);
      const told = toldOf(liar.chain, find(), name);
      if (told === 'absent') return undefined;
      if (told === 'refuse') throw new OperationError('NETWORK_UNREACHABLE', 'the liar is silent', { retriable: true });
      if (told === 'endless' || told.length > bytesMax) {
        throw new OperationError('RESPONSE_TOO_LARGE', `${name}: more than ${bytesMax} bytes`, { retriable: true });
      }
      return told.slice();
    },
  };
}

/** The front of EST as `victim` meets it: over the wire, and through what the liar changes. */
function identityClient(liar: Liar, index: number, find: () => Victim): ConnectedIdentityClient {
  const url = new URL(`e/${index}/`, liar.wire.url);
  const over = (): ConnectedIdentityClient => {
    const { identityGame } = find().lies;
    if (identityGame?.game.isEndless !== true) return identityClientHttp(url, never);
    const stop = new AbortController();
    find().giveUp = () => void setTimeout(() => stop.abort(), BRIEF_MS);
    return identityClientHttp(url, stop.signal);
  };
  const { heard, nonces } = liar;
  return {
    nonce: async () => {
      const nonce = await over().nonce();
      nonces.push(nonce);
      return find().lies.nonce?.(nonce) ?? nonce;
    },
    enrol: async (asked) => {
      heard.enrolments.push(asked);
      const { lies } = find();
      const answer = await over().enrol(lies.asked?.(asked) ?? asked);
      return answer.ok && lies.answer !== undefined ? accept(lies.answer(answer.value)) : answer;
    },
    use: (said) => {
      heard.uses.push(said);
      return over().use(find().lies.said?.(said) ?? said);
    },
  };
}

/** What an honest server would put at the wire, and the game that is played with it. */
async function answerOf(
  chain: Chain,
  victim: Victim,
  { kind, name, request, body }: Parameters<WireAnswer>[1],
): ReturnType<WireAnswer> {
  const { fileGame, identityGame } = victim.lies;
  if (kind === 'r') {
    const none = { status: 200, body: new Uint8Array() };
    // Nothing that never ends says anything.
    if (fileGame?.game.isEndless === true) return { honest: none, played: fileGame, done: () => undefined };
    const told = toldOf(chain, victim, name);
    const bytes = typeof told === 'string' ? undefined : told;
    const status = bytes === undefined ? (told === 'absent' ? 404 : 500) : 200;
    return { honest: { status, body: bytes ?? new Uint8Array() }, played: fileGame, done: () => undefined };
  }
  const proof = request.headers['firmament-proof'];
  const answer = await fetch(new URL(name, chain.est), {
    method: request.method ?? 'GET',
    headers: typeof proof === 'string' ? { 'firmament-proof': proof } : {},
    ...(request.method === 'POST' ? { body: body.slice() } : {}),
  });
  const honest = { status: answer.status, body: new Uint8Array(await answer.arrayBuffer()) };
  return { honest, played: identityGame, done: victim.giveUp };
}

/** The folder into which somebody puts what is brought to `victim`. */
function folderOf({ capsules }: Liar, find: () => Victim): CapsuleFolder {
  const lying = (): ReadonlyMap<string, Uint8Array> => {
    const newest = capsules.at(-1) ?? new Uint8Array();
    const brought = find().lies.brought?.(newest) ?? [newest];
    return new Map(brought.map((bytes, index) => [`${index}.capsule`, bytes]));
  };
  return {
    list: () => Promise.resolve([...lying()].map(([name, bytes]) => ({ name, mark: sha256Hex(bytes) }))),
    // What lies there may change while it is read.
    read: (name, work) => {
      const bytes = (): Uint8Array => lying().get(name) ?? new Uint8Array();
      const read = (offset: number, length: number): Promise<Uint8Array> =>
        Promise.resolve(bytes().slice(offset, offset + length));
      return work({ length: bytes().length, read });
    },
  };
}

/** Where a device leaves its receipts, each under its name once. */
function stickOf({ heard }: Liar): NonNullable<TinyDeviceOptions['receipts']> {
  const left = new Set<string>();
  return {
    has: (name) => Promise.resolve(left.has(name)),
    write: (name, bytes) => {
      left.add(name);
      heard.receipts.push(bytes.slice());
      return Promise.resolve();
    },
  };
}

/** Packs what is published, as whoever goes to a device without network does, and keeps it for the liar, too; unless it did before. */
export async function packNewest({ chain, capsules, packed: before }: Liar): Promise<void> {
  const { repository, written, now } = chain;
  const { id, factory } = repository;
  const approved = [...written.keys()].filter((name) => CAPSULE_ROLE.test(name)).join();
  if (before.of === approved) return;
  before.of = approved;
  const client: RepositoryClient = { get: (name) => Promise.resolve(written.get(`${id.product}/${name}`)) };
  const packed = await packCapsule({
    ...{ client, repository: id, rootOne: factory.root, channel: factory.channelName, components: [], now },
    ...{ waypoints: true, check: checkSignature },
  });
  capsules.push(accepted(packed).bytes);
}

/** One life of `victim`, and what is carried back from it. */
export async function live(liar: Liar, victim: Victim): Promise<void> {
  const { device, isOffline, lies } = victim;
  const { chain, heard } = liar;
  if (device.clock.now() < chain.now) await device.clock.advance(chain.now - device.clock.now());
  await device.live();
  await liar.wire.idle();
  if (!isOffline) return;
  for (const receipt of heard.receipts.filter(isOfTrial).slice(-RECEIPTS_CARRIED)) {
    await (lies.receipt ?? ((bytes) => passOn(liar, bytes, 'receipt')))(receipt);
  }
}

function isOfTrial(receipt: Uint8Array): boolean {
  const envelope = parseEnvelope(receipt, RECEIPT_PAYLOAD_TYPE);
  const said = envelope.ok ? parseReceipt(envelope.value.payload) : envelope;
  return said.ok && said.value.outcome !== 'refused';
}

/** Every lie that lasts a round ends. */
export function endRound({ victims }: Liar): void {
  for (const victim of victims) victim.lies = {};
}
