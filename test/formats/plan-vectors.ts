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
import { refusedParts, times, type PartFormat, type RefusedPart } from './refused-parts.ts';
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

const GATE = { confirmedBp: 9500, deadlineSeconds: 172_800, expectedMin: 2 };
const wave = (cohortBp: number, change: object = {}): object => ({ cohortBp, gate: GATE, soakSeconds: 0, ...change });
const HALTED = { at: '2026-01-05T10:00:00Z', plan: SAMPLE_PLAN_SHA256, reason: 'a reason' };
const OPEN = { expected: { count: 2, merkleRoot: 'ab'.repeat(32) }, openedAt: '2026-01-05T09:00:00Z' };
const BINDING = ['version', 'product', 'role', 'root'];

/** A plan, as `plan` of a channel has it. */
function planFormat(): PartFormat {
  return {
    ...{ of: 'plan', code: 'RELEASE_MALFORMED', text: canonical(planToJson(SAMPLE_PLAN)), optional: ['base'] },
    rules: [
      ['no wave', { waves: [] }],
      ['17 waves', { waves: Array.from({ length: 17 }, (_, i) => wave(i === 16 ? 10_000 : i + 1)) }],
      ['cohorts that fall', { waves: [wave(5000), wave(1000), wave(10_000)] }],
      ['a cohort that stands still', { waves: [wave(5000), wave(5000), wave(10_000)] }],
      ['the last wave leaves devices out', { waves: [wave(9999)] }],
      ['a cohort beyond all', { waves: [wave(10_001)] }],
      ['a soak that runs backwards', { waves: [wave(10_000, { soakSeconds: -1 })] }],
      ['a gate that demands more than all', { waves: [wave(10_000, { gate: { ...GATE, confirmedBp: 10_001 } })] }],
      ['a gate without a time', { waves: [wave(10_000, { gate: { ...GATE, deadlineSeconds: 0 } })] }],
      ['a gate with a member more', { waves: [wave(10_000, { gate: { ...GATE, quorum: 1 } })] }],
      ['a lease that outlives the time of a halt', { leaseSeconds: 14_401 }],
      ['no lease', { leaseSeconds: 0 }],
      ['a base that is the release itself', { base: '2.0.0' }],
      ['offline is not allowed, and yet limited', { offlineUntil: '2026-02-01T00:00:00Z' }],
      ['a day that there is not', { notBefore: '2026-02-30T08:00:00Z' }],
      ['a channel below the first version', { since: 0 }],
      ['voters of no class', { voters: 'all' }],
      ['65 halts are lifted', { resumes: times(65, 'ab'.repeat(32)) }],
    ],
  };
}

/** A wave step, as the rollout role has it. */
function stepFormat(): PartFormat {
  return {
    ...{
      of: 'wave step',
      code: 'WAVE_STEP_MALFORMED',
      text: canonical(bound('stable-rollout', waveStepToJson(SAMPLE_STEP))),
    },
    ...{ optional: [], foreign: BINDING },
    rules: [
      ['a version that is not known', { version: 2 }],
      ['no wave is open', { open: [] }],
      ['17 waves are open', { open: times(17, OPEN) }],
      ['a plan in capitals', { plan: SAMPLE_PLAN_SHA256.toUpperCase() }],
      ['fewer devices than none', { open: [{ ...OPEN, expected: { ...OPEN.expected, count: -1 } }] }],
      ['a moment with a fraction', { joinsLast: '2026-01-05T09:00:00.5Z' }],
    ],
  };
}

/** A halt, as the halt role has it. */
function haltFormat(): PartFormat {
  return {
    ...{ of: 'halt', code: 'HALT_MALFORMED', optional: [], foreign: BINDING },
    text: canonical(bound('stable-halt', haltPartToJson({ halts: [SAMPLE_HALT], former: undefined }))),
    rules: [
      ['a version that is not known', { version: 2 }],
      ['nothing is halted', { halts: [] }],
      ['65 halts', { halts: times(65, HALTED) }],
      ['no reason', { halts: [{ ...HALTED, reason: '' }] }],
      ['a reason of 201 letters', { halts: [{ ...HALTED, reason: 'x'.repeat(201) }] }],
      ['a reason of two lines', { halts: [{ ...HALTED, reason: 'one\ntwo' }] }],
    ],
  };
}

/** What the envelope of a confirmation holds. */
function confirmationFormat(): PartFormat {
  return {
    ...{ of: 'confirmation', code: 'CONFIRMATION_MALFORMED', optional: ['plan', 'evidence', 'statement', 'at'] },
    text: parseUtf8(encodeConfirmation(SAMPLE_CONFIRMATION)) ?? '',
    rules: [
      ['a version that is not known', { version: 2 }],
      ['an outcome that there is not', { outcome: 'maybe' }],
      ['it failed, and does not say why', { outcome: 'failed', failures: 1 }],
      ['it was confirmed, and says why it failed', { outcome: 'confirmed', code: 'SELF_TEST_FAILED' }],
      ['it failed, and never did', { outcome: 'failed', code: 'SELF_TEST_FAILED', failures: 0 }],
      ['the word before the first', { sequence: 0 }],
      ['a counter below none', { securityCounters: { gateway: -1 } }],
      ['a statement that is no base64', { statement: '???' }],
    ],
  };
}

/** Plans, steps, halts and confirmations with one fault each. */
function planRefusals(): readonly RefusedPart[] {
  return [planFormat(), stepFormat(), haltFormat(), confirmationFormat()].flatMap(refusedParts);
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
    ['refused.json', lines(planRefusals())],
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
