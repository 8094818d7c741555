/**
 * How a rollout stands, as the signer tells it: for people and consoles. It proves nothing; what is signed does.
 */
import { integer, list, object, oneOf, optional, text, type DecodeCode, type Decoder } from './decode.ts';
import type { JsonObject } from './json.ts';
import { nameDecoder, segmentDecoder } from './names.ts';
import { WAVES_MAX } from './plan.ts';
import { accept, type Verdict } from './verdict.ts';

/** Why nothing is due. */
export const WAITING = [
  'halted',
  'not-begun',
  'too-few-expected',
  'soaking',
  'gate-unmet',
  'gate-lost',
  'book-lost',
  'completed',
] as const;
/** What was done. */
export const DONE = ['opened', 'renewed', 'completed', 'nothing'] as const;

export type RolloutStatus = {
  readonly channel: string;
  readonly release: string;
  readonly plan: string;
  /** Of the plan, and open. */
  readonly waves: number;
  readonly open: number;
  readonly did: (typeof DONE)[number];
  /** Why nothing was done. */
  readonly because: (typeof WAITING)[number] | undefined;
  /** In the wire form of an instant. */
  readonly leaseEnds: string | undefined;
  /** By open wave. */
  readonly votes: readonly { readonly expected: number; readonly confirmed: number; readonly failed: number }[];
};

const votesDecoder = object('refused', { expected: integer(0), confirmed: integer(0), failed: integer(0) });
const statusDecoder: Decoder<RolloutStatus> = object('refused', {
  channel: nameDecoder,
  release: segmentDecoder,
  plan: text(64, /[0-9a-f]{64}/),
  waves: integer(1, WAVES_MAX),
  open: integer(0, WAVES_MAX),
  did: oneOf(...DONE),
  because: optional(oneOf(...WAITING)),
  leaseEnds: optional(text(20)),
  votes: list(votesDecoder, WAVES_MAX),
});
const ROLLOUTS_MAX = 4096;
const answerDecoder = object('ignored', { rollouts: list(statusDecoder, ROLLOUTS_MAX) });

/** Parses what the verbs `waves` and `step` answer. */
export function parseRolloutStatuses(facts: JsonObject): Verdict<readonly RolloutStatus[], DecodeCode> {
  const answer = answerDecoder(facts);
  return answer.ok ? accept(answer.value.rollouts) : answer;
}
