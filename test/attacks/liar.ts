/**
 * The liar: one actor who owns every server credential, and holds every file that was ever published or half signed, but no key.
 *
 * - It owns the bucket, the network to each device, what is carried to those without one, both planes, and the path to the signer's
 *   socket and front; it may say anything to anybody.
 * - Its moves stand in `liar-*-moves.ts`, each under a kind; they are composed at random, from a seed.
 * - A round: some moves, then each device lives once and the signer does what is due; then the invariants are asserted.
 */
import { X509Certificate } from 'node:crypto';
import { concatBytes, equalBytes } from '../../formats/bytes.ts';
import { encodeEd25519Signed } from '../../formats/ed25519-der.ts';
import { parseJson } from '../../formats/json.ts';
import { OperationError } from '../../formats/operation-error.ts';
import type { IdentityClient } from '../../bootloader-verifier/agent/identity-client.ts';
import type { Random } from '../../simulation/seed.ts';
import { editTree, readTree, TREE_EDITS, writeTree } from '../json-tree.ts';
import type { Chain } from './liar-chain.ts';
import type { Victim } from './liar-victim.ts';
import type { Wire } from './liar-wire.ts';

export type Enrolment = Parameters<IdentityClient['enrol']>[0];
/** A certificate that the CA's key has signed. */
export type Issued = { readonly certificate: Uint8Array; readonly deviceId: string };
export type Liar = {
  readonly chain: Chain;
  readonly random: Random;
  readonly victims: readonly Victim[];
  readonly wire: Wire;
  /** All that ever lay in the bucket, by name; each content once. */
  readonly archive: Map<string, Uint8Array[]>;
  /** All that was ever carried to a device without network. */
  readonly capsules: Uint8Array[];
  /** The approvals that the newest capsule is of. */
  readonly packed: { of: string };
  /** Words, receipts, proofs and uses that passed by. */
  readonly heard: {
    readonly words: Uint8Array[];
    readonly receipts: Uint8Array[];
    readonly enrolments: Enrolment[];
    readonly uses: Uint8Array[];
  };
  readonly nonces: Uint8Array[];
  /** Codes that the signer answered to the liar. */
  readonly refusals: Map<string, number>;
  /** Words that the signer has acknowledged. */
  readonly acknowledged: Uint8Array[];
};
export type Move = {
  readonly kind: string;
  /** The link of the chain that it attacks. */
  readonly at: 'network' | 'bucket' | 'signer' | 'identity' | 'people' | 'check-in' | 'carrier' | 'product';
  readonly play: (liar: Liar) => Promise<void> | void;
};

/** Hands a word on, as an honest plane does; what the signer acknowledges must never be lost. */
export async function passOn(liar: Liar, word: Uint8Array, verb: 'confirm' | 'receipt' = 'confirm'): Promise<boolean> {
  const answer = await liar.chain.ask(verb, word);
  if (answer.isKept) liar.acknowledged.push(word.slice());
  return answer.status < 500;
}

/** The liar says `body` to the signer, at a verb or at `r/PRODUCT/VERB`, and notes how it was answered. */
export async function say(liar: Liar, path: string, body: Uint8Array): Promise<string> {
  const { status, code, isKept } = await liar.chain.ask(path, body);
  if (isKept) liar.acknowledged.push(body.slice());
  return noted(liar, status === 200 ? 'taken' : code);
}

function noted({ refusals }: Liar, told: string): string {
  refusals.set(told, (refusals.get(told) ?? 0) + 1);
  return told;
}

/** Asks the front for a certificate. @returns how it was answered. */
export async function enrolAt(liar: Liar, asked: Enrolment): Promise<string> {
  return answered(liar, async () => {
    const done = await liar.chain.identities.enrol(asked);
    return done.ok ? 'issued' : done.code;
  });
}

/** Tells the front that an identity is used from now on. @returns how it was answered. */
export async function useAt(liar: Liar, said: Uint8Array): Promise<string> {
  return answered(liar, async () => {
    const done = await liar.chain.identities.use(said);
    return done.ok ? 'used' : done.code;
  });
}

/** What the front cannot answer for now is a fault of the world, as it is to a device. */
async function answered(liar: Liar, ask: () => Promise<string>): Promise<string> {
  const told = await ask().catch((fault: unknown) => {
    if (!(fault instanceof OperationError)) throw fault;
    return fault.code;
  });
  return noted(liar, told);
}

/** The certificates of devices that the CA's key has signed so far, oldest first. */
export function issuedBy({ signed, caKey }: Chain): readonly Issued[] {
  return signed.flatMap(({ by, message, signature }) => {
    if (by !== 'ca') return [];
    const certificate = encodeEd25519Signed({ body: message, signature });
    const { subject, issuer, publicKey } = new X509Certificate(certificate);
    const key = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
    // Its own certificate says nothing of anybody else.
    return subject === issuer && key === caKey.public ? [] : [{ certificate, deviceId: subject.split('=')[1] ?? '' }];
  });
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
    if (!known.some((one) => equalBytes(one, bytes))) known.push(bytes);
  }
}

/** One of `items`. */
export function oneOf<T>(random: Random, items: readonly T[]): T {
  const item = items[random(items.length)];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
}

/** Any file that was ever published, now and then one of the other product. */
export function anyFile({ archive, random, chain }: Liar, like: RegExp = /./): Uint8Array {
  const isOther = random(4) === 0;
  const product = (isOther ? chain.neighbour : chain.repository).id.product;
  const all = [...archive]
    .filter(([name]) => name.startsWith(`${product}/`) && like.test(name))
    .flatMap(([, contents]) => contents);
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
