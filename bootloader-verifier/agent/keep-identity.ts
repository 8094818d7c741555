/**
 * A device keeps its identity: enrols after its first confirmed start, rotates after each update and before the end.
 *
 * - Nothing is asked for on trial: rotation starts after confirmation (rule R17), and never holds up an update.
 * - A new identity stands on flash, in both halves, before it is used; the old one goes only once the signer has taken its use.
 * - A cut at any point is made good by the next call: an unused identity is used, a lost answer asked for again.
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
  readonly freshKey: () => Promise<FreshKey>;
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
  const held = await readHeld(ports.flash);
  const used = held.next === undefined ? accept(held) : await useNext(keeper, { ...held, next: held.next });
  if (!used.ok) return used;
  const { current } = used.value;
  const known = current === undefined ? undefined : verifiedOf(keeper, current);
  const isNew = current !== undefined && current !== held.current;
  if (known !== undefined && !isDue(keeper, known)) {
    return accept(isNew ? { kind: 'new', certificate: known } : { kind: 'unchanged' });
  }
  return obtain(keeper, current);
}

type Keeper = IdentityPorts & { readonly identity: BootIdentity; readonly anchors: readonly IdentityAnchor[] };

/** Whether the identity names another boot than this one, or comes to its end. */
function isDue({ identity, now }: Keeper, certificate: VerifiedCertificate): boolean {
  const { notAfter, notBefore, extension } = certificate;
  return !namesBoot(extension, identity.boot) || now >= notAfter - (notAfter - notBefore) / RENEW_PARTS;
}

async function obtain(keeper: Keeper, current: HeldIdentity | undefined): Promise<Verdict<Kept, Code>> {
  const { client, freshKey, flash, identity } = keeper;
  const nonce = await client.nonce();
  const { seed, csr } = await freshKey();
  const proof = proveIdentity(identity, { nonce, csr, confirmed: true, former: current });
  const issued = await client.enrol({ purpose: current === undefined ? 'enrol' : 'rotate', csr, proof });
  if (!issued.ok) return issued;
  const next = { seed, certificate: issued.value };
  const certificate = verifiedOf(keeper, next);
  if (certificate === undefined || !namesBoot(certificate.extension, identity.boot)) {
    return reject('CERTIFICATE_REFUSED', 'the answer is not the certificate that was asked for');
  }
  const held = { current, next };
  await writeRecordTwice(flash, 'credentials', encodeHeldIdentities(held));
  const used = await useNext(keeper, held);
  return used.ok ? accept({ kind: 'new', certificate }) : used;
}

/** The first use of the next identity; the one before goes once the signer has taken it. */
async function useNext(
  { client, flash, identity }: Keeper,
  { next }: HeldIdentities & { readonly next: HeldIdentity },
): Promise<Verdict<HeldIdentities, Code>> {
  const { product, root, deviceId } = identity.boot;
  const said = { product, root, deviceId, certificate: sha256Hex(next.certificate) };
  const used = await client.use(signIdentityUse(said, next));
  if (!used.ok) return used;
  const held = { current: next, next: undefined };
  await writeRecordTwice(flash, 'credentials', encodeHeldIdentities(held));
  return accept(held);
}

function verifiedOf({ identity, anchors, check }: Keeper, held: HeldIdentity): VerifiedCertificate | undefined {
  const expected = { deviceId: identity.boot.deviceId, publicKey: ed25519PublicKey(held.seed) };
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
