/**
 * What the next root says of the log: the former policy with keys and witnesses added, keys frozen or distrusted.
 *
 * - Nothing is dropped: a key that is no longer to count is frozen or distrusted, and stays listed (R3, R21).
 * - The size at which a key is frozen is a size that the log has reached: what the key signs beyond counts for nothing.
 */
import { keepsDemands, type LogKey, type LogPolicy, type Witness } from '../formats/root-part.ts';
import type { PublicKey } from '../formats/signature-check.ts';
import { keyFingerprint } from '../formats/tuf-key.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';

export type LogChange = {
  /** For the first root with a log; later it stays. */
  readonly origin: string | undefined;
  /** Keys that are active from now on, where they are not listed yet. */
  readonly keys: readonly PublicKey[];
  /** Listed keys that count less from now on. */
  readonly lessened: readonly LogKey[];
  readonly witnesses: readonly Witness[];
  readonly quorum: number | undefined;
};

/** The policy after `change`; undefined where there is none and none is asked for. */
export function changeLogPolicy(
  former: LogPolicy | undefined,
  change: LogChange,
): Verdict<LogPolicy | undefined, 'DRAFT_REFUSED'> {
  const { keys, lessened, witnesses } = change;
  const origin = change.origin ?? former?.origin;
  if (origin === undefined) {
    return keys.length + lessened.length + witnesses.length === 0
      ? accept(undefined)
      : reject('DRAFT_REFUSED', 'a log has an origin: name it');
  }
  const all: LogKey[] = [...(former?.keys ?? [])];
  for (const key of keys) all.push({ key, state: 'active' });
  const states = new Map(lessened.map(({ key, state }) => [keyFingerprint(key), state]));
  const stray = lessened.find(({ key }) => all.every((listed) => keyFingerprint(listed.key) !== keyFingerprint(key)));
  if (stray !== undefined)
    return reject('DRAFT_REFUSED', 'a key that root does not list cannot be frozen or distrusted');
  const policy: LogPolicy = {
    origin,
    keys: all.map(({ key, state }) => ({ key, state: states.get(keyFingerprint(key)) ?? state })),
    witnesses: [...(former?.witnesses ?? []), ...witnesses],
    quorum: change.quorum ?? former?.quorum ?? 0,
  };
  const kept = keepsDemands({ log: former, pairs: [] }, { log: policy, pairs: [] });
  return kept.ok ? accept(policy) : reject('DRAFT_REFUSED', `${kept.code}: ${kept.detail}`);
}
