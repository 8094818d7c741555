/**
 * What the signer daemon answers: one JSON object with `ok`, and a code where it refuses.
 *
 * - Members beside those are the verb's own, and kept as they are.
 */
import { anyObject, decodeJson, flag, object, optional, text, type DecodeCode } from './decode.ts';
import type { JsonObject } from './json.ts';
import { accept, type Verdict } from './verdict.ts';

export type SignerAnswer = {
  readonly ok: boolean;
  /** Undefined where it is done. */
  readonly code: string | undefined;
  readonly detail: string | undefined;
  readonly facts: JsonObject;
};

export const ANSWER_BYTES_MAX = 1_048_576;
const answerDecoder = object('ignored', {
  ok: flag,
  code: optional(text(64, /[A-Z][A-Z0-9_]*/)),
  detail: optional(text(4_096)),
});

/** Parses an answer. */
export function parseSignerAnswer(bytes: Uint8Array): Verdict<SignerAnswer, DecodeCode> {
  const facts = decodeJson(bytes, ANSWER_BYTES_MAX, anyObject);
  if (!facts.ok) return facts;
  const answer = answerDecoder(facts.value);
  return answer.ok ? accept({ ...answer.value, facts: facts.value }) : answer;
}
