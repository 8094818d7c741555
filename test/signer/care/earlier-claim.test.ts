/** A claim to the log that an earlier version left in the store, in the eyes of whoever looks after a repository. */
import { beforeEach, expect, test } from 'vitest';
import { encodeLogLeaf, releaseLeaf } from '../../../formats/log-leaf.ts';
import { mirrorRepository } from '../../../signer/care/mirror-repository.ts';
import { planGarbage } from '../../../signer/care/collect-garbage.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import { makeFaultStore, type FaultStore } from '../../../simulation/fault-store.ts';
import { accepted } from '../../accepted.ts';
import { LOGGED } from '../../logged-repository.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';
import { asEarlier, CLAIM, putEarlierClaim, treeOf } from '../earlier-version.ts';
import { optionsFor, publishAll } from '../publishing.ts';
import { checkOnce, found, mediumOver, sourceOver } from './published.ts';

let repository: TinyRepository;
let store: FaultStore;
beforeEach(async () => {
  repository = await makeTinyRepository({ log: LOGGED });
  const published = makeFaultStore();
  accepted(await publishAll(repository, published));
  store = await asEarlier(published);
});

function entry(version: number): Uint8Array {
  const release = { channel: 'stable', version, bytes: new Uint8Array(), release: '2.0.0' };
  return encodeLogLeaf(releaseLeaf(repository.id, release));
}

function garbageOf(): ReturnType<typeof planGarbage> {
  return planGarbage({
    ...{ ...sourceOver(store.objects), repository: repository.id, check: checkOnce, now: repository.now },
    limits: { peopleMs: 0, onlineMs: 0 },
    rules: { versionsMin: 1, ageMs: 0, incomingAgeMs: 0 },
    memory: store.memory,
  });
}

test('leads on until it is finished, and is an old paper from the next append on: it stays where it is, and in no mirror', async () => {
  const look = (): ReturnType<typeof found> => found({ repository, store, former: new Map() }, store.objects);
  const claim = await putEarlierClaim(store, [entry(2)]);
  const begun: unknown = expect.objectContaining({ level: 'warning', object: CLAIM, code: 'PUBLICATION_UNFINISHED' });
  expect(await look()).toEqual([begun]);
  expect(await garbageOf()).toMatchObject({ code: 'PUBLICATION_UNFINISHED' });
  accepted(await store.memory.writeLog(treeOf(claim), await store.memory.readLog()));
  expect((await look()).map(({ level, code }) => `${level} ${code}`)).toEqual([
    'warning PUBLICATION_UNFINISHED',
    'warning PUBLICATION_UNFINISHED',
  ]);
  accepted(await publishChanges(optionsFor(repository, store), {}));
  expect(await look()).toEqual([]);
  // Of a memory that knows its entries it claims nothing, whatever it says.
  await putEarlierClaim(store, [entry(3), entry(4)]);
  expect(await look()).toEqual([]);
  expect(accepted(await garbageOf()).objects.map(({ name }) => name)).not.toContain(CLAIM);
  const mirrored = new Map<string, Uint8Array>();
  const { source } = sourceOver(store.objects);
  accepted(
    await mirrorRepository({
      ...{ repository: repository.id, source, check: checkOnce },
      ...{ place: mediumOver(mirrored).place, now: repository.now },
    }),
  );
  expect(mirrored.has('gateway/log/checkpoint')).toBe(true);
  expect(mirrored.has(CLAIM)).toBe(false);
});

test('by another hand is damage', async () => {
  await putEarlierClaim(store, [entry(2)], seededSigner('a stranger'));
  const findings = await found({ repository, store, former: new Map() }, store.objects);
  expect(findings).toEqual([
    expect.objectContaining({ level: 'damage', object: CLAIM, code: 'LOG_SIGNATURE_INVALID' }),
  ]);
});
