/**
 * Brings the real parts onto this machine, once.
 *
 * - A part is in place when its marker holds the digest of its recipe and its version command succeeds; then nothing is done.
 * - A lock per part lets a second run wait for the first instead of doing the work twice.
 * - apt runs once at a time; a Python environment, Maven and a Go build run beside it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GO_FOLDER, PARTS_FOLDER, type RealPart } from './parts.ts';

/** One step of a preparation. */
export type Step = {
  readonly command: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
  /** A fault of this step does not end the preparation: a later one decides. */
  readonly mayFail?: true;
};

const COPY_LIBRARIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const WAIT_MS_MAX = 1_800_000;
const WAIT_STEP_MS = 250;

/** The steps that bring `part` into place, in their order; `hasVenv` says whether Python can make environments as it is. */
export function stepsOf(
  part: RealPart,
  hasVenv: boolean,
): { readonly debian: readonly Step[]; readonly own: readonly Step[] } {
  const packages = [...(part.debian ?? []), ...(part.pip !== undefined && !hasVenv ? ['python3-venv'] : [])];
  const folder = join(PARTS_FOLDER, part.name);
  const apt = ['-y', '-o', 'DPkg::Lock::Timeout=400', '-o', 'Acquire::Retries=3'];
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  const debian: readonly Step[] =
    packages.length === 0
      ? []
      : [
          { command: ['apt-get', 'update', ...apt], environment, mayFail: true },
          { command: ['apt-get', 'install', '--no-install-recommends', ...apt, ...packages], environment },
        ];
  const pip: readonly Step[] =
    part.pip === undefined
      ? []
      : [
          { command: ['python3', '-m', 'venv', '--clear', folder] },
          { command: [join(folder, 'bin', 'pip'), 'install', '--quiet', '--disable-pip-version-check', ...part.pip] },
        ];
  const maven: readonly Step[] =
    part.maven === undefined
      ? []
      : [
          {
            command: ['mvn', '-q', '-B', '-f', part.maven, COPY_LIBRARIES, `-DoutputDirectory=${join(folder, 'jars')}`],
          },
        ];
  const go = (part.go ?? []).map((module): Step => ({
    command: ['go', 'install', module],
    environment: { GOBIN: GO_FOLDER },
  }));
  const built = part.build === undefined ? [] : [{ command: part.build }];
  return { debian, own: [...pip, ...maven, ...go, ...built] };
}

/** Brings `part` into place, or waits until another process has. Throws with the failing command. */
export async function preparePart(part: RealPart): Promise<void> {
  const folder = join(PARTS_FOLDER, part.name);
  mkdirSync(PARTS_FOLDER, { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (isPrepared(part)) return;
    const { debian, own } = stepsOf(part, spawnSync('python3', ['-c', 'import venv, ensurepip']).status === 0);
    if (debian.length > 0) await withLock(join(PARTS_FOLDER, 'debian.lock'), () => runSteps(debian));
    await runSteps(own);
    mkdirSync(folder, { recursive: true });
    writeFileSync(markerOf(part), recipeDigest(part));
    if (!isPrepared(part)) throw new Error(`${part.version.join(' ')} fails, though all was installed`);
  });
}

/** The first line that the version command of `part` prints, or undefined if it fails. */
export function versionOf(part: RealPart): string | undefined {
  const [command, ...args] = part.version;
  const ran = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return ran.status === 0 ? (ran.stdout.split('\n')[0] ?? '').trim() : undefined;
}

function isPrepared(part: RealPart): boolean {
  const marker = markerOf(part);
  const isMarked = existsSync(marker) && readFileSync(marker, 'utf8') === recipeDigest(part);
  return isMarked && versionOf(part) !== undefined;
}

function markerOf(part: RealPart): string {
  return join(PARTS_FOLDER, part.name, '.prepared');
}

function recipeDigest(part: RealPart): string {
  return createHash('sha256')
    .update(JSON.stringify(stepsOf(part, true)))
    .digest('hex');
}

async function runSteps(steps: readonly Step[]): Promise<void> {
  for (const { command, environment, mayFail } of steps) {
    process.stdout.write(`preparing: ${command.join(' ')}\n`);
    const [program, ...args] = command;
    const code = await new Promise<number | string>((resolve) => {
      const child = spawn(program, args, {
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      child.on('error', (error) => resolve(error.message));
      child.on('exit', (status, signal) => resolve(status ?? signal ?? 'unknown'));
    });
    if (code !== 0 && mayFail !== true) throw new Error(`${command.join(' ')} ended with ${code}`);
  }
}

/**
 * Runs `work` while no other process on this machine holds the lock `name`; waits for its present holder.
 * The lock is a socket in Linux's abstract name space: the kernel frees it with its process, so none is ever left behind.
 */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const digest = createHash('sha256').update(name).digest('hex');
  const deadline = Date.now() + WAIT_MS_MAX;
  let lock = await listen(`\0firmament-${digest}`);
  while (lock === undefined) {
    if (Date.now() > deadline) throw new Error(`another process has been preparing ${name} for too long`);
    await sleep(WAIT_STEP_MS);
    lock = await listen(`\0firmament-${digest}`);
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}

/** A server that listens at `path`, or undefined if somebody else does. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('listening', () => resolve(server));
    server.once('error', (error) => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path);
  });
}
