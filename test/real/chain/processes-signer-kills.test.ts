/** The real signer daemon killed at each kind of its writes into a folder: what was acknowledged stays, devices refresh, the store is whole. */
import { watch } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCareStore } from '../../../cli/care-store.ts';
import { seededRandom } from '../../../simulation/seed.ts';
import { accepted } from '../../accepted.ts';
import { allChanges, refreshFrom } from '../../signer/publishing.ts';
import { SEED } from '../../simulation/seed.ts';
import { makeKilledSigner, type KilledSigner, type RunningSigner } from '../killed-signer.ts';
import { countPlaces } from './killed-chain.ts';

const KILLS = 30;
/** Each kind of write is hit this often; rounds go on until it is so. */
const HITS = 5;
const ROUNDS_MAX = 150;
const TEST_MS_MAX = 900_000;
const KINDS = ['target', 'log', 'role', 'memory', 'timestamp'] as const;
type Kind = (typeof KINDS)[number];

let signer: KilledSigner;
let store: string;
let daemon: RunningSigner;
beforeAll(async () => {
  signer = await makeKilledSigner();
  store = join(signer.folder, 'store');
  daemon = await signer.start(['--store', store]);
  expect(await daemon.publish(allChanges(signer.repository))).toBe(true);
});
afterAll(async () => {
  await daemon.kill();
  await rm(signer.folder, { recursive: true });
});

/** What kind of write makes the file `name`, below the test's folder. */
function kindOf(name: string): Kind | undefined {
  if (/(^|\/)\.|lock|sock/.test(name)) return undefined;
  if (name.startsWith('state/')) return 'memory';
  if (name.includes('/targets/')) return 'target';
  if (name.includes('/log/')) return 'log';
  if (name.endsWith('/timestamp.json')) return 'timestamp';
  return name.includes('/metadata/') ? 'role' : undefined;
}

/** All files below `folder`, with the time of their last write, in nanoseconds. */
async function filesIn(folder: string): Promise<ReadonlyMap<string, bigint>> {
  const files = new Map<string, bigint>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1), (await stat(path, { bigint: true })).mtimeNs);
  }
  return files;
}

/** The kind of the write that came last. */
async function lastKind(): Promise<Kind | undefined> {
  const files = [...(await filesIn(signer.folder))].filter(([name]) => kindOf(name) !== undefined);
  const last = files.reduce((a, b) => (b[1] > a[1] ? b : a));
  return kindOf(last[0]);
}

/** Settles at the `count`-th write of `kind`, or once `ended` does. */
function writeOf(kind: Kind, count: number, ended: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    const watcher = watch(signer.folder, { recursive: true }, (_, name) => {
      if (name !== null && kindOf(name) === kind && ++seen >= count) finish();
    });
    const finish = (): void => {
      watcher.close();
      resolve();
    };
    void ended.then(finish, finish);
  });
}

/** The version of `stable` that a device sees now; fails where it does not get through. */
async function seenByDevice(): Promise<number> {
  const objects = new Map<string, Uint8Array>();
  for (const name of (await filesIn(store)).keys()) objects.set(name, await readFile(join(store, name)));
  const refreshed = await refreshFrom(objects, signer.repository, { now: Date.now() });
  return accepted(refreshed).channelRole.signed.version;
}

test(
  `the daemon is killed at each kind of write until each was hit ${HITS} times (seed ${SEED})`,
  async () => {
    const random = seededRandom(SEED);
    const places = countPlaces();
    const isDone = (rounds: number): boolean => rounds >= KILLS && KINDS.every((kind) => places.of(kind) >= HITS);
    let rounds = 0;
    let acknowledged = 0;
    for (; rounds < ROUNDS_MAX && !isDone(rounds); rounds++) {
      const released = await signer.repository.publishRelease({ now: Date.now() });
      const changes = allChanges(signer.repository, [released]);
      const before = await seenByDevice();
      const wanted = KINDS.find((kind) => places.of(kind) < HITS) ?? KINDS[random(KINDS.length)] ?? 'role';
      const publishing = daemon.publish(changes);
      await writeOf(wanted, 1 + random(3), publishing);
      await wait(random(2));
      await daemon.kill();
      const answer = await publishing;
      places.add((await lastKind()) ?? 'nothing');
      const cut = await seenByDevice();
      expect(answer === true ? [before + 1] : [before, before + 1], `round ${rounds}`).toContain(cut);
      if (answer === true) acknowledged++;
      daemon = await signer.start(['--store', store]);
      expect(await daemon.publish(changes), `round ${rounds}`).toBe(true);
      expect(await seenByDevice(), `round ${rounds}`).toBe(before + 1);
      const checked = await signer.check(accepted(await openCareStore({ store: { folder: store } })));
      const unclean = checked.findings.all().filter(({ code }) => code !== 'OBJECT_ORPHANED');
      expect(unclean, `round ${rounds}`).toEqual([]);
    }
    process.stdout.write(
      `${rounds} kills of the signer, ${acknowledged} after its answer, fell after a write of: ${places.text()}\n`,
    );
    for (const kind of KINDS) expect(places.of(kind), kind).toBeGreaterThanOrEqual(HITS);
  },
  TEST_MS_MAX,
);
