/**
 * Who works on a signer's state: one daemon for as long as it runs, or publishers without one, each for its publication.
 *
 * - Never both at once: a daemon keeps in its memory what it has read, and one writer behind its back would make that untrue.
 * - A publisher that finds a daemon does not wait for it: what it has belongs to the daemon's socket.
 * - Publishers wait for each other; a daemon waits for them and for the daemon before it, then gives up.
 */
import { OperationError } from '../formats/operation-error.ts';
import { LOOKS_MAX, whileLocked } from './lock-file.ts';

/** Does `work` as the daemon over the state in the file `state`. @throws OperationError `SIGNER_RUNNING` if another one stays. */
export function asDaemon<T>(state: string, work: () => Promise<T>): Promise<T> {
  return whileOwning(state, LOOKS_MAX, work);
}

/** Does `work` as a publisher of its own. @throws OperationError `SIGNER_RUNNING` at once if a daemon runs. */
export function asPublisher<T>(state: string, work: () => Promise<T>): Promise<T> {
  return whileLocked(`${state}.publisher.lock`, () => whileOwning(state, 0, work));
}

function whileOwning<T>(state: string, looksMax: number, work: () => Promise<T>): Promise<T> {
  const held = (): OperationError =>
    new OperationError('SIGNER_RUNNING', `a signer works with ${state}: hand it in with --signer SOCKET`, {
      retriable: true,
    });
  return whileLocked(`${state}.owner.lock`, work, { looksMax, held });
}
