/**
 * Loaded before the executable: ends its process at the step of its file system that `KILL_AT` names, as a power failure would.
 *
 * - A step is a call that changes something. It is not taken; of a write, half of it is.
 */
import promises from 'node:fs/promises';

const at = Number(process.env.KILL_AT);
let steps = 0;

function isTime() {
  return steps++ === at;
}

/** Never comes back. */
function die() {
  process.kill(process.pid, 'SIGKILL');
}

const { open } = promises;
for (const name of ['mkdir', 'rename', 'rm']) {
  const call = promises[name];
  promises[name] = (...args) => {
    if (isTime()) die();
    return call(...args);
  };
}
promises.open = async (...args) => {
  // What is opened by flags of the system is only read.
  if (typeof args[1] !== 'number' && isTime()) die();
  const file = await open(...args);
  const { sync, writeFile } = file;
  file.sync = () => {
    if (isTime()) die();
    return sync.call(file);
  };
  file.writeFile = async (bytes) => {
    if (isTime()) {
      await writeFile.call(file, bytes.subarray(0, bytes.length / 2));
      die();
    }
    return writeFile.call(file, bytes);
  };
  return file;
};
