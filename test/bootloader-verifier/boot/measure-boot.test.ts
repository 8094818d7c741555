/** What a start can prove: measured by the boot stage, signed by the factory key, with a key of its own. */
import { expect, test } from 'vitest';
import { encodeHex } from '../../../formats/bytes.ts';
import { ed25519PublicKey } from '../../../formats/ed25519-key.ts';
import { repositoryOf } from '../../../formats/factory-record.ts';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import { verifyBootStatement } from '../../../formats/verify-boot-statement.ts';
import type { BootIdentity } from '../../../bootloader-verifier/boot/measure-boot.ts';
import { provisionFlash } from '../../../bootloader-verifier/boot/protected-store.ts';
import { faultFlash, SMALL_FLASH } from '../../../simulation/fault-flash.ts';
import { accepted } from '../../accepted.ts';
import { SAMPLE_DEVICE_ID, SAMPLE_DEVICE_KEY, SAMPLE_SECRET } from '../../formats/sample-identity.ts';
import { makeTinyDevice, type TinyDevice } from '../../tiny-device.ts';
import { makeTinyRepository } from '../../tiny-repository.ts';

const repository = await makeTinyRepository();
const id = repositoryOf(repository.factory);

async function deviceWithSecret(secret: Uint8Array): Promise<TinyDevice> {
  const flash = faultFlash(SMALL_FLASH);
  await provisionFlash(flash.view('factory'), { ...repository.factory, secret });
  return makeTinyDevice(repository, { flash });
}

async function identityOf(device: TinyDevice): Promise<BootIdentity> {
  const started = await device.start();
  const identity = started.kind === 'started' ? started.identity : undefined;
  return accepted(identity ?? expect.unreachable());
}

const verify = (statement: Uint8Array, change = {}): ReturnType<typeof verifyBootStatement> =>
  verifyBootStatement(statement, { deviceKey: SAMPLE_DEVICE_KEY, repository: id, ...change }, checkSignaturePortable);

test('each start is told apart: on trial, normal, after an update; each has a key of its own', async () => {
  const device = await deviceWithSecret(SAMPLE_SECRET);
  const first = repository.releases.get('1.0.0') ?? expect.unreachable();
  await device.putSlot('a', first);
  const trial = accepted(verify((await identityOf(device)).statement));
  expect(trial).toMatchObject({ mode: 'trial', release: '1.0.0', slot: 'a' });
  await device.live();
  const normal = await identityOf(device);
  await repository.publishRelease({ securityCounter: 2 });
  const second = await makeTinyDevice(repository, { flash: device.flash });
  await second.live();
  const updated = await identityOf(second);
  const before = accepted(verify(normal.statement));
  const after = accepted(verify(updated.statement));
  expect(before).toMatchObject({ deviceId: SAMPLE_DEVICE_ID, release: '1.0.0', mode: 'normal' });
  expect(after).toMatchObject({ deviceId: SAMPLE_DEVICE_ID, release: '2.0.0', mode: 'normal' });
  expect(after.components).toMatchObject([{ component: 'gateway', securityCounter: 2 }]);
  expect(new Set([trial, before, after].map(({ evidenceKey }) => evidenceKey)).size).toBe(3);
  expect(encodeHex(ed25519PublicKey(updated.evidenceSeed))).toBe(after.evidenceKey);
  expect(encodeHex(normal.evidenceSeed)).not.toBe(encodeHex(SAMPLE_SECRET));
});

test('the statement of another device, of another repository, or one that was altered, is refused', async () => {
  const device = await deviceWithSecret(SAMPLE_SECRET);
  await device.live();
  const { statement } = await identityOf(device);
  const stranger = await deviceWithSecret(new Uint8Array(32).fill(8));
  await stranger.live();
  const other = await identityOf(stranger);
  expect(verify(other.statement)).toMatchObject({ code: 'EVIDENCE_SIGNATURE_INVALID' });
  expect(verify(statement, { repository: { ...id, product: 'other' } })).toMatchObject({ code: 'REPOSITORY_MISMATCH' });
  expect(verify(statement.slice(1))).toMatchObject({ code: 'ENVELOPE_MALFORMED' });
});

test('a device whose secret is lost starts what passes, and proves nothing', async () => {
  const device = await deviceWithSecret(SAMPLE_SECRET);
  await device.live();
  for (const half of [0, SMALL_FLASH.identity / 2]) device.flash.damage('identity', half, 0xff);
  const started = await device.start();
  expect(started).toMatchObject({ kind: 'started', identity: { ok: false, code: 'DEVICE_SECRET_MISSING' } });
});

test('a device that was given no secret has no identity, and is none the worse for it', async () => {
  const device = await makeTinyDevice(repository);
  await device.live();
  expect(await device.start()).toMatchObject({ kind: 'started', identity: undefined });
});
