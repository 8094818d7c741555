/**
 * Bench group `repository`, the publisher's part: what a deployment costs its signer and its devices.
 *
 * - Beside python-tuf, which holds a target for each release of the whole deployment, in bins of one repository. Each of its targets
 *   says what a channel of ours says of an image; ours lists the image's provenance as well.
 * - Ours are verified as devices will and remembered in a durable memory; its are signed. Both are synced file by file.
 * - All 10,000 products are created in one process, then a release is added to some of them, then every timestamp is renewed.
 * - A product is six files, each signed by a key of its own role. What it costs to sign, check and sync them, and nothing else, stands
 *   in a line beside what creating it costs: no code could create it for less.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonOf } from '../real/parts.ts';
import type { BenchLine } from './bench-line.ts';

const BOUND = 'a fixed bound';
const PYTHON = 'python-tuf, bins';
const PRODUCTS = 10_000;
const RELEASES = 100;
/** What python-tuf holds them in: 2^10 bins. */
const BINS_BITS = 10;
const ADDED = 20;
/** At most half of what python-tuf takes. */
const CREATED_GOAL = 2;
/** At most a fifth of it. */
const ADDED_GOAL = 5;
const TUF_OBJECTS_MAX = 3;
const OTHER_OBJECTS_MAX = 4;
/** 30 seconds for 10,000. */
const RENEWAL_MS_MAX = 3;
const COLD_BYTES_MAX = 20_000;
const POLL_BYTES_MAX = 10_000;
const RSS_MB_MAX = 300;

type Figures = Readonly<
  Record<
    | ('createdMs' | 'addedMs' | 'added' | 'addedWrites' | 'loggedTuf' | 'loggedOthers')
    | ('leastMs' | 'coldBytes' | 'pollBytes' | 'renewedMs' | 'rssMb'),
    number
  > & { /** What is said of an image, in JSON. */ readonly image: string }
>;
type PythonFigures = { readonly createdS: number; readonly addedMs: number };

/** Measures one deployment; takes a minute or two of processor time, and python-tuf half of one. */
export function benchDeployment(): readonly BenchLine[] {
  const ours = inFolder<Figures>((folder) => [
    process.execPath,
    ...process.execArgv,
    join(import.meta.dirname, 'deployment-child.ts'),
    ...[PRODUCTS, RELEASES].map(String),
    folder,
  ]);
  const theirs = inFolder<PythonFigures>((folder) => [
    pythonOf('python-tuf'),
    join(import.meta.dirname, 'python-tuf-bins.py'),
    ...[PRODUCTS * RELEASES, BINS_BITS, ADDED].map(String),
    ...[ours.image, folder],
  ]);
  const { createdMs, addedMs, added, addedWrites, loggedTuf, loggedOthers } = ours;
  const { coldBytes, pollBytes, leastMs, renewedMs, rssMb } = ours;
  const of = `${PRODUCTS} products with ${RELEASES} releases each`;
  const created = { peer: (theirs.createdS * 1000) / PRODUCTS, of: PYTHON, goal: CREATED_GOAL };
  return [
    line(`create a product of ${RELEASES} releases`, 'CPU ms', { ...created, ours: createdMs / PRODUCTS }),
    line('of that, to sign, check and sync its files', 'CPU ms', { ...created, ours: leastMs }),
    line('add one release', 'CPU ms', { ours: addedMs / added, peer: theirs.addedMs, of: PYTHON, goal: ADDED_GOAL }),
    line('objects written for one release', 'objects', bound(addedWrites, TUF_OBJECTS_MAX)),
    line('objects of TUF written for one release into a log', 'objects', bound(loggedTuf, TUF_OBJECTS_MAX)),
    line('other objects written for one release into a log', 'objects', bound(loggedOthers, OTHER_OBJECTS_MAX)),
    line(`renew a timestamp, of ${of}`, 'CPU ms', bound(renewedMs / PRODUCTS, RENEWAL_MS_MAX)),
    line(`memory of a signer of ${of}`, 'MB', bound(rssMb, RSS_MB_MAX)),
    line(`first refresh of a device, of ${of}`, 'bytes', bound(coldBytes, COLD_BYTES_MAX)),
    line(`poll of a device after a release, of ${of}`, 'bytes', bound(pollBytes, POLL_BYTES_MAX)),
  ];
}

/** The figures that the process of `command` prints, run over a new folder. */
function inFolder<T>(command: (folder: string) => readonly [string, ...string[]]): T {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-bench-'));
  try {
    const [program, ...words] = command(folder);
    const ran = spawnSync(program, words, { encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`${words[0] ?? ''} ended with ${ran.status ?? 'a signal'}: ${ran.stderr}`);
    return JSON.parse(ran.stdout) as T;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Compared = { readonly ours: number; readonly peer: number; readonly of: string; readonly goal: number };

function bound(ours: number, most: number): Compared {
  return { ours, peer: most, of: BOUND, goal: 1 };
}

function line(metric: string, unit: string, { ours, peer, of, goal }: Compared): BenchLine {
  return { group: 'repository', metric, unit, ours, peer: of, peerValue: peer, ratio: peer / ours, goal };
}
