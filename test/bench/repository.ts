/**
 * Bench group `repository`: what it costs a client to read one targets file, in processor time, beside tuf-js.
 *
 * - Ours does more: it refuses what parsers disagree about, checks every field, and makes the bytes that the signatures are over.
 * - Rounds take turns, since a machine is never equally busy; the median of the rounds counts.
 */
import assert from 'node:assert';
import { Metadata, MetadataKind } from '@tufjs/models';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import type { BenchLine } from './bench-line.ts';

type PeerJson = Parameters<typeof Metadata.fromJSON>[1];

const PEER = '@tufjs/models';
const ROUNDS = 3;
/** Ours is read more often a round, or its time would be too short to measure. */
const OURS_A_ROUND = 10;
/** Targets in the file, and how many times less than the peer ours may cost at least. */
const SIZES = [
  { targets: 1_000, goal: 5 },
  { targets: 4_000, goal: 20 },
] as const;

/** Measures and compares; takes about 15 seconds of processor time. Lines hold milliseconds of it for one file. */
export function benchRepository(): Promise<readonly BenchLine[]> {
  return Promise.resolve(SIZES.map(({ targets, goal }) => compare(targets, goal)));
}

function compare(targets: number, goal: number): BenchLine {
  const text = targetsFile(targets);
  const bytes = encodeUtf8(text);
  const ours: number[] = [];
  const theirs: number[] = [];
  readOurs(bytes);
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(cpuMs(() => readOurs(bytes)) / OURS_A_ROUND);
    theirs.push(cpuMs(() => Metadata.fromJSON(MetadataKind.Targets, JSON.parse(text) as PeerJson)));
  }
  const [oursMs, peerMs] = [median(ours), median(theirs)];
  const metric = `read a targets file of ${targets} targets, ${bytes.length} bytes`;
  return {
    group: 'repository',
    metric,
    unit: 'CPU ms',
    ours: oursMs,
    peer: PEER,
    peerValue: peerMs,
    ratio: peerMs / oursMs,
    goal,
  };
}

function readOurs(bytes: Uint8Array): void {
  for (let count = 0; count < OURS_A_ROUND; count++) assert(parseTargets(bytes).ok, 'the file of the bench is sound');
}

/** Processor time that `work` takes, in milliseconds. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The middle of `values`, each of which is above zero. */
export function median(values: readonly number[]): number {
  const middle = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  assert(middle !== undefined && middle > 0, 'every round took time');
  return middle;
}

/** A targets file with `count` entries of about 130 bytes, as repositories hold them. */
function targetsFile(count: number): string {
  const entries = Array.from({ length: count }, (_, index) => {
    const hashes = { sha256: sha256Hex(encodeUtf8(String(index))) };
    return [`release-${index}/gateway/gateway.js`, { hashes, length: 100_000 + index }];
  });
  const signed = { _type: 'targets', spec_version: '1.0.34', version: 1, expires: '2030-01-01T00:00:00Z' };
  const signatures = [{ keyid: '00'.repeat(32), sig: '00'.repeat(64) }];
  return JSON.stringify({ signatures, signed: { ...signed, targets: Object.fromEntries(entries) as unknown } });
}
