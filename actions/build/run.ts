/**
 * Builds a source twice in surroundings that have nothing in common, and compares.
 *
 * - Each run has a fresh copy of the source, a folder, a home and an environment of its own; no cache outlives or joins runs.
 * - The digest of the source is taken from the very copies that are built, and both must agree.
 * - An image comes out only if both runs wrote the same bytes; otherwise a report names each difference and its cause.
 * - What a provenance could not record is not built: the file to write lies in the source, names and words are printable.
 * - The caller's environment does not reach the build; variables listed by name do, and are recorded with their values.
 */
import assert from 'node:assert';
import { createHash } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Run, Surroundings } from '../../formats/build-run.ts';
import type { Instant } from '../../formats/instant.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { commandDecoder, environmentDecoder, pathDecoder, type Dependency } from '../../formats/provenance.ts';
import { accept, reject, type Accepted, type Rejected } from '../../formats/verdict.ts';
import { runBuildCommand } from './build-process.ts';
import type { Clues } from './difference-cause.ts';
import { compareOutputs, type DifferenceReport } from './differences.ts';
import { findPackages, prepareRunFolder } from './run-folder.ts';
import { digestFile, digestFiles } from './source-digest.ts';
import { listSourceFiles } from './source-files.ts';
import { environmentOf, FIRST_SURROUNDINGS, SECOND_SURROUNDINGS } from './varied-surroundings.ts';

export const OUTPUT_BYTES_MAX: number = 64 * 1024 * 1024;
const LOCK_FILE = 'package-lock.json';

export type BuildOptions = {
  /** The folder to build. */
  readonly source: string;
  /** Program and arguments, run in that folder; `node` is the running Node. */
  readonly command: readonly string[];
  /** The file that the command writes, relative to the folder, with slashes. */
  readonly output: string;
  /** A folder for temporary files, made if absent; nothing is left in it. */
  readonly work: string;
  /** The caller's environment; only `PATH`, what the platform needs and `envAllowed` are taken from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Names of variables that the build may see. They are published in the provenance: never list a secret. */
  readonly envAllowed: readonly string[];
  readonly timeLimitMs: number;
  readonly clock: () => Instant;
};

/** An image that came out the same twice, and all that its provenance says of the build. */
export type Build = {
  readonly image: Uint8Array;
  readonly sha256: string;
  readonly command: readonly string[];
  readonly output: string;
  readonly environment: ReadonlyMap<string, string>;
  /** `dirHash` of the source that was built. */
  readonly sourceDirHash: string;
  readonly dependencies: readonly Dependency[];
  readonly nodeVersion: string;
  readonly startedOn: Instant;
  readonly finishedOn: Instant;
  readonly runs: readonly Run[];
};

export type BuildRejection =
  | Rejected<'SOURCE_REFUSED'>
  /** `output` is the end of what the build printed. */
  | (Rejected<'BUILD_FAILED'> & { readonly output: string })
  | (Rejected<'BUILD_NOT_REPRODUCIBLE'> & { readonly report: DifferenceReport; readonly runs: readonly Run[] });

/** Builds twice and compares. @returns the build, or why there is none; the file system failing is an `OperationError`. */
export async function buildTwice(options: BuildOptions): Promise<Accepted<Build> | BuildRejection> {
  const environment = new Map(
    options.envAllowed.flatMap((name) => {
      const value = options.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  const recorded = [pathDecoder(options.output), commandDecoder(options.command), environmentDecoder(environment)];
  const fault = recorded.find((part) => !part.ok);
  if (fault?.ok === false) {
    return { ...reject('BUILD_FAILED', `its provenance could not say so: ${fault.detail}`), output: '' };
  }
  await mkdir(options.work, { recursive: true });
  const root = await realpath(await mkdtemp(join(options.work, 'build-')));
  try {
    return await compareRuns({ ...options, source: await realpath(options.source) }, { root, environment });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

type Session = { readonly root: string; readonly environment: ReadonlyMap<string, string> };

async function compareRuns(options: BuildOptions, session: Session): Promise<Accepted<Build> | BuildRejection> {
  const startedOn = options.clock();
  const first = await runOnce(options, session, FIRST_SURROUNDINGS);
  if (!first.ok) return first;
  const second = await runOnce(options, session, SECOND_SURROUNDINGS);
  if (!second.ok) return second;
  const runs = [first.value.run, second.value.run];
  if (first.value.sourceDirHash !== second.value.sourceDirHash) {
    return reject('SOURCE_REFUSED', `${options.source} changed while it was being built`);
  }
  if (first.value.run.sha256 !== second.value.run.sha256) {
    const report = compareOutputs(first.value, second.value);
    return { ...reject('BUILD_NOT_REPRODUCIBLE', summaryOf(report)), report, runs };
  }
  const { image, run, sourceDirHash } = first.value;
  return accept({
    image,
    sha256: run.sha256,
    command: options.command,
    output: options.output,
    environment: session.environment,
    sourceDirHash,
    dependencies: await lockedDependencies(options.source),
    nodeVersion: process.version,
    startedOn,
    finishedOn: options.clock(),
    runs,
  });
}

type RunResult = {
  readonly image: Uint8Array;
  readonly run: Run;
  readonly sourceDirHash: string;
  readonly clues: Clues;
};

async function runOnce(
  options: BuildOptions,
  session: Session,
  surroundings: Surroundings,
): Promise<Accepted<RunResult> | BuildRejection> {
  const files = await listSourceFiles(options.source, options.output);
  if (!files.ok) return files;
  const root = await mkdtemp(join(session.root, 'run-'));
  const { source, places } = await prepareRunFolder(root, surroundings, { folder: options.source, files: files.value });
  const sourceDirHash = await digestFiles(source, files.value);
  const [program, ...args] = options.command;
  assert(program !== undefined, 'a build has a command');
  const from = options.clock();
  const end = await runBuildCommand({
    program: program === 'node' ? process.execPath : program,
    args,
    folder: source,
    env: environmentOf(surroundings, places, { own: options.env, allowed: session.environment }),
    timeLimitMs: options.timeLimitMs,
  });
  const shiftMs = surroundings.clockShiftSeconds * 1000;
  const clock = { from: from + shiftMs, to: options.clock() + shiftMs };
  if (end.fault !== undefined) {
    return { ...reject('BUILD_FAILED', `${options.command.join(' ')}: ${end.fault}`), output: end.output };
  }
  const image = await readOutput(join(source, options.output));
  if (image === undefined) {
    const detail = `it wrote no file ${options.output} of at most ${OUTPUT_BYTES_MAX} bytes`;
    return { ...reject('BUILD_FAILED', detail), output: end.output };
  }
  const sha256 = createHash('sha256').update(image).digest('hex');
  const fileTimes = { from: surroundings.fileTimes, to: surroundings.fileTimes + files.value.length * 1000 };
  const clues = { surroundings, moments: [clock, fileTimes], root, home: places.home };
  return accept({ image, run: { sha256, surroundings }, sourceDirHash, clues });
}

/** The output as a regular file of bounded size, or undefined where there is none. */
async function readOutput(path: string): Promise<Uint8Array | undefined> {
  try {
    const found = await lstat(path);
    return found.isFile() && found.size <= OUTPUT_BYTES_MAX ? await readFile(path) : undefined;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return undefined;
    throw new OperationError('FILE_UNREADABLE', `${path} cannot be read`, { retriable: false, cause });
  }
}

/** The lock file beside the packages that the build found: it names each by version and hash. */
async function lockedDependencies(source: string): Promise<readonly Dependency[]> {
  const packages = await findPackages(source);
  if (packages === undefined) return [];
  const path = join(dirname(packages), LOCK_FILE);
  return (await readOutput(path)) === undefined ? [] : [{ name: LOCK_FILE, sha256: await digestFile(path) }];
}

function summaryOf(report: DifferenceReport): string {
  const counts = new Map<string, number>();
  for (const { cause } of report.differences) counts.set(cause, (counts.get(cause) ?? 0) + 1);
  const causes = [...counts].map(([cause, count]) => `${cause} (${count})`).join(', ');
  return `the two outputs differ by ${causes}${report.more > 0 ? ` and ${report.more} more` : ''}`;
}
