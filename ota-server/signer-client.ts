/**
 * The signer daemon as its callers see it: bytes to a verb, over its unix socket.
 *
 * - A caller holds no key and hands on what others signed; the daemon checks it again.
 * - An answer that does not come in time, is none, or tells of a fault of the world there, is a fault of the world here; a refusal
 *   is an answer.
 */
import { request } from 'node:http';
import { concatBytes } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import { ANSWER_BYTES_MAX, parseSignerAnswer, type SignerAnswer } from '../formats/signer-answer.ts';

export type SignerClient = (verb: string, body: Uint8Array) => Promise<SignerAnswer>;

/**
 * A client of the daemon at `socketPath`.
 * @param silenceMsMax how long an answer may take without a byte.
 * @param product whose verbs are asked for, where the daemon serves several.
 */
export function signerClient(socketPath: string, silenceMsMax: number, product?: string): SignerClient {
  const folder = product === undefined ? '' : `/r/${product}`;
  return (verb, body) =>
    new Promise((resolve, refuse) => {
      const fail = (cause: Error): void =>
        refuse(new OperationError('NETWORK_UNREACHABLE', `the signer at ${socketPath}`, { retriable: true, cause }));
      const headers = { 'content-length': body.length, 'content-type': 'application/octet-stream' };
      const asked = request({ socketPath, path: `${folder}/${verb}`, method: 'POST', headers }, (response) => {
        const chunks: Uint8Array[] = [];
        let sizeBytes = 0;
        response.on('data', (chunk: Uint8Array) => {
          sizeBytes += chunk.length;
          if (sizeBytes > ANSWER_BYTES_MAX) asked.destroy(new Error('its answer is too long'));
          else chunks.push(chunk);
        });
        response.on('error', fail);
        response.on('end', () => {
          const answer = parseSignerAnswer(concatBytes(...chunks));
          const isAnswer = answer.ok && (response.statusCode ?? 500) < 500;
          if (isAnswer) resolve(answer.value);
          else if (answer.ok) fail(new Error(`${answer.value.code ?? ''}: ${answer.value.detail ?? ''}`));
          else fail(new Error(`its answer is none: ${answer.detail}`));
        });
      });
      asked.setTimeout(silenceMsMax, () => asked.destroy(new Error('it does not answer in time')));
      asked.on('error', fail);
      asked.end(body);
    });
}
