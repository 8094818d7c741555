/** Issuing identities: a certificate for a proven boot under a fresh nonce, and a refusal with its reason for everything else. */
import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { parseIdentityProof, encodeIdentityProof } from '../../../formats/enrolment.ts';
import { parseIdentityExtension, IDENTITY_EXTENSION_OID } from '../../../formats/identity-extension.ts';
import type { HeldIdentity } from '../../../formats/held-identities.ts';
import { OperationError } from '../../../formats/operation-error.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { signIdentityUse } from '../../../bootloader-verifier/agent/prove-identity.ts';
import { caCertificate } from '../../../signer/identity/certificate-authority.ts';
import { certificatesOnly } from '../../../signer/identity/certificates-only.ts';
import { noIdentities, useIdentity } from '../../../signer/identity/device-identities.ts';
import { identityLedgerFolder } from '../../../signer/identity/identity-ledger.ts';
import { confirmUse, issueIdentity } from '../../../signer/identity/issue-identity.ts';
import { NONCE_LIFETIME_MS } from '../../../signer/identity/nonces.ts';
import { faultFlash, SMALL_FLASH } from '../../../simulation/fault-flash.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { makeTinyDevice } from '../../tiny-device.ts';
import { accepted } from '../../accepted.ts';
import {
  ask,
  deviceWithSecret,
  LIFETIME_MS,
  makeTinyIdentity,
  obtain,
  type Asked,
  type TinyIdentity,
} from '../../tiny-identity.ts';

let scene: TinyIdentity;

beforeEach(async () => {
  scene = await makeTinyIdentity();
});

async function codeOf(asked: Partial<Asked> & Pick<Asked, 'csr' | 'proof'>, now?: number): Promise<string> {
  const verdict = await issueIdentity(scene.issuing, scene.view(now), { purpose: 'enrol', ...asked });
  return verdict.ok ? 'issued' : verdict.code;
}

async function use(held: HeldIdentity): Promise<string> {
  const { product, rootOneSha256: root } = scene.repository.id;
  const said = { product, root, deviceId: scene.deviceId, certificate: sha256Hex(held.certificate) };
  const verdict = await confirmUse(scene.issuing, signIdentityUse(said, held));
  return verdict.ok ? 'used' : verdict.code;
}

test('a device that proves its confirmed boot gets a certificate of hours that names release, image, counter and class', async () => {
  const { repository, issuing } = scene;
  const { product, rootOneSha256: root } = repository.id;
  const asked = await ask(await scene.boot(), { nonce: scene.nonce() });
  const issued = accepted(await issueIdentity(issuing, scene.view(), asked));
  const certificate = new X509Certificate(issued.certificate);
  const ca = new X509Certificate(await caCertificate(scene.view().ca));
  expect(certificate.checkIssued(ca) && certificate.verify(ca.publicKey)).toBe(true);
  expect(certificate.subject).toBe(`serialNumber=${scene.deviceId}`);
  expect(certificate.validToDate.getTime()).toBe(repository.now + LIFETIME_MS);
  expect(certificate.ca).toBe(false);
  const extension = new x509.X509Certificate(Uint8Array.from(issued.certificate)).getExtension(IDENTITY_EXTENSION_OID);
  const said = accepted(parseIdentityExtension(new Uint8Array(extension?.value ?? new ArrayBuffer())));
  const image = sha256Hex(repository.releases.get('1.0.0')?.image ?? new Uint8Array());
  expect(said).toEqual({
    product,
    root,
    class: 'claimed',
    release: '1.0.0',
    components: new Map([['gateway', { image, securityCounter: 1 }]]),
    predecessor: undefined,
  });
  expect(issued.answer).toEqual(certificatesOnly(issued.certificate));
});

test('evidence that is replayed, under an old nonce, or under that of another signer, is stale', async () => {
  const nonce = scene.nonce();
  const boot = await scene.boot();
  const asked = await ask(boot, { nonce });
  expect(await codeOf(asked)).toBe('issued');
  expect(await codeOf(asked)).toBe('EVIDENCE_STALE');
  expect(await codeOf(await ask(boot, { nonce }))).toBe('EVIDENCE_STALE');
  const old = await ask(boot, { nonce: scene.nonce() });
  expect(await codeOf(old, scene.repository.now + NONCE_LIFETIME_MS)).toBe('EVIDENCE_STALE');
  const foreign = await makeTinyIdentity();
  const alien = foreign.nonce();
  alien[30] = (alien[30] ?? 0) ^ 1;
  expect(await codeOf(await ask(boot, { nonce: alien }))).toBe('EVIDENCE_STALE');
});

test('a part that is exchanged after signing is refused: request, evidence, statement', async () => {
  const boot = await scene.boot();
  const one = await ask(boot, { nonce: scene.nonce() });
  const two = await ask(boot, { nonce: scene.nonce() });
  expect(await codeOf({ csr: two.csr, proof: one.proof })).toBe('EVIDENCE_MISMATCH');
  const [first, second] = [accepted(parseIdentityProof(one.proof)), accepted(parseIdentityProof(two.proof))];
  const mixed = encodeIdentityProof({ ...first, evidence: second.evidence });
  expect(await codeOf({ csr: one.csr, proof: mixed })).toBe('EVIDENCE_MISMATCH');
  const stranger = await deviceWithSecret(scene.repository, 8);
  await stranger.live();
  const other = await scene.boot(stranger);
  const borrowed = encodeIdentityProof({ ...first, statement: other.statement });
  expect(await codeOf({ csr: one.csr, proof: borrowed })).toBe('EVIDENCE_SIGNATURE_INVALID');
  expect(await codeOf(one)).toBe('issued');
});

test('a device that no factory named gets nothing', async () => {
  const stranger = await deviceWithSecret(scene.repository, 8);
  await stranger.live();
  expect(await codeOf(await ask(await scene.boot(stranger), { nonce: scene.nonce() }))).toBe('DEVICE_UNKNOWN');
});

test('a device of class proven gets nothing for what only software says', async () => {
  scene = await makeTinyIdentity('proven');
  expect(await codeOf(await ask(await scene.boot(), { nonce: scene.nonce() }))).toBe('EVIDENCE_UNSUPPORTED');
});

test('a release on trial gets an identity only once the system has confirmed it', async () => {
  const { repository, device } = scene;
  const second = await repository.publishRelease({ securityCounter: 2 });
  await device.putSlot('b', second);
  await device.putState({ good: 'a', trial: { slot: 'b', starts: 0 } });
  const boot = await scene.boot();
  expect(boot.boot).toMatchObject({ mode: 'trial', release: '2.0.0' });
  expect(await codeOf(await ask(boot, { nonce: scene.nonce(), confirmed: false }))).toBe('BOOT_UNCONFIRMED');
  expect(await codeOf(await ask(boot, { nonce: scene.nonce() }))).toBe('issued');
});

test('a device that was rolled back after its update is refused, and says why', async () => {
  const { repository, device } = scene;
  const before = device.flash.image();
  const first = await obtain(scene);
  expect(await use(first)).toBe('used');
  await repository.publishRelease({ securityCounter: 2 });
  await device.live();
  await obtain(scene, first);
  const back = await makeTinyDevice(repository, { flash: faultFlash(SMALL_FLASH, before) });
  const boot = await scene.boot(back);
  expect(boot.boot.release).toBe('1.0.0');
  expect(await codeOf(await ask(boot, { nonce: scene.nonce(), former: first }))).toBe('IMAGE_ROLLBACK');
});

test('a boot of what the channel approves no longer is refused: revoked, or below the least counter', async () => {
  const { repository } = scene;
  const boot = await scene.boot();
  const image = sha256Hex(repository.releases.get('1.0.0')?.image ?? new Uint8Array());
  await repository.publishRelease({ securityCounter: 3, draft: { revokedDigests: [image] } });
  expect(await codeOf(await ask(boot, { nonce: scene.nonce() }))).toBe('IMAGE_REVOKED');
  await repository.publishRelease({ securityCounter: 3, draft: { minSecurityCounter: 2 } });
  expect(await codeOf(await ask(boot, { nonce: scene.nonce() }))).toBe('IMAGE_ROLLBACK');
});

test('an image that is no release of the published channel gets nothing, though the device itself says so truly', async () => {
  const other = await makeTinyIdentity();
  await other.repository.publishRelease({ release: '9.0.0', image: new Uint8Array([1, 2, 3]), securityCounter: 3 });
  await other.device.live();
  expect(await codeOf(await ask(await other.boot(), { nonce: scene.nonce() }))).toBe('BOOT_NOT_APPROVED');
});

test('the old identity works until the new one is used, and ends with that', async () => {
  const first = await obtain(scene);
  expect(await use(first)).toBe('used');
  const second = await obtain(scene, first);
  expect(await use(first)).toBe('used');
  expect(await use(second)).toBe('used');
  expect(await use(first)).toBe('IDENTITY_ENDED');
  expect(await use(second)).toBe('used');
});

test('to follow an identity takes its key: the evidence of the boot alone rotates nothing', async () => {
  const first = await obtain(scene);
  await use(first);
  const thief = { certificate: first.certificate, seed: new Uint8Array(32).fill(9) };
  const asked = await ask(await scene.boot(), { nonce: scene.nonce(), former: thief });
  expect(await codeOf(asked)).toBe('EVIDENCE_SIGNATURE_INVALID');
  expect(await codeOf(await ask(await scene.boot(), { nonce: scene.nonce() }))).toBe('IDENTITY_ACTIVE');
});

test('an answer that was lost locks nobody out: what was never used is replaced', async () => {
  await obtain(scene);
  const again = await obtain(scene);
  expect(await use(again)).toBe('used');
  await obtain(scene, again);
  const third = await obtain(scene, again);
  expect(await use(third)).toBe('used');
});

test('two that follow the same identity are a fork: both end, and nothing is issued any more', async () => {
  const first = await obtain(scene);
  await use(first);
  const second = await obtain(scene, first);
  await use(second);
  const asked = await ask(await scene.boot(), { nonce: scene.nonce(), former: first });
  expect(await codeOf(asked)).toBe('IDENTITY_FORKED');
  expect(await use(second)).toBe('IDENTITY_FORKED');
  const next = await ask(await scene.boot(), { nonce: scene.nonce(), former: second });
  expect(await codeOf(next)).toBe('IDENTITY_FORKED');
});

test('a request that the network held back, and hands in once the device was heard again, makes no fork and ends nothing', async () => {
  const { now } = scene.repository;
  const first = await obtain(scene);
  await use(first);
  const early = scene.nonce(now + 1);
  const held = await ask(await scene.boot(), { nonce: scene.nonce(now + 2), former: first });
  const asked = await ask(await scene.boot(), { nonce: early, former: first });
  const { certificate } = accepted(await issueIdentity(scene.issuing, scene.view(now + 3), asked));
  const second = { seed: asked.seed, certificate };
  expect(await use(second)).toBe('used');
  expect(await codeOf(held, now + 4)).toBe('EVIDENCE_STALE');
  expect(await use(second)).toBe('used');
});

test('the use of an identity that was replaced before is a fork, too', async () => {
  const first = await obtain(scene);
  await use(first);
  const lost = await obtain(scene, first);
  const second = await obtain(scene, first);
  expect(await use(lost)).toBe('IDENTITY_FORKED');
  expect(await use(second)).toBe('IDENTITY_FORKED');
});

test('a device that slept past the end of its identity follows it all the same, or enrols again', async () => {
  const first = await obtain(scene);
  await use(first);
  const later = scene.repository.now + LIFETIME_MS + 1;
  const followed = await obtain(scene, first, later);
  expect(await use(followed)).toBe('used');
  const muchLater = later + LIFETIME_MS + 1;
  const enrolled = await obtain(scene, undefined, muchLater);
  expect(await use(enrolled)).toBe('used');
  expect(await use(followed)).toBe('IDENTITY_ENDED');
});

test('a use that another key signed, or of another product, ends nothing', async () => {
  const first = await obtain(scene);
  expect(await use({ ...first, seed: new Uint8Array(32).fill(9) })).toBe('EVIDENCE_SIGNATURE_INVALID');
  expect(await use({ ...first, certificate: new Uint8Array(1) })).toBe('IDENTITY_UNKNOWN');
  const said = {
    product: 'other',
    root: scene.repository.id.rootOneSha256,
    deviceId: scene.deviceId,
    certificate: 'ab'.repeat(32),
  };
  const other = await confirmUse(scene.issuing, signIdentityUse(said, first));
  expect(other).toMatchObject({ code: 'REPOSITORY_MISMATCH' });
});

test('a request that is no PKCS#10 of its own key is refused', async () => {
  const boot = await scene.boot();
  const { csr } = await ask(boot, { nonce: scene.nonce() });
  const altered = csr.slice();
  altered[altered.length - 1] = (altered[altered.length - 1] ?? 0) ^ 1;
  for (const bad of [altered, new Uint8Array(100), csr.slice(1), new Uint8Array(2_049)]) {
    expect(
      await codeOf(await ask(boot, { nonce: scene.nonce(), csr: bad }).then((asked) => ({ ...asked, csr: bad }))),
    ).toBe('CSR_REFUSED');
  }
});

test('whenever the power fails while an identity is issued or used, the device can go on', async () => {
  const first = await obtain(scene);
  await use(first);
  for (const when of ['before', 'after'] as const) {
    const whole = scene;
    const { ledger } = whole.issuing;
    const dies = async (device: Parameters<typeof ledger.write>[0]): Promise<void> => {
      if (when === 'after') await ledger.write(device);
      throw new OperationError('POWER_CUT', 'this signer has no power', { retriable: true });
    };
    scene = { ...whole, issuing: { ...whole.issuing, ledger: { ...ledger, write: dies } } };
    await expect(obtain(scene, first)).rejects.toMatchObject({ code: 'POWER_CUT' });
    scene = whole;
    expect(await use(first), when).toBe('used');
    await obtain(scene, first);
  }
  const second = await obtain(scene, first);
  expect(await use(second)).toBe('used');
});

test('a ledger entry that is damaged is a fault for people, never a device without an identity', async () => {
  const folder = temporaryFolder('ledger');
  const ledger = identityLedgerFolder(folder);
  const before = useIdentity(noIdentities('ab'.repeat(32)), 'cd'.repeat(32));
  expect(before).toMatchObject({ code: 'IDENTITY_UNKNOWN' });
  await ledger.write(noIdentities('ab'.repeat(32)));
  expect(await ledger.read('ab'.repeat(32))).toEqual(noIdentities('ab'.repeat(32)));
  await writeFile(join(folder, 'devices', `${'ab'.repeat(32)}.json`), '{}');
  await expect(ledger.read('ab'.repeat(32))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
});
