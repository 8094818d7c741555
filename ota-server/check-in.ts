/**
 * Check-ins: what devices send of their own accord, handed on to the signer.
 *
 * - `POST /checkin` is the one thing that the data plane takes: a device's signed word, of bounded length, which nobody here reads.
 * - Taken (202) means that the signer has it; no answer says whether it counts, so that nothing can be found out by trying.
 * - Where the signer cannot be reached, or too many wait, the device is asked to come again (503). It keeps its word until then.
 */
import type { IncomingMessage } from 'node:http';
import { concatBytes } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import { sendProblem, type Exchange } from './http-answer.ts';
import { busyProblem, faultProblem, refusalProblem } from './problem.ts';
import { NOSNIFF } from './representation.ts';
import type { EventSink } from './server-event.ts';
import type { SignerClient } from './signer-client.ts';

export const CHECK_IN_PATH = '/checkin';
export const CHECK_IN_BYTES_MAX = 16_384;
/** Words that wait for the signer at a time. */
export const CHECK_INS_WAITING_MAX = 256;

export type CheckIns = (exchange: Exchange) => Promise<void>;

/** Takes check-ins for `signer`. */
export function createCheckIns(signer: SignerClient, log: EventSink): CheckIns {
  let waiting = 0;
  return async (exchange) => {
    if (waiting >= CHECK_INS_WAITING_MAX) return sendProblem(exchange, busyProblem());
    waiting++;
    try {
      const word = await readWord(exchange.request);
      if (word === undefined) {
        return sendProblem(exchange, refusalProblem('BODY_REFUSED', `at most ${CHECK_IN_BYTES_MAX} bytes are read`));
      }
      const answer = await signer('confirm', word);
      if (!answer.ok) log({ event: 'check-in-refused', code: answer.code ?? '', detail: answer.detail ?? '' });
      exchange.response.writeHead(202, ['Content-Length', '0', 'Cache-Control', 'no-store', ...NOSNIFF]).end();
    } catch (fault) {
      if (!(fault instanceof OperationError)) throw fault;
      log({ event: 'store-fault', code: fault.code, detail: fault.message, object: CHECK_IN_PATH });
      sendProblem(exchange, faultProblem(fault));
    } finally {
      waiting--;
    }
  };
}

/** The body, or undefined if it is empty or longer than a word. */
function readWord(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  return new Promise((resolve) => {
    request.on('data', (chunk: Uint8Array) => {
      sizeBytes += chunk.length;
      if (sizeBytes > CHECK_IN_BYTES_MAX) resolve(undefined);
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(sizeBytes === 0 ? undefined : concatBytes(...chunks)));
    // Who breaks off has said nothing.
    request.on('error', () => resolve(undefined));
  });
}
