/** Manifests, boot statements and the lists of factories and anchors: understood whole, or refused. */
import { expect, test } from 'vitest';
import { BOOT_STATEMENT_PAYLOAD_TYPE, encodeBootStatement, parseBootStatement } from '../../formats/boot-statement.ts';
import { encodeUtf8, parseHex, parseUtf8 } from '../../formats/bytes.ts';
import { deviceIdOf } from '../../formats/device-id.ts';
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { encodeFactoryManifest, MANIFEST_DEVICES_MAX, parseFactoryManifest } from '../../formats/factory-manifest.ts';
import { ANCHORS_MAX, FACTORIES_MAX } from '../../formats/identity-trust.ts';
import { parseTrustPart, trustPartToJson, type TrustPart } from '../../formats/trust-part.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import { verifyBootStatement } from '../../formats/verify-boot-statement.ts';
import { seededSigner } from '../seeded-signer.ts';
import { SAMPLE_ANCHOR, SAMPLE_BOOT, SAMPLE_DEVICE_ID, SAMPLE_FACTORY, SAMPLE_MANIFEST } from './sample-identity.ts';
import { bound, SAMPLE_ID } from './sample-repository.ts';

const BUILDER = { id: 'https://b.example/1', key: seededSigner('builder').key, source: 'git+https://s.example/x' };

/** `bytes` with every occurrence of one text replaced. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return encodeUtf8((parseUtf8(bytes) ?? '').replaceAll(from, to));
}

test('a manifest whose device has another id than its key, that names one twice, or too many, is refused', () => {
  const bytes = encodeFactoryManifest(SAMPLE_MANIFEST);
  expect(parseFactoryManifest(bytes)).toEqual({ ok: true, value: SAMPLE_MANIFEST });
  const [device] = SAMPLE_MANIFEST.devices;
  const twice = encodeFactoryManifest({ ...SAMPLE_MANIFEST, devices: [device, device].flatMap((d) => d ?? []) });
  const many = encodeFactoryManifest({
    ...SAMPLE_MANIFEST,
    devices: Array.from({ length: MANIFEST_DEVICES_MAX + 1 }, () => device ?? expect.unreachable()),
  });
  const other = replaced(bytes, SAMPLE_DEVICE_ID, '00'.repeat(32));
  const bad = [twice, many, other, replaced(bytes, '"claimed"', '"hoped"'), replaced(bytes, '"batch"', '"lot"')];
  for (const manifest of bad) {
    expect(parseFactoryManifest(manifest)).toMatchObject({ ok: false, code: 'MANIFEST_MALFORMED' });
  }
});

test('a boot statement with a member more, less or of another form is refused', () => {
  const statement = { ...SAMPLE_BOOT, evidenceKey: 'cd'.repeat(32) };
  const bytes = encodeBootStatement(statement);
  expect(parseBootStatement(bytes)).toEqual({ ok: true, value: statement });
  for (const [from, to] of [
    ['"slot":"a"', '"slot":"c"'],
    ['"mode":"normal"', '"mode":"debug"'],
    ['"mode"', '"modus"'],
    ['"version":1', '"version":2'],
    ['"securityCounter":1', '"securityCounter":-1'],
  ] as const) {
    const verdict = parseBootStatement(replaced(bytes, from, to));
    expect(verdict, to).toMatchObject({ ok: false, code: 'EVIDENCE_MALFORMED' });
  }
});

test('a boot statement counts under the factory key of the device that it names, and of no other', async () => {
  const signer = seededSigner('a device');
  const envelope = async (deviceId: string): Promise<Uint8Array> => {
    const payload = encodeBootStatement({ ...SAMPLE_BOOT, deviceId, evidenceKey: 'cd'.repeat(32) });
    const sig = await signer.sign(preAuthEncoding(BOOT_STATEMENT_PAYLOAD_TYPE, payload));
    return encodeEnvelope({ payloadType: BOOT_STATEMENT_PAYLOAD_TYPE, payload, signatures: [{ keyid: '', sig }] });
  };
  const own = deviceIdOf(parseHex(signer.key.public) ?? new Uint8Array());
  const verify = (bytes: Uint8Array, deviceKey: string): ReturnType<typeof verifyBootStatement> =>
    verifyBootStatement(bytes, { deviceKey, repository: SAMPLE_ID }, checkSignaturePortable);
  expect(verify(await envelope(own), signer.key.public)).toMatchObject({ ok: true, value: { deviceId: own } });
  const foreign = verify(await envelope(SAMPLE_BOOT.deviceId), signer.key.public);
  expect(foreign).toMatchObject({ ok: false, code: 'EVIDENCE_MISMATCH' });
  const forged = verify(await envelope(own), '00'.repeat(32));
  expect(forged).toMatchObject({ ok: false, code: 'EVIDENCE_SIGNATURE_INVALID' });
});

test('the targets role lists factories and anchors up to their maximum, each factory once', () => {
  const parsed = (part: Partial<TrustPart>): string => {
    const verdict = parseTrustPart(bound('targets', trustPartToJson({ builders: [BUILDER], ...part })));
    return verdict.ok ? 'accepted' : verdict.code;
  };
  const factories = Array.from({ length: FACTORIES_MAX + 1 }, (_, i) => ({ ...SAMPLE_FACTORY, id: `f-${i}` }));
  const anchors = Array.from({ length: ANCHORS_MAX + 1 }, () => SAMPLE_ANCHOR);
  expect(parsed({ factories: factories.slice(1), identityAnchors: anchors.slice(1) })).toBe('accepted');
  expect(parsed({ factories })).toBe('RELEASE_MALFORMED');
  expect(parsed({ identityAnchors: anchors })).toBe('RELEASE_MALFORMED');
  expect(parsed({ factories: [SAMPLE_FACTORY, SAMPLE_FACTORY] })).toBe('RELEASE_MALFORMED');
  expect(parsed({ factories: [{ ...SAMPLE_FACTORY, countMax: 0 }] })).toBe('RELEASE_MALFORMED');
  const part = { builders: [BUILDER], factories: [SAMPLE_FACTORY], identityAnchors: [SAMPLE_ANCHOR] };
  expect(parseTrustPart(bound('targets', trustPartToJson(part)))).toEqual({ ok: true, value: part });
});
