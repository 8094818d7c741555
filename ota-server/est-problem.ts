/**
 * What the front of EST refuses, as problem details (RFC 9457): the codes of the signer and their HTTP statuses.
 *
 * - 400 for what is not of its form, 403 for what was judged and refused, 503 where the signer itself cannot judge now: a device that is
 *   told so comes again. A code that nobody knows is a fault of ours.
 */
import type { Code } from '../formats/codes.ts';
import { faultProblem, problem, type Problem } from './problem.ts';

/** What the front itself refuses. */
export type EstRefusal =
  'NOT_FOUND' | 'METHOD_NOT_ALLOWED' | 'BODY_REFUSED' | 'RATE_LIMITED' | 'ENROLMENT_MALFORMED' | 'CSR_REFUSED';

const JUDGED = 403;
const STATUS_OF: ReadonlyMap<Code, number> = new Map<Code, number>([
  ['ENROLMENT_MALFORMED', 400],
  ['EVIDENCE_MALFORMED', 400],
  ['ENVELOPE_MALFORMED', 400],
  ['CSR_REFUSED', 400],
  ['NOT_FOUND', 404],
  ['METHOD_NOT_ALLOWED', 405],
  ['BODY_REFUSED', 413],
  ['RATE_LIMITED', 429],
  ['CA_NOT_LISTED', 503],
  ['SIGNER_STATE_MISSING', 503],
  ['SIGNER_STATE_STALE', 503],
  ['REPOSITORY_CONFLICT', 503],
  ['FACTORY_NOT_TRUSTED', 503],
  ['FACTORY_COUNT_EXCEEDED', 503],
  ['MANIFEST_MALFORMED', 503],
]);
const RETRY_AFTER_SECONDS = 30;

/** The answer to a request that is refused, by the front or by the signer. */
export function estProblem({ code, detail }: { readonly code: Code | undefined; readonly detail: string }): Problem {
  if (code === undefined) return faultProblem(new Error('the signer refuses with a code that is none'));
  const status = STATUS_OF.get(code) ?? JUDGED;
  const isLater = status === 429 || status === 503;
  return problem(status, { code, detail }, isLater ? ['Retry-After', String(RETRY_AFTER_SECONDS)] : []);
}
