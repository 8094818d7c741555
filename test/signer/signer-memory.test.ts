/** R6: a signer signs over what it remembers itself, whatever the store shows; and only one publisher wins. */
import { describe, expect, test } from 'vitest';
import { parseSnapshot, parseTimestamp } from '../../formats/tuf-snapshot.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { encodeSignerState, parseSignerState } from '../../signer/signer-state.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';
import { allChanges, deviceSees, optionsFor, publishAll, refreshFrom } from './publishing.ts';

const DAY_MS = 86_400_000;
const TIMESTAMP = 'gateway/metadata/timestamp.json';

async function published(): Promise<{ readonly repository: TinyRepository; readonly publisher: FaultStore }> {
  const repository = await makeTinyRepository();
  const publisher = makeFaultStore();
  accepted(await publishAll(repository, publisher));
  return { repository, publisher };
}

function shown(publisher: FaultStore): ReturnType<typeof parseTimestamp> {
  return parseTimestamp(publisher.objects.get(TIMESTAMP) ?? new Uint8Array());
}

describe('a store that lies', () => {
  test('a store that shows an older timestamp gets a newer one, over the snapshot that the signer remembers', async () => {
    const { repository, publisher } = await published();
    const old = publisher.objects.get(TIMESTAMP) ?? new Uint8Array();
    await repository.publishRelease();
    accepted(await publishAll(repository, publisher));
    publisher.objects.set(TIMESTAMP, old);
    accepted(await publishChanges(optionsFor(repository, publisher), {}));
    expect(accepted(shown(publisher)).signed).toMatchObject({ version: 3, snapshot: { version: 2 } });
    expect(await deviceSees(publisher.objects, repository)).toEqual({ channel: 2, boots: true });
  });

  test('a store without timestamp, or with one that is not ours, gets a new one', async () => {
    const { repository, publisher } = await published();
    for (const lie of [undefined, new TextEncoder().encode('{"signatures":[],"signed":{}}')]) {
      if (lie === undefined) publisher.objects.delete(TIMESTAMP);
      else publisher.objects.set(TIMESTAMP, lie);
      accepted(await publishChanges(optionsFor(repository, publisher), {}));
      expect(await deviceSees(publisher.objects, repository)).toEqual({ channel: 1, boots: true });
    }
  });

  test.each(['1.snapshot.json', '1.targets.json', '1.stable.json'])(
    'a store that holds another %s than was published gets no signature over it',
    async (file) => {
      const { repository, publisher } = await published();
      const name = `gateway/metadata/${file}`;
      publisher.objects.set(name, new TextEncoder().encode('{}'));
      publisher.restore();
      expect(await publishChanges(optionsFor(repository, publisher), {})).toMatchObject({
        ok: false,
        code: 'REPOSITORY_CONFLICT',
      });
      publisher.objects.delete(name);
      expect(await publishChanges(optionsFor(repository, publisher), {})).toMatchObject({
        code: 'REPOSITORY_CONFLICT',
      });
      expect(publisher.writes()).toBe(0);
    },
  );

  test('a store with another root 1 gets no signature', async () => {
    const { repository, publisher } = await published();
    const other = await makeTinyRepository({ seed: 'other' });
    publisher.objects.set('gateway/metadata/1.root.json', other.factory.root);
    expect(await publishChanges(optionsFor(repository, publisher), {})).toMatchObject({
      ok: false,
      code: 'PUBLICATION_REFUSED',
    });
  });
});

describe('a signer that forgot', () => {
  test('without its state a signer signs nothing for a repository that has a timestamp', async () => {
    const { repository, publisher } = await published();
    const { memory } = makeFaultStore();
    const refusal = await publishChanges(optionsFor(repository, { ...publisher, memory }), allChanges(repository));
    expect(refusal).toMatchObject({ ok: false, code: 'SIGNER_STATE_MISSING' });
  });

  test('with an older state than the repository a signer signs nothing', async () => {
    const { repository, publisher } = await published();
    const { memory } = publisher.copy();
    accepted(await publishChanges(optionsFor(repository, publisher), {}));
    const refusal = await publishChanges(optionsFor(repository, { ...publisher, memory }), {});
    expect(refusal).toMatchObject({ ok: false, code: 'SIGNER_STATE_STALE' });
  });

  test('a state of another product signs nothing', async () => {
    const { repository, publisher } = await published();
    const options = { ...optionsFor(repository, publisher), product: 'other' };
    expect(await publishChanges(options, {})).toMatchObject({ ok: false, code: 'REPOSITORY_MISMATCH' });
  });

  test('a state is read back as it was written, and with a member more, or without one, not at all', () => {
    const state = {
      product: 'gateway',
      rootOneSha256: 'ab'.repeat(32),
      timestampVersion: 7,
      snapshotVersion: 5,
      snapshotSha256: 'cd'.repeat(32),
    };
    const bytes = encodeSignerState(state);
    expect(accepted(parseSignerState(bytes))).toEqual(state);
    const text = new TextDecoder().decode(bytes);
    for (const changed of [
      text.replace('{', '{"more":1,'),
      text.replace('"version":1', '"version":2'),
      text.slice(1),
    ]) {
      expect(parseSignerState(new TextEncoder().encode(changed)).ok).toBe(false);
    }
  });
});

test('a publisher that loses a race to one with a memory of its own signs nothing more, and leaves what that one published', async () => {
  const { repository, publisher } = await published();
  await repository.publishRelease();
  const rival = { store: publisher.store, memory: publisher.copy().memory };
  let raced = false;
  publisher.beforeWrite(async () => {
    if (raced) return;
    raced = true;
    accepted(await publishChanges(optionsFor(repository, rival), {}));
  });
  expect(await publishAll(repository, publisher)).toMatchObject({ ok: false, code: 'SIGNER_STATE_STALE' });
  expect(await deviceSees(publisher.objects, repository)).toEqual({ channel: 1, boots: true });
});

describe('the online roles', () => {
  test('a refresh renews the timestamp alone, and the snapshot once half of its time is over', async () => {
    const { repository, publisher } = await published();
    const at = (days: number): number => repository.now + days * DAY_MS;
    expect(accepted(await publishChanges(optionsFor(repository, publisher, at(3)), {})).written).toEqual([]);
    expect(accepted(shown(publisher)).signed).toMatchObject({ version: 2, snapshot: { version: 1 } });
    accepted(await publishChanges(optionsFor(repository, publisher, at(4)), {}));
    expect(accepted(shown(publisher)).signed).toMatchObject({ version: 3, snapshot: { version: 2 } });
    expect((await refreshFrom(publisher.objects, repository, { now: at(4.5) })).ok).toBe(true);
    expect(await refreshFrom(publisher.objects, repository, { now: at(6) })).toMatchObject({
      code: 'METADATA_EXPIRED',
    });
  });

  test('a refresh never outlives what people signed: with targets expired it is refused', async () => {
    const { repository, publisher } = await published();
    const later = optionsFor(repository, publisher, repository.now + 366 * DAY_MS);
    expect(await publishChanges(later, {})).toMatchObject({ ok: false, code: 'CLOCK_AHEAD' });
    const refusal = await publishChanges({ ...later, vouchedTime: later.now }, {});
    expect(refusal).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED' });
  });

  test('one channel that has expired does not hold up the others', async () => {
    const { repository, publisher } = await published();
    await repository.publishRelease({ channels: ['beta'], draft: { lifetimeMs: DAY_MS } });
    accepted(await publishAll(repository, publisher));
    await repository.publishRelease({ channels: ['stable'] });
    const channels = new Map([['stable', repository.newest('stable')]]);
    const changes = { ...allChanges(repository), channels };
    accepted(await publishChanges(optionsFor(repository, publisher, repository.now + 2 * DAY_MS), changes));
    const refreshed = await refreshFrom(publisher.objects, repository, { now: repository.now + 2 * DAY_MS });
    expect(accepted(refreshed).channelRole.signed.version).toBe(2);
  });

  test('online keys rotate while devices refresh at every moment, when old and new keys sign together', async () => {
    const { repository, publisher } = await published();
    const next = seededSigner('next online');
    const online = { keys: [next.key], threshold: 1 };
    const roots = [await repository.publishRoot({ quorums: { snapshot: online, timestamp: online } })];
    const options = optionsFor(repository, publisher);
    expect(await publishChanges({ ...options, onlineSigners: [next] }, { roots })).toMatchObject({
      code: 'PUBLICATION_REFUSED',
    });
    const moments: unknown[] = [];
    publisher.beforeWrite(async (objects) => void moments.push(await deviceSees(objects, repository)));
    accepted(await publishChanges({ ...options, onlineSigners: [...options.onlineSigners, next] }, { roots }));
    moments.push(await deviceSees(publisher.objects, repository));
    expect(new Set(moments.map((moment) => JSON.stringify(moment)))).toEqual(new Set(['{"channel":1,"boots":true}']));
    accepted(await publishChanges({ ...options, onlineSigners: [next] }, {}));
    expect(await deviceSees(publisher.objects, repository)).toEqual({ channel: 1, boots: true });
  });

  test('a snapshot names every file with version, length and digest, and names itself and its repository', async () => {
    const { repository, publisher } = await published();
    const { signed } = accepted(
      parseSnapshot(publisher.objects.get('gateway/metadata/1.snapshot.json') ?? new Uint8Array()),
    );
    expect([...signed.meta.keys()].sort()).toEqual(['beta.json', 'stable.json', 'targets.json']);
    for (const meta of signed.meta.values())
      expect(meta).toMatchObject({ version: 1, sha256: expect.any(String) as string });
    expect(signed.firmament?.get('root')).toBe(repository.id.rootOneSha256);
  });

  test('snapshots that interrupted runs left behind are passed over, up to a limit', async () => {
    const { repository, publisher } = await published();
    const orphan = (version: number): void =>
      void publisher.objects.set(`gateway/metadata/${version}.snapshot.json`, new Uint8Array([version % 256]));
    for (let version = 2; version <= 65; version++) orphan(version);
    await repository.publishRelease();
    const full = publisher.copy();
    full.objects.set('gateway/metadata/66.snapshot.json', new Uint8Array());
    expect(await publishAll(repository, full)).toMatchObject({ ok: false, code: 'REPOSITORY_CONFLICT' });
    accepted(await publishAll(repository, publisher));
    expect(accepted(shown(publisher)).signed.snapshot.version).toBe(66);
  });
});
