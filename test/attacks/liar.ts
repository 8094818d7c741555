/**
 * The liar: one actor who owns every server credential, and holds every file that was ever published or half signed, but no key.
 *
 * - It owns the bucket, the network to each device, both planes, and the path to the signer's socket; it may say anything to anybody.
 * - Its moves stand in `liar-*-moves.ts`, each under a kind; they are composed at random, from a seed.
 * - A round: some moves, then each device lives once and the signer does what is due; then the invariants are asserted.
 */
import { concatBytes } from '../../formats/bytes.ts';
import { parseJson } from '../../formats/json.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { freshKeyNode } from '../../bootloader-verifier/agent/identity-key-node.ts';
import { keepIdentity } from '../../bootloader-verifier/agent/keep-identity.ts';
import type { IdentityClient } from '../../bootloader-verifier/agent/identity-client.ts';
import type { RepositoryClient } from '../../bootloader-verifier/agent/repository-client.ts';
import { checkSignature } from '../../signer/signature-check-node.ts';
import { ed25519PublicKey } from '../../formats/ed25519-key.ts';
import { confirmUse, issueIdentity } from '../../signer/identity/issue-identity.ts';
import type { Random } from '../../simulation/seed.ts';
import { editTree, readTree, TREE_EDITS, writeTree } from '../json-tree.ts';
import { makeTinyDevice, type TinyDevice } from '../tiny-device.ts';
import type { Chain, ChainDevice } from './liar-chain.ts';

/** What a device is answered instead of the truth: bytes, or none, or a fault. */
export type Lie = Uint8Array | 'absent' | 'endless' | 'refuse' | 'honest';
export type Enrolment = Parameters<IdentityClient['enrol']>[0];
/** How the liar stands between the signer and a device that asks for an identity; each part passes things on by default. */
export type IdentityLies = {
  readonly nonce?: (honest: Uint8Array) => Uint8Array;
  readonly asked?: (honest: Enrolment) => Enrolment;
  readonly answer?: (honest: Uint8Array) => Uint8Array;
  readonly said?: (honest: Uint8Array) => Uint8Array;
};
export type Victim = {
  readonly member: ChainDevice;
  readonly device: TinyDevice;
  /** The lies of this round. */
  lie: ((name: string, honest: Uint8Array | undefined) => Lie) | undefined;
  identityLies: IdentityLies;
  /** What becomes of the words that it says. */
  hearing: (word: Uint8Array) => Promise<boolean>;
  /** The public keys for which it has asked a certificate. */
  readonly keys: Uint8Array[];
};
export type Issued = { readonly certificate: Uint8Array; readonly deviceId: string };
export type Liar = {
  readonly chain: Chain;
  readonly random: Random;
  readonly victims: readonly Victim[];
  /** All that ever lay in the bucket, by name; each content once. */
  readonly archive: Map<string, Uint8Array[]>;
  /** Files of another product of the same people, by the name that a device would ask for. */
  readonly foreign: ReadonlyMap<string, Uint8Array>;
  /** Words, proofs and uses that passed by. */
  readonly heard: { readonly words: Uint8Array[]; readonly enrolments: Enrolment[]; readonly uses: Uint8Array[] };
  readonly nonces: Uint8Array[];
  /** Certificates that the signer issued, to whomever. */
  readonly issued: Issued[];
  /** Codes that the signer answered to the liar. */
  readonly refusals: Map<string, number>;
  /** Words that the signer has acknowledged. */
  readonly acknowledged: Uint8Array[];
};
export type Move = {
  readonly kind: string;
  /** The link of the chain that it attacks. */
  readonly at: 'network' | 'bucket' | 'signer' | 'identity' | 'people' | 'check-in';
  readonly play: (liar: Liar) => Promise<void> | void;
};

const PRODUCT = 'gateway';

/** A liar over `chain`, with devices that have never lived. */
export async function makeLiar(chain: Chain, random: Random, foreign: ReadonlyMap<string, Uint8Array>): Promise<Liar> {
  const victims: Victim[] = [];
  const liar: Liar = {
    chain,
    random,
    victims,
    archive: new Map(),
    foreign,
    heard: { words: [], enrolments: [], uses: [] },
    nonces: [],
    issued: [],
    refusals: new Map(),
    acknowledged: [],
  };
  for (const member of chain.fleet) victims.push(await makeVictim(liar, member));
  return liar;
}

async function makeVictim(liar: Liar, member: ChainDevice): Promise<Victim> {
  const { chain } = liar;
  const client: RepositoryClient = {
    get: (name, bytesMax) => {
      const honest = chain.store.objects.get(`${PRODUCT}/${name}`);
      return answered(victim.lie?.(name, honest) ?? 'honest', { name, honest, bytesMax });
    },
  };
  const device = await makeTinyDevice(chain.repository, {
    secret: member.secret,
    source: { kind: 'server', client },
    checkIn: (word) => {
      liar.heard.words.push(word.slice());
      return victim.hearing(word);
    },
  });
  const victim: Victim = {
    member,
    device,
    lie: undefined,
    identityLies: {},
    hearing: (word) => passOn(liar, word),
    keys: [],
  };
  return victim;
}

async function answered(
  lie: Lie,
  {
    name,
    honest,
    bytesMax,
  }: { readonly name: string; readonly honest: Uint8Array | undefined; readonly bytesMax: number },
): Promise<Uint8Array | undefined> {
  if (lie === 'absent') return Promise.resolve(undefined);
  if (lie === 'refuse') throw new OperationError('NETWORK_UNREACHABLE', 'the liar is silent', { retriable: true });
  const bytes = lie === 'honest' ? honest : lie;
  if (bytes === 'endless' || (bytes !== undefined && bytes.length > bytesMax)) {
    throw new OperationError('RESPONSE_TOO_LARGE', `${name}: more than ${bytesMax} bytes`, { retriable: true });
  }
  return Promise.resolve(bytes?.slice());
}

/** Hands a word on, as an honest plane does; what the signer acknowledges must never be lost. */
export async function passOn(liar: Liar, word: Uint8Array): Promise<boolean> {
  const answer = await liar.chain.ask('confirm', word);
  if (answer.isNew) liar.acknowledged.push(word.slice());
  return answer.status < 500;
}

/** The liar says `body` to the signer, and notes how it was answered. */
export async function say(liar: Liar, verb: string, body: Uint8Array): Promise<string> {
  const { status, code } = await liar.chain.ask(verb, body);
  const told = status === 200 ? 'taken' : code;
  liar.refusals.set(told, (liar.refusals.get(told) ?? 0) + 1);
  if (status === 500) throw new Error(`${verb}: the liar has found a bug of the signer`);
  return told;
}

/** Asks the signer for a certificate, and writes down what it issues. */
export async function enrolAt({ chain, issued, refusals }: Liar, asked: Enrolment): Promise<Uint8Array | string> {
  const view = await chain.view();
  const done = view === undefined ? undefined : await issueIdentity(chain.issuing, view, asked);
  const told = done === undefined ? 'store unreadable' : done.ok ? 'issued' : done.code;
  refusals.set(told, (refusals.get(told) ?? 0) + 1);
  if (done?.ok !== true) return told;
  issued.push({ certificate: done.value.certificate, deviceId: done.value.deviceId });
  return done.value.certificate;
}

/** One life of `victim`, and its care for its identity afterwards. */
export async function live(liar: Liar, victim: Victim): Promise<void> {
  const { device } = victim;
  const { chain } = liar;
  if (device.clock.now() < chain.now) await device.clock.advance(chain.now - device.clock.now());
  await device.live();
  const started = await device.start();
  const identity = started.kind === 'started' && started.mode === 'normal' ? started.identity : undefined;
  if (identity?.ok !== true) return;
  const ports = {
    flash: device.flash.view('system'),
    client: identityClient(liar, victim),
    freshKey: async (seed?: Uint8Array) => {
      const fresh = await freshKeyNode(seed);
      victim.keys.push(ed25519PublicKey(fresh.seed));
      return fresh;
    },
    check: checkSignature,
    now: device.clock.now(),
  };
  await keepIdentity(ports, identity.value).catch((fault: unknown) => {
    if (!(fault instanceof OperationError)) throw fault;
  });
}

/** The signer's answers about identities, as the liar lets them through. */
function identityClient(liar: Liar, { identityLies }: Victim): IdentityClient {
  const { issuing } = liar.chain;
  const same = <T>(honest: T): T => honest;
  return {
    nonce: () => {
      const nonce = issuing.nonces.make(issuing.random(16), liar.chain.now);
      liar.nonces.push(nonce);
      return Promise.resolve((identityLies.nonce ?? same)(nonce));
    },
    enrol: async (asked) => {
      liar.heard.enrolments.push(asked);
      const answer = await enrolAt(liar, (identityLies.asked ?? same)(asked));
      if (typeof answer === 'string') throw new OperationError('NETWORK_UNREACHABLE', answer, { retriable: true });
      return { ok: true, value: (identityLies.answer ?? same)(answer) };
    },
    use: (said) => {
      liar.heard.uses.push(said);
      return confirmUse(issuing, (identityLies.said ?? same)(said));
    },
  };
}

/** Every lie that lasts a round ends. */
export function endRound(liar: Liar): void {
  for (const victim of liar.victims) {
    victim.lie = undefined;
    victim.identityLies = {};
    victim.hearing = (word) => passOn(liar, word);
  }
}

/** An operator restores the bucket from what the signer wrote. */
export function restoreBucket({ store, written }: Chain): void {
  store.objects.clear();
  for (const [name, bytes] of written) store.objects.set(name, bytes.slice());
}

/** Keeps what lies in the bucket now. */
export function collect({ archive, chain }: Liar): void {
  for (const [name, bytes] of chain.written) {
    const known = archive.get(name) ?? [];
    archive.set(name, known);
    if (!known.some((one) => one.length === bytes.length && one.every((byte, at) => byte === bytes[at])))
      known.push(bytes);
  }
}

/** One of `items`. */
export function oneOf<T>(random: Random, items: readonly T[]): T {
  const item = items[random(items.length)];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
}

/** Any file that was ever published, here or for another product. */
export function anyFile({ archive, foreign, random }: Liar, like: RegExp = /./): Uint8Array {
  const own = [...archive].filter(([name]) => like.test(name)).flatMap(([, contents]) => contents);
  const others = [...foreign].filter(([name]) => like.test(name)).map(([, bytes]) => bytes);
  const all = random(4) === 0 && others.length > 0 ? others : own;
  return all.length === 0 ? new Uint8Array() : oneOf(random, all);
}

/** `bytes` with a change in its values, if it is JSON, or in its bytes. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(random(256));
  if (random(3) > 0 && bytes[0] === 0x7b && parseJson(bytes, { bytesMax: bytes.length }).ok) {
    const edits = Array.from({ length: 1 + random(3) }, () => ({
      edit: oneOf(random, TREE_EDITS),
      at: random(1_000_000),
      pick: random(1_000_000),
    }));
    return writeTree(edits.reduce(editTree, readTree(bytes)));
  }
  const at = random(bytes.length);
  switch (random(5)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return bytes.slice(at);
    case 2:
      return concatBytes(bytes, bytes.slice(0, at));
    case 3:
      return concatBytes(bytes.slice(0, at), bytes.slice(Math.min(bytes.length, at + 1 + random(64))));
    default:
      return bytes.map((byte, index) => (index === at ? byte ^ (1 << random(8)) : byte));
  }
}
