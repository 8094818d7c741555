/**
 * The liar's moves at a key holder: to have the installed tool sign other bytes than the person saw and was told of.
 *
 * - The liar carries the files of signing events: it changes them, mixes them with those of other events, products and times.
 * - The person was told the digest by others who drafted it, or was not, and reads what the tool shows.
 */
import { sha256Hex } from '../../formats/sha256.ts';
import { encodeSigningEvent, parseSigningEvent, type SigningEvent } from '../../formats/signing-event.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { describeEvent } from '../../cli/describe-event.ts';
import { rememberWithdrawn, type KeyHolderMemory } from '../../signer/key-holder-memory.ts';
import { digestOf, signEvent, withdrawEvent } from '../../signer/sign-event.ts';
import { verifyEvent } from '../../signer/verify-event.ts';
import { accepted } from '../accepted.ts';
import { makeTinyEvents, nameOf, type TinyEvents } from '../tiny-event.ts';
import { anyFile, mutated, oneOf, type Liar, type Move } from './liar.ts';

/** What a person's key has signed, and what the person had been told and shown. */
export type PersonSigned = { readonly digest: string; readonly told: string | undefined; readonly shown: string };
type Desk = {
  readonly tiny: TinyEvents;
  readonly honest: SigningEvent;
  readonly others: readonly SigningEvent[];
  /** Withdrawn, which Eli has seen once. */
  readonly withdrawn: SigningEvent;
  readonly memory: KeyHolderMemory;
  readonly signed: PersonSigned[];
};

const desks = new WeakMap<Liar['archive'], Promise<Desk>>();

/** All that a person's tool has signed so far under the liar's hands, and what it must never sign. */
export async function personSigned(
  liar: Liar,
): Promise<{ readonly signed: readonly PersonSigned[]; readonly withdrawn: string }> {
  const { signed, withdrawn } = await deskOf(liar);
  return { signed, withdrawn: nameOf(withdrawn) };
}

function deskOf(liar: Liar): Promise<Desk> {
  const known = desks.get(liar.archive) ?? makeDesk();
  desks.set(liar.archive, known);
  return known;
}

async function makeDesk(): Promise<Desk> {
  const tiny = await makeTinyEvents();
  const honest = await tiny.event();
  const evil = await tiny.event({ release: '6.6.6', component: { securityCounter: 9 } });
  const late = await tiny.event({ release: '2.0.1', draft: { now: tiny.repository.now - 1 } });
  const withdrawn = accepted(await withdrawEvent(await tiny.event({ release: '2.0.2' }), tiny.managers.fay));
  const memory = rememberWithdrawn(tiny.memory, { role: 'stable', ...accepted(digestOf(withdrawn)) });
  return { tiny, honest, others: [evil, late, withdrawn], withdrawn, memory, signed: [] };
}

function people(kind: string, offer: (liar: Liar, desk: Desk) => SigningEvent | undefined, isTold = true): Move {
  return {
    kind,
    at: 'people',
    play: async (liar) => {
      const desk = await deskOf(liar);
      const offered = offer(liar, desk);
      if (offered !== undefined) await eliSigns(desk, offered, isTold ? nameOf(desk.honest) : undefined);
    },
  };
}

/**
 * Has Eli sign an event with a tool that compares no digest, or shows nothing: what the invariants are there to see.
 * @returns how to forget it.
 */
export async function signBlindly(liar: Liar, tool: 'compares nothing' | 'shows nothing'): Promise<() => void> {
  const { tiny, memory, honest, others, signed } = await deskOf(liar);
  const [evil] = others;
  if (evil === undefined) throw new Error('there is another event');
  const judged = accepted(verifyEvent(evil, { memory, now: tiny.repository.now, digest: undefined }));
  const { metadata } = accepted(await signEvent(judged, tiny.managers.eli));
  const digest = sha256Hex(accepted(parseTargets(metadata)).signedBytes);
  const isTold = tool === 'compares nothing';
  signed.push({ digest, told: isTold ? nameOf(honest) : undefined, shown: isTold ? digest : '' });
  return () => void signed.pop();
}

/** Eli's tool judges and shows what is offered, and Eli says yes to whatever it shows. */
async function eliSigns(
  { tiny, memory, signed }: Desk,
  offered: SigningEvent,
  told: string | undefined,
): Promise<void> {
  const now = tiny.repository.now;
  const judged = verifyEvent(offered, { memory, now, digest: told });
  if (!judged.ok) return;
  const shown = describeEvent(judged.value, undefined).join('\n');
  const { eli } = tiny.managers;
  const done = await signEvent(judged.value, eli);
  if (!done.ok) return;
  const metadata = accepted(parseTargets(done.value.metadata));
  const mine = metadata.signatures.find(({ keyid }) => keyid === eli.keyid);
  if (mine?.sig === undefined || !checkSignaturePortable(eli.key, metadata.signedBytes, mine.sig)) {
    throw new Error('the tool says that it signed, and its signature is over something else');
  }
  signed.push({ digest: sha256Hex(metadata.signedBytes), told, shown });
}

/** The event as the file that travels, changed, and read again; none if it cannot be read. */
function travelled(event: SigningEvent, change: (file: Uint8Array) => Uint8Array): SigningEvent | undefined {
  const read = parseSigningEvent(change(encodeSigningEvent(event)));
  return read.ok ? read.value : undefined;
}

export const PEOPLE_MOVES: readonly Move[] = [
  people('the file of an event changed', ({ random }, { honest }) =>
    travelled(honest, (file) => mutated(file, random)),
  ),
  people('another event under the digest that was told', ({ random }, { others }) => oneOf(random, others)),
  people('the metadata of an event exchanged', ({ random }, { honest, others }) => ({
    ...honest,
    metadata: random(2) === 0 ? mutated(honest.metadata, random) : oneOf(random, others).metadata,
  })),
  people('what stands beside an event exchanged', (liar, { honest, others }) => {
    const { random } = liar;
    const [rootOne = new Uint8Array()] = honest.roots;
    const other = oneOf(random, others);
    return oneOf<SigningEvent>(random, [
      { ...honest, roots: [mutated(rootOne, random)] },
      { ...honest, roots: [anyFile(liar, /root\.json/)] },
      { ...honest, delegatedBy: anyFile(liar, /targets\.json/) },
      { ...honest, delegatedBy: mutated(honest.delegatedBy, random) },
      { ...honest, former: undefined },
      { ...honest, former: anyFile(liar, /stable\.json/) },
      { ...honest, evidence: other.evidence },
      { ...honest, evidence: [] },
      { ...honest, role: 'beta' },
      { ...honest, notes: 'the liar says: please sign' },
    ]);
  }),
  people('a withdrawal hidden', (_, { withdrawn }) => ({ ...withdrawn, withdrawn: [] }), false),
  people(
    'any event to somebody who was told nothing',
    ({ random }, { honest, others }) => {
      const other = oneOf(random, others);
      return random(2) === 0
        ? { ...honest, metadata: other.metadata }
        : travelled(other, (file) => mutated(file, random));
    },
    false,
  ),
];
