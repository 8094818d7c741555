/**
 * Bench group `repository`: what it costs to start `tuf-client` and to check and store one root, beside a process of Node that does nothing.
 *
 * - Processor time of the whole process: what a run takes on a core that has nothing else to do.
 * - Rounds take turns; the median counts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TUF_CLIENT } from '../../bootloader-verifier/agent/tuf-client/bundle.ts';
import type { BenchLine } from './bench-line.ts';
import { cpuSecondsOf, type Client, type Errand } from './clients.ts';
import { median } from './repository.ts';

const ROUNDS = 11;
/** No more than two and a half starts of Node. */
const BESIDE_NODE_GOAL = 0.4;
const START_MS_MAX = 150;
const ROOT_FILE = join(import.meta.dirname, '../vectors/tuf/1.root.json');

const INIT: Client = (folder, { rootFile }) => ({
  line: [process.execPath, TUF_CLIENT, '--metadata-dir', folder, 'init', rootFile],
});
const NOTHING: Client = () => ({ line: [process.execPath, '-e', '0'] });

/** Measures and compares; lines hold milliseconds of processor time for one process. */
export async function benchClientStart(): Promise<readonly BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-bench-'));
  const errand: Errand = { url: '', root: new Uint8Array(), rootFile: ROOT_FILE, target: '' };
  const [ours, theirs]: [number[], number[]] = [[], []];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(1000 * (await cpuSecondsOf(INIT, folder, errand)));
      theirs.push(1000 * (await cpuSecondsOf(NOTHING, folder, errand)));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return [
    line(median(ours), { peer: 'node -e 0', peerValue: median(theirs), goal: BESIDE_NODE_GOAL }),
    line(median(ours), { peer: 'a fixed bound', peerValue: START_MS_MAX, goal: 1 }),
  ];
}

function line(ours: number, beside: Pick<BenchLine, 'peer' | 'peerValue' | 'goal'>): BenchLine {
  const metric = 'start tuf-client and store a root';
  return { group: 'repository', metric, unit: 'CPU ms', ours, ratio: beside.peerValue / ours, ...beside };
}
