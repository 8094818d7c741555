/** Which devices there are: what factories may say, and what they may not. */
import { expect, test } from 'vitest';
import { encodeHex } from '../../../formats/bytes.ts';
import { deviceIdOf } from '../../../formats/device-id.ts';
import { encodeEnvelope, preAuthEncoding } from '../../../formats/dsse.ts';
import { ed25519PublicKey } from '../../../formats/ed25519-key.ts';
import {
  encodeFactoryManifest,
  MANIFEST_PAYLOAD_TYPE,
  type FactoryManifest,
  type ManifestDevice,
} from '../../../formats/factory-manifest.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import { verifyManifests, type ManifestTrust } from '../../../signer/identity/verify-manifests.ts';
import { SAMPLE_DEVICE_ID, SAMPLE_FACTORY, SAMPLE_MANIFEST } from '../../formats/sample-identity.ts';
import { SAMPLE_ID } from '../../formats/sample-repository.ts';
import { seededSigner } from '../../seeded-signer.ts';

const TRUST: ManifestTrust = {
  repository: SAMPLE_ID,
  factories: [SAMPLE_FACTORY],
  admitted: new Set(),
  now: Date.UTC(2026, 0, 1),
  check: checkSignaturePortable,
};

async function signed(change: Partial<FactoryManifest> = {}, by = 'factory graz'): Promise<Uint8Array> {
  const payload = encodeFactoryManifest({ ...SAMPLE_MANIFEST, ...change });
  const sig = await seededSigner(by).sign(preAuthEncoding(MANIFEST_PAYLOAD_TYPE, payload));
  return encodeEnvelope({ payloadType: MANIFEST_PAYLOAD_TYPE, payload, signatures: [{ keyid: '', sig }] });
}

function device(seed: number): ManifestDevice {
  const key = ed25519PublicKey(new Uint8Array(32).fill(seed));
  const named = { components: [{ component: 'gateway', hardwareId: 'gw-1' }], class: 'claimed' } as const;
  return { ...named, deviceId: deviceIdOf(key), publicKey: encodeHex(key) };
}

function codeOf(manifests: readonly Uint8Array[], change: Partial<ManifestTrust> = {}): string {
  const verdict = verifyManifests(manifests, { ...TRUST, ...change });
  return verdict.ok ? [...verdict.value.keys()].join(' ') : verdict.code;
}

test('the devices of a listed factory are known, and those of any other are not', async () => {
  expect(codeOf([await signed()])).toBe(SAMPLE_DEVICE_ID);
  expect(codeOf([await signed({}, 'a stranger')])).toBe('FACTORY_NOT_TRUSTED');
  expect(codeOf([await signed()], { factories: [] })).toBe('FACTORY_NOT_TRUSTED');
  expect(codeOf([await signed({ factory: 'linz' })])).toBe('FACTORY_NOT_TRUSTED');
});

test('a manifest of another product or another root 1 is refused', async () => {
  expect(codeOf([await signed({ product: 'other' })])).toBe('REPOSITORY_MISMATCH');
  expect(codeOf([await signed({ root: '00'.repeat(32) })])).toBe('REPOSITORY_MISMATCH');
});

test('a factory names no more devices than it may, over all of its manifests', async () => {
  const second = await signed({ batch: '2026-02', devices: [device(1)] });
  const third = await signed({ batch: '2026-03', devices: [device(2)] });
  expect(codeOf([await signed(), second])).toContain(SAMPLE_DEVICE_ID);
  expect(codeOf([await signed(), second, third])).toBe('FACTORY_COUNT_EXCEEDED');
});

test('a device that two manifests name is refused', async () => {
  expect(codeOf([await signed(), await signed({ batch: 'again' })])).toBe('MANIFEST_MALFORMED');
});

test('after the last day of a factory a stolen station admits nothing new, and what was admitted stays', async () => {
  const manifest = await signed();
  const now = SAMPLE_FACTORY.notAfter;
  expect(codeOf([manifest], { now: now - 1 })).toBe(SAMPLE_DEVICE_ID);
  expect(codeOf([manifest], { now })).toBe('FACTORY_NOT_TRUSTED');
  expect(codeOf([manifest], { now, admitted: new Set([sha256Hex(manifest)]) })).toBe(SAMPLE_DEVICE_ID);
});
