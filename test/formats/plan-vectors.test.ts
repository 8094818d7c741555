/** The vectors of plans, wave steps, halts and confirmations: what is accepted there, and what is refused, by the code that it says. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { parseChannelPart } from '../../formats/channel-part.ts';
import { parseConfirmation } from '../../formats/confirmation.ts';
import { parseHaltPart } from '../../formats/halt.ts';
import { isJsonObject, parseJson, type JsonObject } from '../../formats/json.ts';
import { planDigest } from '../../formats/plan.ts';
import { checkSignaturePortable, type PublicKey } from '../../formats/signature-check.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { verifyConfirmation } from '../../formats/verify-confirmation.ts';
import { parseWaveStep } from '../../formats/wave-step.ts';
import { accepted } from '../accepted.ts';
import { planVectorFiles, PLAN_VECTORS } from './plan-vectors.ts';
import type { RefusedPart } from './refused-parts.ts';
import { SAMPLE_CONFIRMATION, SAMPLE_HALT, SAMPLE_PLACE, SAMPLE_PLAN, SAMPLE_STEP } from './sample-plan.ts';
import { bound, SAMPLE_ID } from './sample-repository.ts';

const read = (name: string): string => readFileSync(`${PLAN_VECTORS}${name}`, 'utf8');

function objectIn(text: string): JsonObject {
  const json = accepted(parseJson(encodeUtf8(text), { bytesMax: text.length }));
  return isJsonObject(json) ? json : expect.unreachable();
}

/** How each part is read. */
const PARSERS: Readonly<Record<string, (text: string) => Verdict<unknown>>> = {
  plan: (text) => {
    const members = [
      ['release', '2.0.0'],
      ['minSecurityCounter', 0],
      ['revokedDigests', []],
      ['plan', objectIn(text)],
    ] as const;
    return parseChannelPart(bound('stable', members));
  },
  'wave step': (text) => parseWaveStep(objectIn(text)),
  halt: (text) => parseHaltPart(objectIn(text)),
  confirmation: (text) => parseConfirmation(encodeUtf8(text)),
};

test('the files are written by the encoders, byte for byte, and nothing else stands beside them', async () => {
  const made = await planVectorFiles();
  expect(readdirSync(PLAN_VECTORS).sort()).toEqual([...made.keys()].sort());
  for (const [name, content] of made) expect(read(name), name).toBe(content);
});

test('what is accepted says what it was made of', () => {
  expect(accepted(PARSERS['plan']?.(read('plan.json')) ?? expect.unreachable())).toMatchObject({ plan: SAMPLE_PLAN });
  expect(JSON.parse(read('digests.json'))).toMatchObject([{ plan: planDigest(SAMPLE_PLAN, SAMPLE_PLACE) }]);
  expect(accepted(parseWaveStep(objectIn(read('step.json'))))).toEqual(SAMPLE_STEP);
  expect(accepted(parseHaltPart(objectIn(read('halt.json'))))).toEqual({ halts: [SAMPLE_HALT], former: undefined });
  const trust = { repository: SAMPLE_ID, keyOf: () => JSON.parse(read('confirmation-key.json')) as PublicKey };
  const said = verifyConfirmation(encodeUtf8(read('confirmation.json')), trust, checkSignaturePortable);
  expect(accepted(said)).toEqual(SAMPLE_CONFIRMATION);
});

test('each fault is refused by the code that it says, and each kind of part has some', () => {
  const refused = JSON.parse(read('refused.json')) as readonly RefusedPart[];
  for (const { of, says, code, text } of refused) {
    expect(PARSERS[of]?.(text), `${of}: ${says}`).toMatchObject({ ok: false, code });
  }
  expect(new Set(refused.map(({ of }) => of))).toEqual(new Set(Object.keys(PARSERS)));
});
