/** A log of more than one tile is walked down to its last entry by whoever looks for damage, and by whoever brings a mirror. */
import { beforeAll, expect, test } from 'vitest';
import { logPolicies } from '../../../signer/assemble-log.ts';
import { mirrorRepository } from '../../../signer/care/mirror-repository.ts';
import type { Finding } from '../../../signer/care/finding.ts';
import { draftLogAppend } from '../../../signer/draft-log-append.ts';
import { APPEND_ENTRIES_MAX } from '../../../signer/log-memory.ts';
import { appendToLog } from '../../../signer/publish.ts';
import { readLog } from '../../../signer/read-log.ts';
import { verifyLogAppend } from '../../../signer/verify-log-append.ts';
import { encodeLogLeaf, releaseLeaf } from '../../../formats/log-leaf.ts';
import { makeFaultStore } from '../../../simulation/fault-store.ts';
import { seededRandom } from '../../../simulation/seed.ts';
import { SEED } from '../../simulation/seed.ts';
import { accepted } from '../../accepted.ts';
import { LOGGED } from '../../logged-repository.ts';
import { LOG_SIGNER } from '../../tiny-log.ts';
import { makeTinyRepository } from '../../tiny-repository.ts';
import { publishAll } from '../publishing.ts';
import { checked, checkOnce, found, mediumOver, sourceOver, type History } from './published.ts';

/** Appends of as many entries as one may have, until there are two full tiles and a third one that is not. */
const APPENDS = 6;
const PREFIX = 'gateway/log/tile/';
/** A tile that is full, or its bundle. */
const FULL = /\/tile\/(entries|0)\/00[01]$/;

let history: History;
let names: readonly string[];

beforeAll(async () => {
  const repository = await makeTinyRepository({ log: LOGGED });
  const store = makeFaultStore();
  accepted(await publishAll(repository, store));
  const policies = logPolicies(repository.roots());
  const bytes = repository.newest('stable');
  for (let append = 0; append < APPENDS; append++) {
    const place = { store: store.store, product: 'gateway', policies };
    const log = accepted(await readLog(place, await store.memory.readLog()));
    const entries = Array.from({ length: APPEND_ENTRIES_MAX }, (_, i) =>
      encodeLogLeaf(
        releaseLeaf(repository.id, {
          channel: 'stable',
          version: 1000 + append * APPEND_ENTRIES_MAX + i,
          ...{ bytes, release: '1.0.0' },
        }),
      ),
    );
    const draft = await draftLogAppend(log, entries, [LOG_SIGNER]);
    const verified = verifyLogAppend(draft, { repository: repository.id, policies, check: checkOnce });
    accepted(await appendToLog(accepted(verified), store));
  }
  history = { repository, store, former: new Map() };
  names = [...store.objects.keys()].sort();
});

/** The findings about `name` where `bytes` stand in its place, or nothing. */
async function codesOf(name: string, bytes: Uint8Array | undefined): Promise<readonly string[]> {
  const objects = new Map(history.store.objects);
  if (bytes === undefined) objects.delete(name);
  else objects.set(name, bytes);
  const about = ({ object }: Finding): boolean => object === name;
  return (await found(history, objects)).filter(about).map(({ code }) => code);
}

test('it is whole, and every full tile, bundle and proof of it is reached', async () => {
  const result = await checked(history, history.store.objects);
  expect(result.findings.all()).toEqual([]);
  expect(result.logSize).toBe(APPENDS * APPEND_ENTRIES_MAX + 3);
  const full = names.filter((name) => FULL.test(name));
  expect(full).toEqual(['0/000', '0/001', 'entries/000', 'entries/001'].map((tile) => `${PREFIX}${tile}`));
  const proofs = names.filter((name) => name.includes('/log/proof/'));
  expect(proofs).toHaveLength(result.logSize ?? 0);
  for (const name of [...full, ...proofs]) expect(result.reached.has(name.slice('gateway/'.length)), name).toBe(true);
});

test(`a full tile, a full bundle, or the tile above them that is gone, cut, or changed in one byte is named (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const above = names
    .filter((name) => name.startsWith(`${PREFIX}1/`))
    .sort((a, b) => Number(/\d+$/.exec(a)) - Number(/\d+$/.exec(b)));
  const newest = above.at(-1);
  if (newest === undefined) throw new Error('there is a tile above');
  for (const name of [...names.filter((each) => FULL.test(each)), newest]) {
    const bytes = history.store.objects.get(name) ?? new Uint8Array();
    expect(await codesOf(name, undefined), name).toContain('NOT_FOUND');
    expect(await codesOf(name, bytes.slice(0, random(bytes.length))), name).not.toEqual([]);
    const changed = bytes.slice();
    const at = random(bytes.length);
    changed[at] = (changed[at] ?? 0) ^ (1 + random(255));
    expect(await codesOf(name, changed), `${name} at ${at}`).not.toEqual([]);
  }
});

test('a full tile with the content of another one is named, though both are of this log', async () => {
  for (const level of ['0', 'entries']) {
    const [first, second] = [`${PREFIX}${level}/000`, `${PREFIX}${level}/001`];
    expect(await codesOf(first, history.store.objects.get(second))).toContain('LOG_TILE_MALFORMED');
    expect(await codesOf(second, history.store.objects.get(first))).toContain('LOG_TILE_MALFORMED');
  }
});

test('a mirror of it is whole, and a second run brings none of its full tiles again', async () => {
  const kept = new Map<string, Uint8Array>();
  const { repository, store } = history;
  const asked: string[] = [];
  const run = { place: mediumOver(kept).place, repository: repository.id, check: checkOnce, now: repository.now };
  const { source } = sourceOver(store.objects);
  const open = (name: string): ReturnType<typeof source.open> => {
    asked.push(name);
    return source.open(name);
  };
  const brought = accepted(await mirrorRepository({ ...run, source: { open } }));
  expect(brought.logSize).toBe(APPENDS * APPEND_ENTRIES_MAX + 3);
  expect((await checked(history, kept, { isBlind: true })).findings.all()).toEqual([]);
  expect(asked.filter((name) => FULL.test(name))).toHaveLength(4);
  accepted(await mirrorRepository({ ...run, source: { open } }));
  expect(asked.filter((name) => FULL.test(name))).toHaveLength(4);
});
