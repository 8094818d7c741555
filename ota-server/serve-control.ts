/**
 * The HTTP server around the control plane, with limits for uploads instead of polls.
 *
 * - A whole request may take ten minutes, for an image is uploaded in one; a silent connection is closed long before.
 */
import { serveListener, type ConnectionLimits, type ListenOptions, type RunningServer } from './listen.ts';
import { createControlPlane, type ControlPlaneOptions } from './control-plane.ts';

export const CONTROL_LIMITS: ConnectionLimits = {
  connectionsMax: 256,
  headBytesMax: 16_384,
  headMs: 10_000,
  requestMs: 600_000,
  silentMs: 30_000,
  idleMs: 5_000,
  closingMs: 10_000,
};

/**
 * Serves the control plane until `close` is called.
 * @throws OperationError `ADDRESS_UNAVAILABLE` if it cannot listen there.
 */
export async function serveControl(
  options: ControlPlaneOptions & Pick<ListenOptions, 'host' | 'port'>,
): Promise<RunningServer> {
  return serveListener(createControlPlane(options), CONTROL_LIMITS, { ...options, takesBodies: true });
}
