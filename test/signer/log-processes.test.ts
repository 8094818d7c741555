/** Two publishers of one logged product, each a process of its own, one of which is killed behind any of its writes: one log, nothing lost. */
import { execFile } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodePublishRequest, type RequestPart } from '../../formats/publish-request.ts';
import { parseCheckpoint } from '../../formats/checkpoint.ts';
import { parseEntryBundle } from '../../formats/log-tiles.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { openCareStore } from '../../cli/care-store.ts';
import { storeValue } from '../../cli/store-address.ts';
import { checkRepository } from '../../signer/care/check-repository.ts';
import { objectStoreFolder } from '../../signer/object-store-folder.ts';
import type { Changes } from '../../signer/publication.ts';
import { openStateDatabase } from '../../signer/signer-state-database.ts';
import { accepted } from '../accepted.ts';
import { LOGGED } from '../logged-repository.ts';
import { seededSigner } from '../seeded-signer.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { makeTinyRepository, TINY_NOW, type TinyRepository } from '../tiny-repository.ts';
import { checkOnce } from './care/published.ts';
import { allChanges, filesOf } from './publishing.ts';

const CHANNELS = ['stable', 'beta'];
/** Memory, bundle, tile, proof, checkpoint, channel, snapshot, memory, timestamp; and two files, where the other one did not bring them. */
const WRITES = 9;
const WRITES_MAX = 11;
const RUN_MS_MAX = 120_000;

function requestOf({ roots = [], targets, channels = new Map(), targetFiles = [] }: Changes): Uint8Array {
  const part = (kind: RequestPart['kind'], bytes: Uint8Array, name?: string): RequestPart => ({ kind, bytes, name });
  return encodePublishRequest([
    ...roots.map((bytes) => part('root', bytes)),
    ...(targets === undefined ? [] : [part('targets', targets)]),
    ...[...channels].map(([name, bytes]) => part('channel', bytes, name)),
    ...targetFiles.map((bytes) => part('file', bytes)),
  ]);
}

/** Publishes the request in the file `request` in a process of its own. @returns whether it lived to say so. */
function run(folder: string, request: string, kill = 0): Promise<boolean> {
  const script = join(import.meta.dirname, 'log-publisher.ts');
  return new Promise((resolve, fail) => {
    execFile(process.execPath, [script, folder, request, String(kill)], { timeout: RUN_MS_MAX }, (fault, stdout) => {
      if (fault === null) resolve(stdout === 'done\n');
      else if (kill > 0 && fault.signal === 'SIGKILL') resolve(false);
      else fail(new Error(`${request} ended: ${fault.message}`));
    });
  });
}

type Look = {
  readonly entries: readonly string[];
  readonly damage: readonly unknown[];
  readonly versions: readonly unknown[];
};

async function look(folder: string, { id }: TinyRepository): Promise<Look> {
  const store = objectStoreFolder(join(folder, 'store'));
  const bytesOf = async (name: string): Promise<Uint8Array> =>
    (await store.get(`gateway/log/${name}`, 1_000_000))?.bytes ?? new Uint8Array();
  const { size } = accepted(parseCheckpoint(await bytesOf('checkpoint')));
  const entries = accepted(parseEntryBundle(await bytesOf(`tile/entries/000.p/${size}`), size));
  const database = await openStateDatabase(join(folder, 'state.db'), true);
  const memory = database.memoryOf('gateway');
  const { source, list } = accepted(await openCareStore({ store: storeValue(join(folder, 'store')) }));
  const checked = await checkRepository({
    ...{ source, list, repository: id, check: checkOnce, now: TINY_NOW, limits: { peopleMs: 0, onlineMs: 0 } },
    memory: { state: memory.read, log: await memory.readLog() },
  });
  database.close();
  return {
    entries: entries.map(sha256Hex),
    damage: checked.findings.all().filter(({ level }) => level === 'damage'),
    versions: CHANNELS.map((channel) => checked.roles.get(channel)),
  };
}

test('two at once, the one killed behind any write of its own: each release is logged once, in one log, and both are published', async () => {
  const folder = temporaryFolder('log-processes');
  const at = (...names: string[]): string => join(folder, ...names);
  const repository = await makeTinyRepository({ log: LOGGED, online: seededSigner('online of many processes') });
  writeFileSync(at('founding'), requestOf(allChanges(repository)));
  expect(await run(at('before'), at('founding'))).toBe(true);
  const released = await repository.publishRelease({ securityCounter: 2 });
  for (const channel of CHANNELS) {
    const channels = new Map([[channel, repository.newest(channel)]]);
    writeFileSync(at(channel), requestOf({ channels, targetFiles: filesOf(released) }));
  }
  let killed = 0;
  for (let kill = 1; kill <= WRITES_MAX; kill++) {
    const scene = at(`scene-${kill}`);
    cpSync(at('before'), scene, { recursive: true });
    const [lived, other] = await Promise.all([run(scene, at('stable'), kill), run(scene, at('beta'))]);
    expect(other, `killed behind write ${kill}`).toBe(true);
    if (!lived) killed++;
    expect((await look(scene, repository)).damage, `killed behind write ${kill}`).toEqual([]);
    expect(await run(scene, at('stable'))).toBe(true);
    const after = await look(scene, repository);
    expect(after, `killed behind write ${kill}`).toMatchObject({ damage: [], versions: [2, 2] });
    expect(after.entries, `killed behind write ${kill}`).toHaveLength(5);
    expect(new Set(after.entries).size).toBe(5);
  }
  expect(killed).toBeGreaterThanOrEqual(WRITES);
});
