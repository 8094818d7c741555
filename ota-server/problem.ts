/**
 * Refusals and faults as problem details (RFC 9457): the one place where codes become HTTP statuses.
 *
 * - `type` is about:blank, so `title` is the phrase of the status; `code` is the stable code of `formats/codes.ts`.
 * - A problem never carries a path, a stack, a fault's own text or anything of the request: those go to the log.
 * - No answer of this kind is stored by caches: what is missing now may be published in a minute (the next root, for one).
 */
import { STATUS_CODES } from 'node:http';
import { CODES, type Code } from '../formats/codes.ts';
import { encodeUtf8 } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import { NOSNIFF } from './representation.ts';

/** What can be wrong with a request. */
export type Refusal =
  | 'REQUEST_MALFORMED'
  | 'NAME_REFUSED'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'REQUEST_TIMEOUT'
  | 'CONDITION_FAILED'
  | 'BODY_REFUSED'
  | 'URL_TOO_LONG'
  | 'RANGE_NOT_SATISFIABLE'
  | 'HEADERS_TOO_LARGE';

const STATUS_OF_REFUSAL: Readonly<Record<Refusal, number>> = {
  REQUEST_MALFORMED: 400,
  NAME_REFUSED: 400,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  CONDITION_FAILED: 412,
  BODY_REFUSED: 413,
  URL_TOO_LONG: 414,
  RANGE_NOT_SATISFIABLE: 416,
  HEADERS_TOO_LARGE: 431,
};

export type Problem = {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: Uint8Array;
};

/** How long a client is asked to wait where waiting may help. */
const RETRY_AFTER_SECONDS = 30;

/**
 * The answer to a request that is refused.
 * @param detail a sentence of ours; by default the meaning of the code.
 * @param fields what this refusal must say besides, names and values in turn (Allow, Content-Range).
 */
export function refusalProblem(code: Refusal, detail?: string, fields: readonly string[] = []): Problem {
  return problem(STATUS_OF_REFUSAL[code], { code, detail: detail ?? CODES[code].means }, fields);
}

/** The answer where the server has as much waiting as it takes. */
export function busyProblem(): Problem {
  return unavailable('SERVER_BUSY', true);
}

/** The answer to a request that we failed: 503 for the world's faults, 500 for our own. */
export function faultProblem(fault: unknown): Problem {
  return fault instanceof OperationError
    ? unavailable(fault.code, fault.retriable)
    : problem(500, { code: 'BUG', detail: CODES.BUG.means }, []);
}

function unavailable(code: Code, retriable: boolean): Problem {
  return problem(
    503,
    { code, detail: CODES[code].means },
    retriable ? ['Retry-After', String(RETRY_AFTER_SECONDS)] : [],
  );
}

/** A problem of any status, for servers with refusals of their own. @param say the code, and a sentence of ours. */
export function problem(
  status: number,
  say: { readonly code: Code; readonly detail: string },
  fields: readonly string[],
): Problem {
  const title = STATUS_CODES[status] ?? 'Error';
  const body = encodeUtf8(`${JSON.stringify({ type: 'about:blank', title, status, ...say })}\n`);
  const content = ['Content-Type', 'application/problem+json', 'Content-Length', String(body.length)];
  return { status, fields: [...content, 'Cache-Control', 'no-store', ...NOSNIFF, ...fields], body };
}
