/**
 * Ends the gateway when the device that started it is gone.
 *
 * - Standard input cannot tell: it carried the image and has ended. A changed or dead parent process tells, as does an
 *   output that nobody reads any more.
 */
const LOOK_EVERY_MS = 500;

/** Calls `onGone` once the parent process has died; looks twice a second and keeps nothing alive. */
export function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  process.stdout.on('error', onGone);
  setInterval(() => {
    if (process.ppid !== parent || !isAlive(parent)) onGone();
  }, LOOK_EVERY_MS).unref();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM means that it lives and belongs to somebody else; only ESRCH means that it is gone.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
