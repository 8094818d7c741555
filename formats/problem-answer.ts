/**
 * A problem (RFC 9457) as a client of ours reads it: its code and its sentence.
 *
 * - Whatever a server says in it is shown on one line: nothing that controls a terminal, or a log that is read by machines.
 * - Unknown members are ignored, as the RFC demands; a problem without a code is none of ours.
 */
import { decodeJson, object, text, type Decoder } from './decode.ts';

export type ProblemAnswer = { readonly code: string; readonly detail: string };

const PROBLEM_BYTES_MAX = 16_384;
const problemDecoder: Decoder<ProblemAnswer> = object('ignored', {
  code: text(64, /[A-Z][A-Z0-9_]*/),
  detail: text(4_096, /[^\p{Cc}\u2028\u2029]+/u),
});

/** Reads a problem of ours, or undefined for anything else. Never throws. */
export function parseProblemAnswer(bytes: Uint8Array): ProblemAnswer | undefined {
  const problem = decodeJson(bytes, PROBLEM_BYTES_MAX, problemDecoder);
  return problem.ok ? problem.value : undefined;
}
