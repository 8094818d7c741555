/** What one release writes is counted: it does not grow with the releases before it, nor with the products beside it. */
import { expect, test } from 'vitest';
import { makeFaultStore } from '../../simulation/fault-store.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { LOG_SIGNER } from '../tiny-log.ts';
import { foundProduct, plainBuild } from '../plain-product.ts';
import { seededSigner } from '../seeded-signer.ts';
import { accepted } from '../accepted.ts';
import { TINY_NOW } from '../tiny-repository.ts';

const online = seededSigner('online');

/** The objects that a release writes, after `releases` others, each name once. */
async function writtenAfter(releases: number, isLogged: boolean): Promise<readonly string[]> {
  const built = await plainBuild();
  const files = [built.image, built.provenance];
  const product = await foundProduct(
    { product: 'gateway', releases, online: online.key, now: TINY_NOW, isLogged },
    built,
  );
  const { store, memory } = makeFaultStore();
  const written = new Set<string>();
  const counted = {
    get: store.get,
    put: (...[name, bytes, condition]: Parameters<typeof store.put>) => {
      written.add(name);
      return store.put(name, bytes, condition);
    },
  };
  const options = { store: counted, memory, product: 'gateway', now: TINY_NOW, onlineSigners: [online, LOG_SIGNER] };
  accepted(await publishChanges(options, { ...product.changes, targetFiles: files }));
  written.clear();
  const channels = new Map([['stable', await product.next()]]);
  accepted(await publishChanges(options, { channels, targetFiles: files }));
  return [...written].map((name) => name.replace(/^gateway\//, ''));
}

test('a release writes three objects of TUF beside its own files, however many releases were before it', async () => {
  for (const releases of [1, 10, 100]) {
    const written = await writtenAfter(releases, false);
    const own = written.filter((name) => name.startsWith('targets/next/'));
    expect(own).toHaveLength(2);
    expect(written.filter((name) => !own.includes(name))).toEqual([
      'metadata/2.stable.json',
      'metadata/2.snapshot.json',
      'metadata/timestamp.json',
    ]);
  }
});

test('where root demands a log a release writes four objects more: tile, entries, proof, checkpoint', async () => {
  for (const releases of [1, 100]) {
    const written = await writtenAfter(releases, true);
    expect(written.filter((name) => name.startsWith('metadata/'))).toHaveLength(3);
    const log = written.filter((name) => name.startsWith('log/')).map((name) => name.replace(/[0-9a-f]{64}/, 'LEAF'));
    expect(log.toSorted()).toEqual([
      'log/checkpoint',
      'log/proof/LEAF',
      'log/tile/0/000.p/3',
      'log/tile/entries/000.p/3',
    ]);
    expect(written.filter((name) => !/^(metadata|targets|log)\//.test(name))).toEqual([]);
  }
});
