/** What a test builds on must be accepted: the value of a verdict, or a failure that shows the code. */
import type { Verdict } from '../formats/verdict.ts';

/** The value of `verdict`; a refusal fails the test with its code and detail. */
export function accepted<T>(verdict: Verdict<T>): T {
  if (!verdict.ok) throw new Error(`${verdict.code}: ${verdict.detail}`);
  return verdict.value;
}
