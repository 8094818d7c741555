/**
 * Bench group `repository`, the publisher's part: what a deployment costs its signer and its devices, against fixed bounds.
 *
 * - The bounds are those that a deployment of 10,000 products is to keep; a timestamp's renewal is measured over fewer products, each
 *   of which costs the same, because nothing of one is read for another.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchLine } from './bench-line.ts';

const PEER = 'a fixed bound';
const PRODUCTS = 200;
const RELEASES = 100;
/** 30 seconds for 10,000. */
const RENEWAL_MS_MAX = 3;
const COLD_BYTES_MAX = 20_000;
const POLL_BYTES_MAX = 10_000;
const RSS_MB_MAX = 300;

type Figures = Readonly<Record<'coldBytes' | 'pollBytes' | 'renewedMs' | 'rssMb', number>>;

/** Measures one deployment; takes about 15 seconds of processor time. */
export function benchDeployment(): readonly BenchLine[] {
  const { coldBytes, pollBytes, renewedMs, rssMb } = measure();
  const of = `${PRODUCTS} products with ${RELEASES} releases each`;
  return [
    line(`renew a timestamp, of ${of}`, 'CPU ms', { ours: renewedMs / PRODUCTS, bound: RENEWAL_MS_MAX }),
    line(`memory of a signer of ${of}`, 'MB', { ours: rssMb, bound: RSS_MB_MAX }),
    line(`first refresh of a device, of ${of}`, 'bytes', { ours: coldBytes, bound: COLD_BYTES_MAX }),
    line(`poll of a device after a release, of ${of}`, 'bytes', { ours: pollBytes, bound: POLL_BYTES_MAX }),
  ];
}

function measure(): Figures {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-bench-'));
  try {
    const child = join(import.meta.dirname, 'deployment-child.ts');
    const ran = spawnSync(process.execPath, [child, String(PRODUCTS), String(RELEASES), folder], { encoding: 'utf8' });
    if (ran.status !== 0)
      throw new Error(`the deployment of the bench ended with ${ran.status ?? 'a signal'}: ${ran.stderr}`);
    return JSON.parse(ran.stdout) as Figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function line(
  metric: string,
  unit: string,
  { ours, bound }: { readonly ours: number; readonly bound: number },
): BenchLine {
  return { group: 'repository', metric, unit, ours, peer: PEER, peerValue: bound, ratio: bound / ours, goal: 1 };
}
