/**
 * The HTTP server around the front of EST: a listener of its own, because a proof travels in the head of a request.
 *
 * - Heads are larger than those of polls, and connections fewer: together they take less memory than the data plane's.
 */
import { createEstFront, type EstFrontOptions } from './est-front.ts';
import { serveListener, type ConnectionLimits, type ListenOptions, type RunningServer } from './listen.ts';

export const EST_LIMITS: ConnectionLimits = {
  connectionsMax: 1_024,
  headBytesMax: 32_768,
  headMs: 10_000,
  requestMs: 15_000,
  silentMs: 30_000,
  idleMs: 5_000,
  closingMs: 10_000,
};

/**
 * Serves the front of EST until `close` is called.
 * @throws OperationError `ADDRESS_UNAVAILABLE` if it cannot listen there.
 */
export async function serveEst(
  options: EstFrontOptions & Pick<ListenOptions, 'host' | 'port'>,
): Promise<RunningServer> {
  return serveListener(createEstFront(options), EST_LIMITS, { ...options, takesBodies: true });
}
