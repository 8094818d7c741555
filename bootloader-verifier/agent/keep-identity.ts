/**
 * A device keeps its identity: enrols after its first confirmed start, rotates after each update and before the end.
 *
 * - Nothing is asked for on trial: rotation starts after confirmation (rule R17), and never holds up an update.
 * - A new identity stands on flash, in both halves, before it is used; the old one goes only once the signer has taken its use.
 * - A cut at any point is made good by the next call: an unused identity is used, a lost answer asked for again, with the same key.
 * - A key is on flash before it is asked for, and one key follows one identity: a request that the network holds back, repeats or
 *   reorders is never taken for a second device.
 * - The anchors are those of the targets role in the bundle of the slot that runs, which the boot stage has verified.
 */
import { parseBootBundle } from '../../formats/boot-bundle.ts';
import type { Code } from '../../formats/codes.ts';
import { ed25519PublicKey } from '../../formats/ed25519-key.ts';
import {
  encodeHeldIdentities,
  parseHeldIdentities,
  type HeldIdentities,
  type HeldIdentity,
} from '../../formats/held-identities.ts';
import type { IdentityAnchor } from '../../formats/identity-trust.ts';
import type { Instant } from '../../formats/instant.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { parseTrustPart } from '../../formats/trust-part.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { readRecord, writeRecordTwice } from '../boot/flash-records.ts';
import type { Flash } from '../boot/flash.ts';
import type { BootIdentity } from '../boot/measure-boot.ts';
import { readBundle } from '../boot/slot.ts';
import type { FreshKey } from './identity-key-node.ts';
import type { IdentityClient } from './identity-client.ts';
import { proveIdentity, signIdentityUse } from './prove-identity.ts';
import { namesBoot, verifyCertificate, type VerifiedCertificate } from './verify-certificate.ts';

export type IdentityPorts = {
  readonly flash: Flash;
  readonly client: IdentityClient;
  /** A new key, or that of a seed, and the request for it. */
  readonly freshKey: (seed?: Uint8Array) => Promise<FreshKey>;
  readonly check: SignatureCheck;
  readonly now: Instant;
};
/** What came of it: nothing was due, or the identity in use is a new one. */
export type Kept = { readonly kind: 'unchanged' } | { readonly kind: 'new'; readonly certificate: VerifiedCertificate };

const NOTHING_HELD: HeldIdentities = { current: undefined, next: undefined };
/** A certificate is renewed once this part of its life is left: 1 of 3. */
const RENEW_PARTS = 3;

/** Brings the identity of this start up to date. @param identity of a start whose release is confirmed. */
export async function keepIdentity(ports: IdentityPorts, identity: BootIdentity): Promise<Verdict<Kept, Code>> {
  const anchors = await readAnchors(ports.flash, identity);
  if (anchors === undefined) return accept({ kind: 'unchanged' });
  const keeper: Keeper = { ...ports, identity, anchors };
  const before = await readHeld(ports.flash);
  const held = before.next === undefined ? accept(before) : await useNext(keeper, before.next);
  const isUnknown = !held.ok && held.code === 'IDENTITY_UNKNOWN';
  if (!held.ok && !isUnknown) return held;
  const { current } = held.ok ? held.value : before;
  const known = current === undefined || isUnknown ? undefined : verifiedOf(keeper, current);
  if (known === undefined || isDue(keeper, known)) return obtain(keeper, held.ok ? held.value : before);
  return accept(current === before.current ? { kind: 'unchanged' } : { kind: 'new', certificate: known });
}

type Keeper = IdentityPorts & { readonly identity: BootIdentity; readonly anchors: readonly IdentityAnchor[] };

/** Whether the identity names another boot than this one, or comes to its end. */
function isDue({ identity, now }: Keeper, certificate: VerifiedCertificate): boolean {
  const { notAfter, notBefore, extension } = certificate;
  return !namesBoot(extension, identity.boot) || now >= notAfter - (notAfter - notBefore) / RENEW_PARTS;
}

/** Asks for the identity after `held.current`, and uses it. */
async function obtain(keeper: Keeper, held: HeldIdentities): Promise<Verdict<Kept, Code>> {
  const { client, freshKey, flash, identity } = keeper;
  const nonce = await client.nonce();
  if (nonce === undefined) return accept({ kind: 'unchanged' });
  const asked = held.next?.seed ?? held.asked;
  const key = await freshKey(asked);
  if (asked === undefined) await writeHeld(flash, { ...held, asked: key.seed });
  const issued = await requestFor(keeper, { ...key, nonce }, held.current);
  if (!issued.ok) return issued;
  if (issued.value === undefined) return accept({ kind: 'unchanged' });
  const next = { seed: key.seed, certificate: issued.value };
  const certificate = verifiedOf(keeper, next);
  if (certificate === undefined || !namesBoot(certificate.extension, identity.boot)) {
    return reject('CERTIFICATE_REFUSED', 'the answer is not the certificate that was asked for');
  }
  await writeHeld(flash, { current: held.current, next });
  const used = await useNext(keeper, next);
  return used.ok ? accept({ kind: 'new', certificate }) : used;
}

/** Asks to follow `former`; where the signer knows nothing of it any more, to enrol anew. What is held stays until an answer has come. */
async function requestFor(
  keeper: Keeper,
  { csr, nonce }: Pick<FreshKey, 'csr'> & { readonly nonce: Uint8Array },
  former: HeldIdentity | undefined,
): Promise<Verdict<Uint8Array | undefined, Code>> {
  const { client, identity } = keeper;
  const proof = proveIdentity(identity, { nonce, csr, confirmed: true, former });
  const issued = await client.enrol({ purpose: former === undefined ? 'enrol' : 'rotate', csr, proof });
  if (issued.ok || issued.code !== 'IDENTITY_UNKNOWN' || former === undefined) return issued;
  const again = await client.nonce();
  return again === undefined ? issued : requestFor(keeper, { csr, nonce: again }, undefined);
}

/** The first use of the next identity; the one before goes once the signer has taken it. */
async function useNext(
  { client, flash, identity }: Keeper,
  next: HeldIdentity,
): Promise<Verdict<HeldIdentities, Code>> {
  const { product, root, deviceId } = identity.boot;
  const said = { product, root, deviceId, certificate: sha256Hex(next.certificate) };
  const used = await client.use(signIdentityUse(said, next));
  if (!used.ok) return used;
  const held = { current: next, next: undefined };
  await writeHeld(flash, held);
  return accept(held);
}

async function writeHeld(flash: Flash, held: HeldIdentities): Promise<void> {
  await writeRecordTwice(flash, 'credentials', encodeHeldIdentities(held));
}

function verifiedOf({ identity, anchors, check }: Keeper, held: HeldIdentity): VerifiedCertificate | undefined {
  const expected = { boot: identity.boot, publicKey: ed25519PublicKey(held.seed) };
  const certificate = verifyCertificate(held.certificate, expected, { anchors, check });
  return certificate.ok ? certificate.value : undefined;
}

async function readHeld(flash: Flash): Promise<HeldIdentities> {
  const bytes = await readRecord(flash, 'credentials');
  return (bytes && parseHeldIdentities(bytes)) ?? NOTHING_HELD;
}

/** The anchors that the slot of this start carries; undefined where the people list none: then nobody has an identity. */
async function readAnchors(flash: Flash, { boot }: BootIdentity): Promise<readonly IdentityAnchor[] | undefined> {
  const bytes = await readBundle(flash, boot.slot);
  const bundle = bytes === undefined ? undefined : parseBootBundle(bytes);
  const targets = bundle?.ok === true ? parseTargets(bundle.value.targets) : undefined;
  const trust = targets?.ok === true ? parseTrustPart(targets.value.signed.firmament) : undefined;
  return trust?.ok === true ? trust.value.identityAnchors : undefined;
}
