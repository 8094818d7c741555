/**
 * What the control plane refuses, as problem details (RFC 9457): its codes and their HTTP statuses.
 *
 * - A refusal names its code and a sentence of ours; never a token, an address with its permission, or anything of the request.
 * - 401 says which scheme is expected (RFC 6750, section 3), 429 when to come again.
 */
import type { Rejected } from '../formats/verdict.ts';
import { problem, type Problem } from './problem.ts';
import type { ArrivalCode } from './upload-desk-folder.ts';
import type { TokenCode } from './verify-token.ts';

export type ControlRefusal =
  | TokenCode
  | ArrivalCode
  | 'TOKEN_MISSING'
  | 'TOKEN_REPLAYED'
  | 'PROPOSER_REFUSED'
  | 'PROPOSAL_MALFORMED'
  | 'PROPOSAL_CONFLICT'
  | 'PROPOSAL_INCOMPLETE'
  | 'RATE_LIMITED'
  | 'JSON_TOO_LARGE'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED';

const STATUS_OF: Readonly<Record<ControlRefusal, number>> = {
  PROPOSAL_MALFORMED: 400,
  TOKEN_MISSING: 401,
  TOKEN_MALFORMED: 401,
  TOKEN_ISSUER_UNKNOWN: 401,
  TOKEN_ALGORITHM_REFUSED: 401,
  TOKEN_KEY_UNKNOWN: 401,
  TOKEN_SIGNATURE_INVALID: 401,
  TOKEN_AUDIENCE_MISMATCH: 401,
  TOKEN_EXPIRED: 401,
  TOKEN_NOT_YET_VALID: 401,
  TOKEN_REPLAYED: 401,
  PROPOSER_REFUSED: 403,
  UPLOAD_REFUSED: 403,
  UPLOAD_EXPIRED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  PROPOSAL_CONFLICT: 409,
  PROPOSAL_INCOMPLETE: 409,
  CONDITION_FAILED: 412,
  JSON_TOO_LARGE: 413,
  UPLOAD_MISMATCH: 422,
  RATE_LIMITED: 429,
  ISSUER_MALFORMED: 502,
};
const RETRY_AFTER_SECONDS = 60;

/** The answer to a request that the control plane refuses. */
export function controlProblem({ code, detail }: Rejected<ControlRefusal>): Problem {
  const status = STATUS_OF[code];
  return problem(status, { code, detail }, fieldsOf(status));
}

function fieldsOf(status: number): readonly string[] {
  if (status === 401) return ['WWW-Authenticate', 'Bearer'];
  return status === 429 ? ['Retry-After', String(RETRY_AFTER_SECONDS)] : [];
}
