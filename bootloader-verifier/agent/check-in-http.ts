/**
 * Checking in over HTTP: a device's word, posted to its server.
 *
 * - Taken is 202 and nothing else. Redirects are not followed; an answer must come within a time.
 */
import { OperationError } from '../../formats/operation-error.ts';
import type { CheckIn } from './report-outcome.ts';

/** A check-in at `address`. @param limits.answerMsMax how long the answer may take. */
export function checkInHttp(
  address: URL,
  limits: { readonly answerMsMax: number; readonly stop: AbortSignal },
): CheckIn {
  return async (word) => {
    const signal = AbortSignal.any([AbortSignal.timeout(limits.answerMsMax), limits.stop]);
    const headers = { 'content-type': 'application/json' };
    try {
      const answer = await fetch(address, { method: 'POST', body: word.slice(), headers, redirect: 'manual', signal });
      await answer.body?.cancel();
      return answer.status === 202;
    } catch (cause) {
      throw new OperationError('NETWORK_UNREACHABLE', `${address.host} takes no check-in`, { retriable: true, cause });
    }
  };
}
