/**
 * How an answer is written: the head from pure decisions, then the bytes that are due.
 *
 * - HEAD gets the same fields as GET, and no bytes.
 * - A fault after the head was sent ends the connection: the client sees fewer bytes than promised, never wrong ones as complete.
 * - A connection whose request brought a body is closed after its refusal, so the body is never read to its end.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ByteRange } from './byte-range.ts';
import { judgeConditions } from './conditional-request.ts';
import { refusalProblem, type Problem } from './problem.ts';
import type { Representation } from './representation.ts';

/** One request and its answer to be. */
export type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

/** Answers with a problem, or breaks off if an answer has begun. */
export function sendProblem({ request, response }: Exchange, problem: Problem): void {
  if (response.headersSent) {
    request.socket.destroy();
    return;
  }
  const closing = bringsBody(request) ? ['Connection', 'close'] : [];
  response.writeHead(problem.status, [...problem.fields, ...closing]);
  response.end(request.method === 'HEAD' ? undefined : problem.body);
}

/** Whether the request announces a body (RFC 9112, section 6). */
export function bringsBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined;
}

/**
 * Decides by the conditions of the request and writes the head.
 * @returns the bytes that must follow, after which the caller ends the response; undefined if the answer is complete.
 */
export function beginAnswer(exchange: Exchange, object: Representation): ByteRange | undefined {
  const { request, response } = exchange;
  const outcome = judgeConditions(request.method, request.headers, object);
  switch (outcome.kind) {
    case 'not-modified':
      response.writeHead(304, [...object.fields]);
      response.end();
      return undefined;
    case 'precondition-failed':
      sendProblem(exchange, refusalProblem('CONDITION_FAILED'));
      return undefined;
    case 'range-unsatisfiable': {
      const field = ['Content-Range', `bytes */${object.sizeBytes}`];
      sendProblem(exchange, refusalProblem('RANGE_NOT_SATISFIABLE', `the object has ${object.sizeBytes} bytes`, field));
      return undefined;
    }
    case 'part':
      response.writeHead(206, [...object.contentFields, ...partFields(outcome.range, object.sizeBytes)]);
      return outcome.range;
    case 'whole':
      response.writeHead(200, [...object.wholeFields]);
      if (request.method !== 'HEAD') return { start: 0, endExclusive: object.sizeBytes };
      response.end();
      return undefined;
  }
}

function partFields({ start, endExclusive }: ByteRange, sizeBytes: number): readonly string[] {
  return [
    ...['Content-Range', `bytes ${start}-${endExclusive - 1}/${sizeBytes}`],
    ...['Content-Length', String(endExclusive - start)],
  ];
}
