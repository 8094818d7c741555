/** What no publisher puts into a store, and a file system lets anybody put there: it is named, hides nothing, and is waited for by nobody. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openCareStore } from '../../../cli/care-store.ts';
import { checkRepository } from '../../../signer/care/check-repository.ts';
import type { Finding } from '../../../signer/care/finding.ts';
import { accepted } from '../../accepted.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { checkOnce, LIMITS, publishedHistory, type History } from './published.ts';

let history: History;
let names: readonly string[];
beforeAll(async () => {
  history = await publishedHistory();
  names = [...history.store.objects.keys()].sort();
});

/** The first object of a published repository whose name fits. */
const named = (pattern: RegExp): string => names.find((name) => pattern.test(name)) ?? '';

/** The published repository in a folder. */
function stored(): string {
  const folder = temporaryFolder('odd-store');
  for (const [name, bytes] of history.store.objects) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}

async function foundIn(folder: string): Promise<readonly Finding[]> {
  const { source, list } = accepted(await openCareStore({ store: { folder } }));
  const { repository } = history;
  const seen = await checkRepository({
    ...{ source, list, repository: repository.id, check: checkOnce, now: repository.now, limits: LIMITS },
    memory: undefined,
  });
  return seen.findings.all();
}

test('a link, a pipe or a folder in the place of an object is damage at that object, and hides no other', async () => {
  const folder = stored();
  const at = (name: string): string => join(folder, name);
  const odd = [named(/\/targets\/.*\.js$/), named(/\/log\/proof\//), named(/\/1\.stable\.json$/), named(/\/entries\//)];
  expect(odd).not.toContain('');
  const [target = '', proof = '', role = '', bundle = ''] = odd;
  for (const name of odd) rmSync(at(name));
  symlinkSync('/dev/zero', at(target));
  execFileSync('mkfifo', [at(proof)]);
  symlinkSync('nowhere', at(role));
  mkdirSync(at(bundle));
  const seen = (await foundIn(folder)).filter(({ object }) => odd.includes(object));
  expect(new Set(seen.map(({ object }) => object))).toEqual(new Set(odd));
  for (const { object, level } of seen) expect(level, object).toBe('damage');
});

test('a folder under the name that the next publication needs is named, for no publisher passes it', async () => {
  const folder = stored();
  const newest = names.map((name) => Number(/\/metadata\/(\d+)\.snapshot\.json$/.exec(name)?.[1] ?? 0));
  const next = `gateway/metadata/${Math.max(...newest) + 1}.snapshot.json`;
  mkdirSync(join(folder, next));
  const seen = await foundIn(folder);
  expect(seen.filter(({ object }) => object === next)).toEqual([
    expect.objectContaining({ level: 'damage', code: 'FILE_UNREADABLE' }),
  ]);
});
