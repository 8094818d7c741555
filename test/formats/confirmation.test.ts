/** Confirmations: a device's word counts as its own alone, and only for the rollout that it names. */
import { describe, expect, test } from 'vitest';
import { BOOT_STATEMENT_PAYLOAD_TYPE, encodeBootStatement, type BootStatement } from '../../formats/boot-statement.ts';
import {
  CONFIRMATION_BYTES_MAX,
  CONFIRMATION_PAYLOAD_TYPE,
  encodeConfirmation,
  parseConfirmation,
  type Confirmation,
} from '../../formats/confirmation.ts';
import { encodeUtf8, parseHex, parseUtf8 } from '../../formats/bytes.ts';
import { deviceIdOf } from '../../formats/device-id.ts';
import { encodeEnvelope, parseEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import { verifyConfirmation } from '../../formats/verify-confirmation.ts';
import type { Signer } from '../../signer/signer.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { SAMPLE_DEVICE_SIGNER, sampleEnvelope } from './plan-vectors.ts';
import { SAMPLE_CONFIRMATION, SAMPLE_DEVICE } from './sample-plan.ts';
import { SAMPLE_ID } from './sample-repository.ts';

const KEYS = new Map([[SAMPLE_DEVICE, SAMPLE_DEVICE_SIGNER.key]]);
const verify = (bytes: Uint8Array, keys = KEYS): ReturnType<typeof verifyConfirmation> =>
  verifyConfirmation(bytes, { repository: SAMPLE_ID, keyOf: (deviceId) => keys.get(deviceId) }, checkSignaturePortable);

async function signed(
  change: Partial<Confirmation>,
  signer: Signer,
  type = CONFIRMATION_PAYLOAD_TYPE,
): Promise<Uint8Array> {
  const payload = encodeConfirmation({ ...SAMPLE_CONFIRMATION, ...change });
  const sig = await signer.sign(preAuthEncoding(type, payload));
  return encodeEnvelope({ payloadType: CONFIRMATION_PAYLOAD_TYPE, payload, signatures: [{ keyid: '', sig }] });
}

test('a confirmation signed by the device that it names is accepted and says what was signed', async () => {
  expect(verify(await sampleEnvelope())).toEqual({ ok: true, value: SAMPLE_CONFIRMATION });
});

test("one device's key never speaks for another device", async () => {
  const other = seededSigner('vector device 2');
  const forged = await signed({}, other);
  expect(verify(forged)).toMatchObject({ ok: false, code: 'CONFIRMATION_SIGNATURE_INVALID' });
  const unknown = await signed({ deviceId: '00'.repeat(32) }, other);
  expect(verify(unknown)).toMatchObject({ ok: false, code: 'CONFIRMATION_SIGNATURE_INVALID' });
});

test('a signature over another payload, or over the same bytes as another type, does not count', async () => {
  const envelope = accepted(parseEnvelope(await sampleEnvelope(), CONFIRMATION_PAYLOAD_TYPE));
  const payload = encodeConfirmation({ ...SAMPLE_CONFIRMATION, sequence: 8 });
  expect(verify(encodeEnvelope({ ...envelope, payload }))).toMatchObject({ code: 'CONFIRMATION_SIGNATURE_INVALID' });
  const other = await signed({}, SAMPLE_DEVICE_SIGNER, 'application/vnd.in-toto+json');
  expect(verify(other)).toMatchObject({ ok: false, code: 'CONFIRMATION_SIGNATURE_INVALID' });
});

test('an envelope of another type is no confirmation', async () => {
  const envelope = accepted(parseEnvelope(await sampleEnvelope(), CONFIRMATION_PAYLOAD_TYPE));
  const other = encodeEnvelope({ ...envelope, payloadType: 'application/vnd.in-toto+json' });
  expect(verify(other)).toMatchObject({ ok: false, code: 'ENVELOPE_MALFORMED' });
});

test('a failure names its code and counts itself; a confirmation names none', () => {
  const parse = (change: Partial<Confirmation>): ReturnType<typeof parseConfirmation> =>
    parseConfirmation(encodeConfirmation({ ...SAMPLE_CONFIRMATION, ...change }));
  const failed = { outcome: 'failed', code: 'SELF_TEST_FAILED', failures: 1 } as const;
  expect(parse(failed).ok).toBe(true);
  expect(parse({ ...failed, code: undefined })).toMatchObject({ code: 'CONFIRMATION_MALFORMED' });
  expect(parse({ ...failed, failures: 0 })).toMatchObject({ code: 'CONFIRMATION_MALFORMED' });
  expect(parse({ ...failed, code: 'not a code' })).toMatchObject({ code: 'CONFIRMATION_MALFORMED' });
  expect(parse({ code: 'SELF_TEST_FAILED' })).toMatchObject({ code: 'CONFIRMATION_MALFORMED' });
  expect(parse({ failures: 0, plan: undefined, at: undefined, evidence: 'ab'.repeat(32) }).ok).toBe(true);
  expect(parse({ sequence: 0 })).toMatchObject({ code: 'CONFIRMATION_MALFORMED' });
});

test('a payload of the longest size is read, one byte more or a member more is not', () => {
  const text = parseUtf8(encodeConfirmation(SAMPLE_CONFIRMATION)) ?? '';
  const padded = (length: number): Uint8Array => encodeUtf8(text + ' '.repeat(length - text.length));
  expect(parseConfirmation(padded(CONFIRMATION_BYTES_MAX)).ok).toBe(true);
  expect(parseConfirmation(padded(CONFIRMATION_BYTES_MAX + 1))).toMatchObject({ code: 'CONFIRMATION_MALFORMED' });
  const more = encodeUtf8(text.replace('{', '{"uplink":true,'));
  expect(parseConfirmation(more)).toMatchObject({ code: 'CONFIRMATION_MALFORMED' });
});

describe('with a boot statement', () => {
  const factory = seededSigner('vector device 1');
  const evidence = seededSigner('vector evidence');
  const started: BootStatement = {
    product: SAMPLE_ID.product,
    root: SAMPLE_ID.rootOneSha256,
    deviceId: deviceIdOf(parseHex(factory.key.public) ?? new Uint8Array()),
    release: '2.0.0',
    components: [{ component: 'gateway', firmwareVersion: '2.0.0', securityCounter: 2, image: 'ab'.repeat(32) }],
    channel: 'stable',
    channelVersion: 2,
    slot: 'b',
    mode: 'trial',
    evidenceKey: evidence.key.public,
  };

  async function said(
    change: Partial<BootStatement> = {},
    by: { readonly statement?: Signer; readonly word?: Signer } = {},
  ): Promise<ReturnType<typeof verifyConfirmation>> {
    const payload = encodeBootStatement({ ...started, ...change });
    const sig = await (by.statement ?? factory).sign(preAuthEncoding(BOOT_STATEMENT_PAYLOAD_TYPE, payload));
    const signatures = [{ keyid: '', sig }];
    const statement = encodeEnvelope({ payloadType: BOOT_STATEMENT_PAYLOAD_TYPE, payload, signatures });
    const word = await signed({ deviceId: started.deviceId, statement }, by.word ?? evidence);
    return verify(word, new Map([[started.deviceId, factory.key]]));
  }

  test('the evidence key of the start that it is about has signed it', async () => {
    expect(await said()).toMatchObject({ ok: true, value: { release: '2.0.0', outcome: 'confirmed' } });
  });

  test('a release is not confirmed by what started another one, other counters, or another component', async () => {
    const [gateway] = started.components;
    if (gateway === undefined) throw new Error('one component is started');
    const invalid = { ok: false, code: 'CONFIRMATION_SIGNATURE_INVALID' };
    expect(await said({ release: '1.0.0' })).toMatchObject(invalid);
    expect(await said({ components: [{ ...gateway, securityCounter: 1 }] })).toMatchObject(invalid);
    expect(await said({ components: [gateway, { ...gateway, component: 'hub' }] })).toMatchObject(invalid);
    expect(await said({ product: 'other' })).toMatchObject(invalid);
  });

  test('a statement that the factory key did not sign, or a word that another key signed, confirms nothing', async () => {
    const stranger = seededSigner('stranger');
    const invalid = { ok: false, code: 'CONFIRMATION_SIGNATURE_INVALID' };
    expect(await said({}, { statement: stranger })).toMatchObject(invalid);
    expect(await said({}, { word: stranger })).toMatchObject(invalid);
    expect(await said({}, { word: factory })).toMatchObject(invalid);
  });
});
