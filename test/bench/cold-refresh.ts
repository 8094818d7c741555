/**
 * Bench group `repository`: what a cold refresh and one target cost a client, in processor time, beside three peers.
 *
 * - All read the same repositories over HTTP from one server of the bench, whose time counts for nobody.
 * - Clients take turns; the median of the rounds counts. What takes more than `ONCE_S` is run once.
 */
import assert from 'node:assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REAL_PARTS, type RealPart } from '../real/parts.ts';
import { preparePart, versionOf } from '../real/preparation.ts';
import type { BenchLine } from './bench-line.ts';
import { CLIENTS, cpuSecondsOf, type Errand } from './clients.ts';
import { PEERS as PINNED } from './peers.ts';
import { median } from './repository.ts';
import { ASKED, writeRepository, type BenchRepository } from './repository-files.ts';

const ROUNDS = 5;
const ONCE_S = 30;
type PeerName = 'python-tuf' | 'tuf-js' | 'go-tuf';
const PEERS: readonly PeerName[] = ['python-tuf', 'tuf-js', 'go-tuf'];

type Case = BenchRepository & { readonly what: string; readonly goals: Readonly<Record<PeerName, number>> };
/** Less than python-tuf and tuf-js; from 4,000 targets on no more than one and a half of go-tuf. */
const CASES: readonly Case[] = [
  // A process of Node starts no faster than this beside one of Go.
  { what: '1,000 targets', targets: 1_000, goals: { 'python-tuf': 1, 'tuf-js': 1, 'go-tuf': 0.2 } },
  ...[4_000, 100_000].map((targets) => ({
    what: `${targets.toLocaleString('en-US')} targets`,
    ...{ targets, goals: { 'python-tuf': 1, 'tuf-js': 1, 'go-tuf': 1 / 1.5 } },
  })),
  { what: '16,384 bins', targets: 100_000, bits: 14, goals: { 'python-tuf': 1, 'tuf-js': 1, 'go-tuf': 1 / 1.5 } },
];

/** Measures and compares; lines hold seconds of processor time for one run of the client. */
export async function benchColdRefresh(): Promise<readonly BenchLine[]> {
  for (const part of REAL_PARTS) if (part.name === 'python-tuf' || part.name === 'go-tuf') await prepare(part);
  const folder = mkdtempSync(join(tmpdir(), 'firmament-bench-'));
  const server = await serveFolder(folder);
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  try {
    const lines: BenchLine[] = [];
    for (const [index, one] of CASES.entries()) {
      const root = await writeRepository(join(folder, String(index)), one);
      const rootFile = join(folder, String(index), 'metadata', '1.root.json');
      const url = `http://127.0.0.1:${address.port}/${index}/`;
      lines.push(...(await compare(one, folder, { url, root, rootFile, target: ASKED })));
    }
    return lines;
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
}

/** Brings a peer into place, in the version that is pinned. */
async function prepare(part: RealPart): Promise<void> {
  await preparePart(part);
  const pinned = PINNED[part.name]?.version;
  assert(
    pinned !== undefined && versionOf(part)?.includes(pinned) === true,
    `${part.name} is pinned to ${pinned ?? ''}`,
  );
}

async function compare({ what, goals }: Case, folder: string, errand: Errand): Promise<readonly BenchLine[]> {
  const names = ['ours', ...PEERS] as const;
  const taken = new Map(names.map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) {
      const times = taken.get(name) ?? [];
      if ((times[0] ?? 0) < ONCE_S) times.push(await cpuSecondsOf(CLIENTS[name], folder, errand));
    }
  }
  const ours = median(taken.get('ours') ?? []);
  return PEERS.map((peer) => {
    const peerValue = median(taken.get(peer) ?? []);
    const metric = `cold refresh and one target of ${what}`;
    return {
      group: 'repository',
      metric,
      unit: 'CPU s',
      ours,
      peer,
      peerValue,
      ratio: peerValue / ours,
      goal: goals[peer],
    };
  });
}

/** Serves the files of `folder`. */
function serveFolder(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(folder, decodeURIComponent(request.url ?? ''))));
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
