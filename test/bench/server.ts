/**
 * Bench group `server`: polls answered per second of the server's processor time, beside two peers.
 *
 * - Peers: `express.static` over the same folder, and a bare Node handler that knows its one answer and never looks at a store.
 * - Each server runs in a process of its own and reports its own processor time, so the load generator does not count.
 * - Many short rounds take turns among the servers, since a machine is never equally busy; the median round counts.
 */
import assert from 'node:assert';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchLine } from './bench-line.ts';
import { entityTag, openPollLoad, type OpenLoad } from './poll-load.ts';

const PATH = '/r/bench/metadata/timestamp.json';
/** As long as a timestamp with one Ed25519 signature. */
const BODY_BYTES = 594;
/** Polls measured for each server and status: 20,480. */
const ROUNDS = 16;
const POLLS_A_ROUND = 1_280;
const WARM_UP_POLLS = 9_600;
const CONNECTIONS = 32;
const AHEAD = 4;

type Peer = { readonly name: string; readonly goal: Readonly<Record<'200' | '304', number>> };
const PEERS: readonly Peer[] = [
  { name: 'express.static', goal: { '200': 3, '304': 3 } },
  { name: 'bare node:http', goal: { '200': 0.9, '304': 0.9 } },
];

/** Measures and compares; takes some seconds. Lines hold polls per second of processor time. */
export async function benchServer(): Promise<readonly BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-bench-'));
  mkdirSync(join(folder, 'bench/metadata'), { recursive: true });
  writeFileSync(join(folder, 'bench/metadata/timestamp.json'), 'x'.repeat(BODY_BYTES));
  const servers: BenchServer[] = [];
  try {
    for (const kind of ['ours', ...PEERS.map((peer) => peer.name)]) servers.push(await startServer(kind, folder));
    return [...(await compare(servers, 304)), ...(await compare(servers, 200))];
  } finally {
    for (const server of servers) server.child.disconnect();
    rmSync(folder, { recursive: true });
  }
}

type BenchServer = {
  readonly kind: string;
  readonly child: ChildProcess;
  readonly port: number;
  readonly etag: string;
};

async function startServer(kind: string, folder: string): Promise<BenchServer> {
  const child = fork(join(import.meta.dirname, 'server-child.ts'), [kind, folder], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const ended = new AbortController();
  child.once('exit', () => ended.abort(new Error(`the server ${kind} of the bench has ended`)));
  const [{ port }] = (await once(child, 'message', { signal: ended.signal })) as [{ port: number }];
  return { kind, child, port, etag: await entityTag(port, PATH) };
}

/** The lines of one status: each server has warmed up, then its share of every round. */
async function compare(servers: readonly BenchServer[], status: 200 | 304): Promise<readonly BenchLine[]> {
  const runs: Run[] = [];
  try {
    for (const server of servers) runs.push({ server, load: await openLoad(server, status), rates: [] });
    for (const { load } of runs) await load.run(WARM_UP_POLLS);
    for (let round = 0; round < ROUNDS; round++) for (const run of runs) await measureRound(run);
  } finally {
    for (const { load } of runs) load.close();
  }
  const rates = new Map(runs.map((run) => [run.server.kind, median(run.rates)]));
  return PEERS.map(({ name, goal }) => benchLine(`polls answered with ${status}`, rates, { name, goal: goal[status] }));
}

type Run = {
  readonly server: BenchServer;
  readonly load: OpenLoad;
  /** Polls per second of processor time, a figure for each round. */
  readonly rates: number[];
};

async function openLoad({ port, etag }: BenchServer, status: 200 | 304): Promise<OpenLoad> {
  const fields = status === 304 ? [`If-None-Match: ${etag}`] : [];
  return openPollLoad({ port, path: PATH, fields, status, connections: CONNECTIONS, ahead: AHEAD });
}

async function measureRound(run: Run): Promise<void> {
  const before = await cpuMicros(run.server);
  await run.load.run(POLLS_A_ROUND);
  run.rates.push(POLLS_A_ROUND / (((await cpuMicros(run.server)) - before) / 1e6));
}

async function cpuMicros({ child }: BenchServer): Promise<number> {
  child.send('cpu');
  const [{ cpuMicros }] = (await once(child, 'message')) as [{ cpuMicros: number }];
  return cpuMicros;
}

function median(rates: readonly number[]): number {
  const sorted = rates.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}

function benchLine(
  metric: string,
  rates: ReadonlyMap<string, number>,
  { name: peer, goal }: { readonly name: string; readonly goal: number },
): BenchLine {
  const [ours, peerValue] = [rates.get('ours'), rates.get(peer)];
  assert(ours !== undefined && peerValue !== undefined, 'every server was measured');
  return { group: 'server', metric, unit: 'polls/CPU-s', ours, peer, peerValue, ratio: ours / peerValue, goal };
}
