/**
 * Installs the locked dependencies when they are missing or older than the lock file.
 *
 * Plain JavaScript for Node 20 and newer, without dependencies, because it runs before any exist.
 * - Exactly what `package-lock.json` names, by `npm ci`; install scripts stay off.
 * - A stamp inside `node_modules` remembers the lock file's digest, so a second start costs one hash.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const STAMP = join(PROJECT, 'node_modules', '.firmament-installed');

/** SHA-256, in hex, of the lock file that `npm ci` obeys. */
function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(join(PROJECT, 'package-lock.json')))
    .digest('hex');
}

/** npm as it was started, or the one on the path; by its script where possible, which needs no shell on Windows. */
function npmCommand() {
  const script = process.env.npm_execpath;
  if (script !== undefined && script.endsWith('.js') && existsSync(script)) return [process.execPath, script];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
}

/**
 * Makes `node_modules` equal to the lock file; does nothing when it is already.
 * @returns undefined when all is in place, or what went wrong, as a sentence.
 */
export function ensureInstalled() {
  const digest = lockDigest();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) return undefined;
  const [command = 'npm', ...first] = npmCommand();
  const ran = spawnSync(command, [...first, 'ci', '--ignore-scripts', '--include=dev', '--include=optional'], {
    cwd: PROJECT,
    stdio: ['ignore', 2, 2],
    shell: command === 'npm.cmd',
  });
  if (ran.status !== 0) return 'npm ci did not finish: see its messages above, then start again';
  writeFileSync(STAMP, digest);
  return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fault = ensureInstalled();
  if (fault !== undefined) {
    process.stderr.write(`firmament: INSTALL_FAILED: ${fault}\n`);
    process.exitCode = 69;
  }
}
