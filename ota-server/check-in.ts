/**
 * Check-ins: what devices send of their own accord, handed on to the signer, or to the inventory.
 *
 * - `POST /checkin` is the one thing that the data plane takes: a device's signed word, of bounded length, which nobody here reads;
 *   and, by its media type, what a device says of itself, which is kept for operators and decides nothing (`device-inventory.ts`).
 * - Taken (202) means that the signer has it; no answer says whether it counts, so that nothing can be found out by trying.
 * - Where there is no signer, or no inventory, what is meant for it is not taken (405).
 * - Where the signer cannot be reached, or too many wait, the device is asked to come again (503). It keeps its word until then.
 */
import { DEVICE_STATE_TYPE, parseDeviceState, type DeviceState } from '../formats/device-state.ts';
import { OperationError } from '../formats/operation-error.ts';
import { sendProblem, type Exchange } from './http-answer.ts';
import { busyProblem, faultProblem, refusalProblem } from './problem.ts';
import { NOSNIFF } from './representation.ts';
import { readBody } from './request-body.ts';
import type { EventSink } from './server-event.ts';
import type { SignerClient } from './signer-client.ts';

export const CHECK_IN_PATH = '/checkin';
export const CHECK_IN_BYTES_MAX = 16_384;
/** Words that wait for the signer at a time. */
export const CHECK_INS_WAITING_MAX = 256;

export type CheckIns = (exchange: Exchange) => Promise<void>;
/** Who hears what devices say; nobody is taken for absent unless it is undefined. */
export type CheckInPorts = {
  readonly signer: SignerClient | undefined;
  /** Takes what a device says of itself. */
  readonly inventory: ((state: DeviceState) => void) | undefined;
  readonly log: EventSink;
};

/** Takes check-ins for `ports`. */
export function createCheckIns(ports: CheckInPorts): CheckIns {
  let waiting = 0;
  return async (exchange) => {
    if (waiting >= CHECK_INS_WAITING_MAX) return sendProblem(exchange, busyProblem());
    waiting++;
    try {
      const isState = exchange.request.headers['content-type'] === DEVICE_STATE_TYPE;
      if ((isState ? ports.inventory : ports.signer) === undefined) {
        return sendProblem(exchange, refusalProblem('METHOD_NOT_ALLOWED', undefined, ['Allow', 'GET, HEAD']));
      }
      const body = await readBody(exchange.request, CHECK_IN_BYTES_MAX);
      if (body === undefined || body.length === 0) {
        return sendProblem(exchange, refusalProblem('BODY_REFUSED', `at most ${CHECK_IN_BYTES_MAX} bytes are read`));
      }
      if (isState) takeState(ports, body);
      else await handOn(ports, body);
      exchange.response.writeHead(202, ['Content-Length', '0', 'Cache-Control', 'no-store', ...NOSNIFF]).end();
    } catch (fault) {
      if (!(fault instanceof OperationError)) throw fault;
      ports.log({ event: 'store-fault', code: fault.code, detail: fault.message, object: CHECK_IN_PATH });
      sendProblem(exchange, faultProblem(fault));
    } finally {
      waiting--;
    }
  };
}

async function handOn({ signer, log }: CheckInPorts, word: Uint8Array): Promise<void> {
  const answer = await signer?.('confirm', word);
  if (answer?.ok === false) {
    log({ event: 'check-in-refused', code: answer.code ?? '', detail: answer.detail ?? '' });
  }
}

function takeState({ inventory, log }: CheckInPorts, body: Uint8Array): void {
  const state = parseDeviceState(body);
  if (state.ok) inventory?.(state.value);
  else log({ event: 'check-in-refused', code: state.code, detail: state.detail });
}
