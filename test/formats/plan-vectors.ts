/**
 * The vectors of `docs/formats/plan.md` and `docs/formats/confirmation.md`.
 *
 * - `node cli/node24.js test/formats/plan-vectors.ts --write` writes them; a test holds the files equal, byte for byte.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeUtf8, parseUtf8 } from '../../formats/bytes.ts';
import { encodeCanonicalJson } from '../../formats/canonical-json.ts';
import { cohortOf } from '../../formats/cohort.ts';
import { CONFIRMATION_PAYLOAD_TYPE, encodeConfirmation } from '../../formats/confirmation.ts';
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { haltDigest, haltPartToJson } from '../../formats/halt.ts';
import type { JsonObject } from '../../formats/json.ts';
import { planToJson } from '../../formats/plan.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { waveStepToJson } from '../../formats/wave-step.ts';
import { seededSigner } from '../seeded-signer.ts';
import {
  SAMPLE_CONFIRMATION,
  SAMPLE_HALT,
  SAMPLE_PLACE,
  SAMPLE_PLAN,
  SAMPLE_PLAN_SHA256,
  SAMPLE_STEP,
} from './sample-plan.ts';
import { bound } from './sample-repository.ts';

/** Where the vectors stand. */
export const PLAN_VECTORS: string = fileURLToPath(new URL('../vectors/plan/', import.meta.url));

/** The key of the sample's device. */
export const SAMPLE_DEVICE_SIGNER: ReturnType<typeof seededSigner> = seededSigner('vector device 1');

/** The sample's confirmation as it travels. */
export async function sampleEnvelope(): Promise<Uint8Array> {
  const payload = encodeConfirmation(SAMPLE_CONFIRMATION);
  const sig = await SAMPLE_DEVICE_SIGNER.sign(preAuthEncoding(CONFIRMATION_PAYLOAD_TYPE, payload));
  const signatures = [{ keyid: SAMPLE_CONFIRMATION.deviceId, sig }];
  return encodeEnvelope({ payloadType: CONFIRMATION_PAYLOAD_TYPE, payload, signatures });
}

/** Every vector file by its name. */
export async function planVectorFiles(): Promise<ReadonlyMap<string, string>> {
  const cohorts = Array.from({ length: 16 }, (_, i) => {
    const deviceId = sha256Hex(encodeUtf8(`device ${i + 1}`));
    const of = { planSha256: SAMPLE_PLAN_SHA256, anchor: SAMPLE_STEP.anchor, deviceId };
    return { ...of, cohort: cohortOf(of) };
  });
  const step = bound('stable-rollout', waveStepToJson(SAMPLE_STEP));
  const halt = bound('stable-halt', haltPartToJson({ halts: [SAMPLE_HALT], former: undefined }));
  const envelope = parseUtf8(await sampleEnvelope()) ?? '';
  return new Map([
    ['cohorts.json', lines(cohorts)],
    ['plan.json', `${canonical(planToJson(SAMPLE_PLAN))}\n`],
    ['digests.json', lines([{ plan: SAMPLE_PLAN_SHA256, halt: haltDigest(SAMPLE_HALT, SAMPLE_PLACE) }])],
    ['step.json', `${canonical(step)}\n`],
    ['halt.json', `${canonical(halt)}\n`],
    ['confirmation.json', envelope],
    ['confirmation-key.json', `${JSON.stringify(SAMPLE_DEVICE_SIGNER.key)}\n`],
  ]);
}

function canonical(json: JsonObject): string {
  return parseUtf8(encodeCanonicalJson(json)) ?? '';
}

/** A JSON list with one item a line, so that a change shows in one line. */
function lines(items: readonly unknown[]): string {
  return `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]\n`;
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(PLAN_VECTORS, { recursive: true });
  for (const [name, content] of await planVectorFiles()) writeFileSync(`${PLAN_VECTORS}${name}`, content);
}
