/**
 * The front of EST: takes requests of devices and hands their bytes to the signer's socket, and the answer back.
 *
 * - It holds no key and decides nothing: what it lets through is judged by the signer, whatever stands in front of it (rule R23).
 * - Only the five paths pass, with their methods, a bounded body and the one field that carries the proof.
 * - It speaks HTTP; TLS with its server certificate is ended before it.
 */
import { request as ask, type ClientRequest, type IncomingMessage, type RequestListener } from 'node:http';
import { concatBytes } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import { sendProblem, type Exchange } from './http-answer.ts';
import { faultProblem, refusalProblem } from './problem.ts';

const PATH = /^\/\.well-known\/est\/[a-z0-9][a-z0-9-]{0,62}\/(cacerts|nonce|simpleenroll|simplereenroll|use)$/;
const READS: readonly string[] = ['cacerts', 'nonce'];
const BODY_BYTES_MAX = 8_192;
const ANSWER_BYTES_MAX = 16_384;
const ANSWER_MS_MAX = 10_000;

/** The listener that hands requests to the signer at the unix socket `socketPath`. */
export function createEstFront(socketPath: string): RequestListener {
  return (request, response) => {
    const exchange = { request, response };
    const [, name] = PATH.exec(request.url ?? '') ?? [];
    if (name === undefined) return sendProblem(exchange, refusalProblem('NOT_FOUND'));
    const method = READS.includes(name) ? 'GET' : 'POST';
    if (request.method !== method) return sendProblem(exchange, refusalProblem('METHOD_NOT_ALLOWED'));
    const { headers } = request;
    const { 'content-length': length = '0', 'transfer-encoding': coding } = headers;
    if (coding !== undefined || Number(length) > BODY_BYTES_MAX) {
      return sendProblem(exchange, refusalProblem('BODY_REFUSED'));
    }
    forward(exchange, openRequest(socketPath, request));
  };
}

/** A request to the signer that says what the device said, and no more. */
function openRequest(socketPath: string, { method, url, headers }: IncomingMessage): ClientRequest {
  const { 'content-length': length, 'firmament-proof': proof } = headers;
  return ask({
    socketPath,
    method,
    path: url,
    timeout: ANSWER_MS_MAX,
    headers: {
      host: 'signer',
      ...(length !== undefined && { 'content-length': length }),
      ...(typeof proof === 'string' && { 'firmament-proof': proof }),
    },
  });
}

function forward(exchange: Exchange, asked: ClientRequest): void {
  const { request, response } = exchange;
  const fail = (cause: Error): void => {
    const fault = new OperationError('NETWORK_UNREACHABLE', 'the signer does not answer', { retriable: true, cause });
    sendProblem(exchange, faultProblem(fault));
  };
  asked.once('timeout', () => asked.destroy(new Error('no answer in time')));
  asked.once('error', fail);
  asked.once('response', (answer) => {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    answer.on('data', (chunk: Uint8Array) => {
      sizeBytes += chunk.length;
      if (sizeBytes > ANSWER_BYTES_MAX) asked.destroy(new Error('an answer without end'));
      else chunks.push(chunk);
    });
    answer.once('error', fail);
    answer.once('end', () => {
      const { 'content-type': type } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, {
        'cache-control': 'no-store',
        'content-length': sizeBytes,
        ...(type !== undefined && { 'content-type': type }),
      });
      response.end(concatBytes(...chunks));
    });
  });
  response.once('close', () => asked.destroy());
  request.pipe(asked);
}
