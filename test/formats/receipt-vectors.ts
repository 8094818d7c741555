/**
 * The vectors of `docs/formats/receipt.md`: receipts that hold, and each refused one with its code.
 *
 * - Made with the encoders and fixed keys alone: the same bytes always.
 * - `node cli/node24.js test/formats/receipt-vectors.ts --write` writes them; a test holds the files equal, byte for byte.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BOOT_STATEMENT_PAYLOAD_TYPE, encodeBootStatement, type BootStatement } from '../../formats/boot-statement.ts';
import { encodeBase64, encodeUtf8, parseHex } from '../../formats/bytes.ts';
import { CONFIRMATION_PAYLOAD_TYPE } from '../../formats/confirmation.ts';
import { deviceIdOf } from '../../formats/device-id.ts';
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { encodeReceipt, RECEIPT_PAYLOAD_TYPE, type Receipt } from '../../formats/receipt.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { Signer } from '../../signer/signer.ts';
import { seededSigner } from '../seeded-signer.ts';
import { SAMPLE_PLAN_SHA256, SAMPLE_START } from './sample-plan.ts';
import { SAMPLE_ID } from './sample-repository.ts';

/** Where the vectors stand. */
export const RECEIPT_VECTORS: string = fileURLToPath(new URL('../vectors/receipt/', import.meta.url));

/** The sample's device by its factory key, and the key of the start that it speaks of. */
export const RECEIPT_FACTORY: Signer = seededSigner('vector device 1');
const EVIDENCE = seededSigner('vector evidence');
const STARTED: BootStatement = {
  product: SAMPLE_ID.product,
  root: SAMPLE_ID.rootOneSha256,
  deviceId: deviceIdOf(parseHex(RECEIPT_FACTORY.key.public) ?? new Uint8Array()),
  release: '2.0.0',
  components: [
    { component: 'gateway', firmwareVersion: '2.0.0', securityCounter: 2, image: sha256Hex(encodeUtf8('image 2.0.0')) },
  ],
  channel: 'stable',
  channelVersion: 2,
  slot: 'b',
  mode: 'trial',
  evidenceKey: EVIDENCE.key.public,
};

export type ReceiptChange = {
  readonly receipt?: Partial<Receipt>;
  readonly statement?: Partial<BootStatement>;
  /** Who signs instead of the evidence key, and instead of the factory key. */
  readonly by?: Signer;
  readonly factory?: Signer;
  /** What the signature is over, and what the envelope says that it is. */
  readonly signedType?: string;
  readonly type?: string;
};

/** The sample's receipt as a file. */
export async function receiptFile(change: ReceiptChange = {}): Promise<Uint8Array> {
  const { by = EVIDENCE, type = RECEIPT_PAYLOAD_TYPE, signedType = RECEIPT_PAYLOAD_TYPE } = change;
  const statement = await signed(
    BOOT_STATEMENT_PAYLOAD_TYPE,
    encodeBootStatement({ ...STARTED, ...change.statement }),
    change.factory ?? RECEIPT_FACTORY,
  );
  const payload = encodeReceipt({ ...sampleReceipt(statement), ...change.receipt });
  const sig = await by.sign(preAuthEncoding(signedType, payload));
  return encodeEnvelope({ payloadType: type, payload, signatures: [{ keyid: STARTED.deviceId, sig }] });
}

/** What the sample says, with a boot statement. */
export function sampleReceipt(statement: Uint8Array): Receipt {
  const { product, root, deviceId, channel, channelVersion, release, components } = STARTED;
  return {
    ...{ product, root, deviceId, channel, channelVersion, release, components, statement },
    ...{ plan: SAMPLE_PLAN_SHA256, outcome: 'confirmed', code: undefined, capsule: undefined },
    ...{ sequence: 7, failures: 1, at: SAMPLE_START },
  };
}

async function signed(payloadType: string, payload: Uint8Array, signer: Signer): Promise<Uint8Array> {
  const sig = await signer.sign(preAuthEncoding(payloadType, payload));
  return encodeEnvelope({ payloadType, payload, signatures: [{ keyid: '', sig }] });
}

const FAILED = { outcome: 'failed', code: 'SELF_TEST_FAILED' } as const;
const REFUSED = { outcome: 'refused', code: 'OFFLINE_NOT_ALLOWED', capsule: 'cd'.repeat(32), plan: undefined } as const;
const OTHER_IMAGE = STARTED.components.map((component) => ({ ...component, image: 'ee'.repeat(32) }));

/** Receipts that hold, by file name. */
export async function acceptedReceipts(): Promise<ReadonlyMap<string, Uint8Array>> {
  return new Map([
    ['confirmed.receipt', await receiptFile()],
    ['failed.receipt', await receiptFile({ receipt: FAILED })],
    ['refused.receipt', await receiptFile({ receipt: REFUSED })],
  ]);
}

type RefusedVector = { readonly says: string; readonly code: string; readonly file: Uint8Array };

/** What must be refused, each with its code. */
export async function refusedReceipts(): Promise<readonly RefusedVector[]> {
  const stranger = seededSigner('stranger');
  const invalid = 'RECEIPT_SIGNATURE_INVALID';
  const refused = async (says: string, code: string, change: ReceiptChange): Promise<RefusedVector> => ({
    says,
    code,
    file: await receiptFile(change),
  });
  return Promise.all([
    refused('signed by a stranger', invalid, { by: stranger }),
    refused('signed by the factory key in place of the start', invalid, { by: RECEIPT_FACTORY }),
    refused('a boot statement by a stranger', invalid, { factory: stranger }),
    refused('of a device that is not listed', invalid, { receipt: { deviceId: '00'.repeat(32) } }),
    refused('another image than was started', invalid, { receipt: { components: OTHER_IMAGE } }),
    refused('another release than was started', invalid, { receipt: { release: '3.0.0' } }),
    refused('another channel version than was started', invalid, { receipt: { channelVersion: 3 } }),
    refused('a signature over another type', invalid, { signedType: CONFIRMATION_PAYLOAD_TYPE }),
    refused('an envelope of another type', 'ENVELOPE_MALFORMED', { type: CONFIRMATION_PAYLOAD_TYPE }),
    refused('of another product', 'REPOSITORY_MISMATCH', { receipt: { product: 'other' } }),
    refused('of another root 1', 'REPOSITORY_MISMATCH', { receipt: { root: '11'.repeat(32) } }),
    refused('confirmed, with a code', 'RECEIPT_MALFORMED', { receipt: { code: 'SELF_TEST_FAILED' } }),
    refused('failed, without a failure', 'RECEIPT_MALFORMED', { receipt: { ...FAILED, failures: 0 } }),
    refused('refused, without the file', 'RECEIPT_MALFORMED', { receipt: { ...REFUSED, capsule: undefined } }),
    refused('confirmed, with a refused file', 'RECEIPT_MALFORMED', { receipt: { capsule: 'cd'.repeat(32) } }),
    refused('sequence 0', 'RECEIPT_MALFORMED', { receipt: { sequence: 0 } }),
  ]);
}

/** Every vector file by its name. */
export async function receiptVectorFiles(): Promise<ReadonlyMap<string, Uint8Array>> {
  const refused = (await refusedReceipts()).map(({ says, code, file }) => ({ says, code, file: encodeBase64(file) }));
  return new Map([
    ...(await acceptedReceipts()),
    ['device-key.json', encodeUtf8(`${JSON.stringify(RECEIPT_FACTORY.key)}\n`)],
    ['refused.json', encodeUtf8(`[\n${refused.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`)],
  ]);
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(RECEIPT_VECTORS, { recursive: true });
  for (const [name, content] of await receiptVectorFiles()) writeFileSync(`${RECEIPT_VECTORS}${name}`, content);
}
