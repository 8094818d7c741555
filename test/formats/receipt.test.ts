/** Receipts: what a device without network answers is its own word, about what it really started, in one form and within limits. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeUtf8, equalBytes, parseHex, parseUtf8 } from '../../formats/bytes.ts';
import { deviceIdOf } from '../../formats/device-id.ts';
import { parseEnvelope } from '../../formats/dsse.ts';
import {
  encodeReceipt,
  parseReceipt,
  RECEIPT_BYTES_MAX,
  RECEIPT_FILE_BYTES_MAX,
  RECEIPT_PAYLOAD_TYPE,
} from '../../formats/receipt.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import { verifyReceipt } from '../../formats/verify-receipt.ts';
import { accepted } from '../accepted.ts';
import {
  acceptedReceipts,
  RECEIPT_FACTORY,
  RECEIPT_VECTORS,
  receiptFile,
  receiptVectorFiles,
  refusedReceipts,
  sampleReceipt,
} from './receipt-vectors.ts';
import { SAMPLE_ID } from './sample-repository.ts';

const DEVICE_ID = deviceIdOf(parseHex(RECEIPT_FACTORY.key.public) ?? new Uint8Array());
const verify = (bytes: Uint8Array): ReturnType<typeof verifyReceipt> => {
  const keyOf = (id: string): typeof RECEIPT_FACTORY.key | undefined =>
    id === DEVICE_ID ? RECEIPT_FACTORY.key : undefined;
  return verifyReceipt(bytes, { repository: SAMPLE_ID, keyOf }, checkSignaturePortable);
};

test('the files of receipts are written by the encoders, byte for byte, and nothing else stands beside them', async () => {
  const made = await receiptVectorFiles();
  expect(readdirSync(RECEIPT_VECTORS).sort()).toEqual([...made.keys()].sort());
  for (const [name, bytes] of made) {
    expect(equalBytes(readFileSync(`${RECEIPT_VECTORS}${name}`), bytes), name).toBe(true);
  }
});

test('the receipt of a start is read as it was signed, whatever it came to', async () => {
  for (const [name, file] of await acceptedReceipts()) {
    const receipt = accepted(verify(file));
    expect(`${receipt.outcome}.receipt`).toBe(name);
    expect(receipt).toMatchObject({ deviceId: DEVICE_ID, release: '2.0.0', sequence: 7, failures: 1 });
  }
});

test('a receipt that is forged, altered, of another device, product, image or start is refused with its code', async () => {
  for (const { says, code, file } of await refusedReceipts()) {
    expect(verify(file), says).toMatchObject({ ok: false, code });
  }
});

test('no single byte of a receipt can be changed into another one that is believed', async () => {
  const file = await receiptFile();
  const before = accepted(verify(file));
  for (let i = 0; i < file.length; i += 7) {
    const altered = Uint8Array.from(file);
    altered[i] = (altered[i] ?? 0) ^ 1;
    const verdict = verify(altered);
    // What is not signed, the name of a key, says nothing: then the very same is read.
    if (verdict.ok) expect(verdict.value).toEqual(before);
  }
});

test('a payload and a file of the longest size are read, one byte more or a member more is not', async () => {
  const file = await receiptFile();
  const envelope = accepted(parseEnvelope(file, RECEIPT_PAYLOAD_TYPE));
  const text = parseUtf8(envelope.payload) ?? '';
  const padded = (length: number): Uint8Array => encodeUtf8(text + ' '.repeat(length - text.length));
  expect(parseReceipt(padded(RECEIPT_BYTES_MAX)).ok).toBe(true);
  expect(parseReceipt(padded(RECEIPT_BYTES_MAX + 1))).toMatchObject({ code: 'RECEIPT_MALFORMED' });
  expect(parseReceipt(encodeUtf8(text.replace('{', '{"uplink":true,')))).toMatchObject({ code: 'RECEIPT_MALFORMED' });
  const spaced = (length: number): Uint8Array => encodeUtf8((parseUtf8(file) ?? '') + ' '.repeat(length - file.length));
  expect(verify(spaced(RECEIPT_FILE_BYTES_MAX)).ok).toBe(true);
  expect(verify(spaced(RECEIPT_FILE_BYTES_MAX + 1))).toMatchObject({ code: 'RECEIPT_MALFORMED' });
});

test('the longest receipt that a device can make fits its file', () => {
  const [component] = sampleReceipt(new Uint8Array()).components;
  if (component === undefined) throw new Error('the sample has a component');
  const long = { ...component, component: 'c'.repeat(60), firmwareVersion: `1.0.0-${'x'.repeat(50)}` };
  const components = Array.from({ length: 8 }, (_, i) => ({ ...long, component: `${long.component}${i}` }));
  const payload = encodeReceipt({ ...sampleReceipt(new Uint8Array(5_700)), components });
  expect(payload.length).toBeLessThanOrEqual(RECEIPT_BYTES_MAX);
  expect((payload.length / 3) * 4 + 512).toBeLessThanOrEqual(RECEIPT_FILE_BYTES_MAX);
});
