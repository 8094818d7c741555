/** The refresh, step by step as the TUF specification orders it, against whoever owns server and online keys. */
import { beforeEach, describe, expect, test } from 'vitest';
import { ROOTS_MAX } from '../../../formats/boot-bundle.ts';
import type { SeenMetadata } from '../../../formats/seen-metadata.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { ROOT_BYTES_MAX } from '../../../formats/tuf-root.ts';
import { SNAPSHOT_BYTES_MAX, TIMESTAMP_BYTES_MAX } from '../../../formats/tuf-snapshot.ts';
import { TARGETS_BYTES_MAX } from '../../../formats/tuf-targets.ts';
import { refresh, type Refreshed, type RefreshInput } from '../../../bootloader-verifier/agent/refresh.ts';
import { metaFileOf } from '../../../signer/draft-online.ts';
import { SNAPSHOT_LIFETIME_MS, TIMESTAMP_LIFETIME_MS } from '../../../signer/lifetimes.ts';
import type { Signer } from '../../../signer/signer.ts';
import { faultNetwork, NO_FAULTS, type FaultNetwork } from '../../../simulation/fault-network.ts';
import { accepted } from '../../accepted.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { edited } from '../../edited-metadata.ts';
import { publishForged } from '../../stolen-online-keys.ts';
import { rememberingCheck } from '../../tiny-device.ts';
import { makeTinyRepository, signedOf, TINY_NOW, type TinyRepository } from '../../tiny-repository.ts';

const check = rememberingCheck();
let repository: TinyRepository;
let network: FaultNetwork;

beforeEach(async () => {
  repository = await makeTinyRepository();
  network = faultNetwork(repository.files, NO_FAULTS);
});

type Change = Partial<Pick<RefreshInput, 'seen' | 'now' | 'rootsAtHand' | 'device'>>;

function refreshWith(change: Change = {}): ReturnType<typeof refresh> {
  const device = repository.device({ check });
  return refresh({ device, client: network, rootsAtHand: [], seen: undefined, now: repository.now, ...change });
}

/** The code of a refresh, or that it went through. */
async function outcome(change: Change = {}): Promise<string> {
  const verdict = await refreshWith(change);
  return verdict.ok ? 'accepted' : verdict.code;
}

async function seenNow(): Promise<SeenMetadata> {
  return accepted(await refreshWith()).seen;
}

/** The names of the requests since the last call. */
function asked(): readonly string[] {
  return network.requests.map(({ name }) => name.replace('metadata/', ''));
}

describe('an honest server', () => {
  test('the files are fetched in the order of the specification, each once, and handed out as they were signed', async () => {
    const refreshed = accepted(await refreshWith());
    expect(asked()).toEqual(['2.root.json', 'timestamp.json', '2.snapshot.json', '1.targets.json', '1.stable.json']);
    expect(refreshed).toMatchObject({
      roots: repository.roots(),
      targets: repository.newest('targets'),
      channel: repository.newest('stable'),
      seen: { snapshot: repository.newest('snapshot') },
    } satisfies Partial<Refreshed> | object);
  });

  test('no file is fetched before the one that names it was accepted', async () => {
    const order = ['timestamp.json', '2.snapshot.json', '1.targets.json', '1.stable.json'];
    for (const [index, name] of order.entries()) {
      repository = await makeTinyRepository();
      const file = repository.files.get(`metadata/${name}`) ?? new Uint8Array();
      network = faultNetwork(new Map([...repository.files, [`metadata/${name}`, file.subarray(1)]]), NO_FAULTS);
      expect(await outcome()).not.toBe('accepted');
      expect(asked().slice(1)).toEqual(order.slice(0, index + 1));
    }
  });

  test('new roots are walked one by one from the pinned one, wherever a copy of that is found', async () => {
    await repository.publishRoot();
    await repository.publishRoot();
    const roots = repository.roots();
    const [, second = expect.unreachable()] = roots;
    expect(accepted(await refreshWith()).roots).toEqual(roots);
    const floors = { ...repository.floors, root: { version: 2, sha256: sha256Hex(second) } };
    const device = repository.device({ check, floors });
    expect(accepted(await refreshWith({ device })).roots).toEqual(roots.slice(1));
    expect(
      asked()
        .filter((name) => name.endsWith('root.json'))
        .slice(-3),
    ).toEqual(['2.root.json', '3.root.json', '4.root.json']);
    expect(accepted(await refreshWith({ device, rootsAtHand: roots })).roots).toEqual(roots.slice(1));
    expect(
      asked()
        .filter((name) => name.endsWith('root.json'))
        .at(-1),
    ).toBe('4.root.json');
  });
});

describe('roots', () => {
  const sign = async (change: Readonly<Record<string, number>>, signers?: readonly Signer[]): Promise<void> => {
    const signed = edited(await repository.publishRoot(), change);
    repository.files.set('metadata/2.root.json', await repository.sign('root', signed, signers));
  };

  test('a root that the former keys did not sign, or of another version, ends the refresh', async () => {
    await sign({}, repository.signers.get('targets'));
    expect(await outcome()).toBe('METADATA_THRESHOLD_UNMET');
    await sign({ version: 3 });
    expect(await outcome()).toBe('ROOT_VERSION_NOT_NEXT');
    expect(asked()).not.toContain('timestamp.json');
  });

  test('the keys of a new root count from the same refresh on, and the retired ones no more', async () => {
    const timestamp = [seededSigner('new timestamp')];
    const quorums = { timestamp: { keys: timestamp.map(({ key }) => key), threshold: 1 } };
    await repository.publishRoot({ quorums });
    expect(await outcome()).toBe('METADATA_THRESHOLD_UNMET');
    await publishForged(repository, { signers: { timestamp } });
    expect(await outcome()).toBe('accepted');
  });

  test('the pinned root is taken from the server only by its digest', async () => {
    const second = await repository.publishRoot();
    const floors = { ...repository.floors, root: { version: 2, sha256: sha256Hex(second) } };
    const device = repository.device({ check, floors });
    expect(await outcome({ device })).toBe('accepted');
    const again = await repository.sign('root', signedOf(second), repository.signers.get('root'));
    repository.files.set('metadata/2.root.json', again);
    expect(await outcome({ device })).toBe('ROOT_ROLLBACK');
    repository.files.delete('metadata/2.root.json');
    await expect(outcome({ device })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a root of another repository is refused, although the keys have signed it', async () => {
    const other = await makeTinyRepository({ product: 'other' });
    const forged = await other.publishRoot();
    repository.files.set('metadata/2.root.json', forged);
    expect(await outcome()).toBe('REPOSITORY_MISMATCH');
  });

  test('the chain has as many links as a boot bundle holds, and not one request more is sent', async () => {
    while (repository.roots().length < ROOTS_MAX + 2) await repository.publishRoot();
    const refreshed = accepted(await refreshWith());
    expect(refreshed.roots).toHaveLength(ROOTS_MAX);
    expect(asked().filter((name) => name.endsWith('root.json'))).toHaveLength(ROOTS_MAX - 1);
  });
});

describe('expiry, to the moment', () => {
  test('the newest root, not an older one, is asked whether it has expired', async () => {
    const root = await repository.publishRoot();
    const at = (expires: string): Promise<Uint8Array> => repository.sign('root', edited(root, { expires }));
    repository.files.set('metadata/2.root.json', await at('2026-01-01T00:00:01Z'));
    expect(await outcome({ now: TINY_NOW + 999 })).toBe('accepted');
    expect(await outcome({ now: TINY_NOW + 1_000 })).toBe('METADATA_EXPIRED');
    const third = await repository.sign('root', edited(root, { version: 3 }));
    repository.files.set('metadata/3.root.json', third);
    expect(await outcome({ now: TINY_NOW + 1_000 })).toBe('accepted');
  });

  test('timestamp and snapshot are accepted up to the moment of their expiry, and not at it', async () => {
    expect(await outcome({ now: TINY_NOW + TIMESTAMP_LIFETIME_MS - 1 })).toBe('accepted');
    expect(await outcome({ now: TINY_NOW + TIMESTAMP_LIFETIME_MS })).toBe('METADATA_EXPIRED');
    await publishForged(repository, { timestampExpires: TINY_NOW + 2 * SNAPSHOT_LIFETIME_MS });
    expect(await outcome({ now: TINY_NOW + SNAPSHOT_LIFETIME_MS - 1 })).toBe('accepted');
    expect(await outcome({ now: TINY_NOW + SNAPSHOT_LIFETIME_MS })).toBe('METADATA_EXPIRED');
  });

  test('targets and channel likewise, although nobody but the online keys has signed anything new', async () => {
    const expires = '2026-01-01T12:00:00Z';
    const halfDay = Date.UTC(2026, 0, 1, 12);
    for (const role of ['targets', 'stable']) {
      repository = await makeTinyRepository();
      network = faultNetwork(repository.files, NO_FAULTS);
      const signed = edited(repository.newest(role), { version: 2, expires });
      repository.put(role, await repository.sign(role, signed));
      await repository.publishOnline();
      expect(await outcome({ now: halfDay - 1 })).toBe('accepted');
      expect(await outcome({ now: halfDay }), role).toBe('METADATA_EXPIRED');
    }
  });
});

describe('rollback, against what was seen', () => {
  test('an older timestamp is refused, and so is one that names an older snapshot', async () => {
    const old = repository.files.get('metadata/timestamp.json') ?? new Uint8Array();
    await repository.publishOnline();
    const seen = await seenNow();
    const newer = repository.files.get('metadata/timestamp.json') ?? new Uint8Array();
    repository.files.set('metadata/timestamp.json', old);
    expect(await outcome()).toBe('accepted');
    expect(await outcome({ seen })).toBe('TIMESTAMP_ROLLBACK');
    repository.files.set('metadata/timestamp.json', newer);
    await publishForged(repository, { snapshotVersion: 2 });
    expect(await outcome({ seen })).toBe('TIMESTAMP_ROLLBACK');
    await publishForged(repository, { snapshotVersion: 3 });
    expect(await outcome({ seen })).toBe('accepted');
  });

  test('a second timestamp of the version that was seen is not looked at: the seen one goes on', async () => {
    const seen = await seenNow();
    await publishForged(repository, { timestampVersion: 2, snapshotVersion: 9 });
    const refreshed = accepted(await refreshWith({ seen }));
    expect(refreshed.seen).toEqual(seen);
    expect(asked().at(-3)).toBe('2.snapshot.json');
    expect(await outcome({ seen, now: TINY_NOW + TIMESTAMP_LIFETIME_MS })).toBe('METADATA_EXPIRED');
  });

  test('a snapshot that names an older version of a role is refused, of the own channel and of any other', async () => {
    await repository.publishRelease();
    await repository.publishTargets();
    const seen = await seenNow();
    for (const role of ['targets.json', 'stable.json', 'beta.json']) {
      const older = repository.files.get(`metadata/1.${role}`) ?? new Uint8Array();
      await publishForged(repository, { meta: (meta) => meta.set(role, metaFileOf(1, older)) });
      expect(await outcome({ seen }), role).toBe('SNAPSHOT_ROLLBACK');
      await publishForged(repository, {
        meta: (meta) => meta.set(role, metaFileOf(2, repository.newest(role.slice(0, -5)))),
      });
    }
    expect(await outcome({ seen })).toBe('accepted');
  });

  test('a snapshot that drops a role is refused', async () => {
    const seen = await seenNow();
    await publishForged(repository, { meta: (meta) => meta.delete('beta.json') });
    expect(await outcome({ seen })).toBe('SNAPSHOT_ROLLBACK');
    expect(await outcome()).toBe('accepted');
  });

  test('what was seen and cannot be read any more is forgotten, and is no reason to stand still', async () => {
    const garbage = new Uint8Array(20);
    expect(await outcome({ seen: { timestamp: garbage, snapshot: garbage } })).toBe('accepted');
  });

  test('what was seen must be signed by the keys of the newest root: nobody else can make a device refuse', async () => {
    const honest = await seenNow();
    const other = await makeTinyRepository({ seed: 'other' });
    for (let i = 0; i < 5; i++) await other.publishOnline();
    const timestamp = other.files.get('metadata/timestamp.json') ?? new Uint8Array();
    expect(await outcome({ seen: { ...honest, timestamp } })).toBe('accepted');
  });
});

describe('fast-forward: stolen online keys push versions to the end', () => {
  const top = Number.MAX_SAFE_INTEGER;

  test.each(['timestamp', 'snapshot'] as const)('a rotation of the %s key alone recovers', async (rotated) => {
    await publishForged(repository, {
      timestampVersion: top,
      snapshotVersion: top,
      meta: (meta) => meta.set('beta.json', { version: top, length: undefined, sha256: undefined }),
    });
    const seen = await seenNow();
    repository.files.delete(`metadata/${top}.snapshot.json`);
    const signers = [seededSigner(`new ${rotated}`)];
    await repository.publishRoot({ quorums: { [rotated]: { keys: signers.map(({ key }) => key), threshold: 1 } } });
    const meta = (listed: Map<string, unknown>): void => {
      listed.set('beta.json', metaFileOf(1, repository.newest('beta')));
    };
    await publishForged(repository, { timestampVersion: 3, snapshotVersion: 3, meta, signers: { [rotated]: signers } });
    expect(await outcome({ seen })).toBe('accepted');
  });

  test('without a rotation the device keeps refusing', async () => {
    await publishForged(repository, { timestampVersion: top });
    const seen = await seenNow();
    await publishForged(repository, { timestampVersion: 3 });
    expect(await outcome({ seen })).toBe('TIMESTAMP_ROLLBACK');
  });
});

describe('mix-and-match', () => {
  test('a snapshot that is not the one that the timestamp names is refused: other bytes, longer, or another version', async () => {
    const honest = repository.newest('snapshot');
    await publishForged(repository, { snapshotVersion: 3 });
    repository.files.set('metadata/3.snapshot.json', honest);
    expect(await outcome()).toBe('METADATA_HASH_MISMATCH');
    await publishForged(repository, { snapshotVersion: 4, named: { length: honest.length - 1, sha256: undefined } });
    await expect(outcome()).rejects.toMatchObject({ code: 'RESPONSE_TOO_LARGE' });
    await publishForged(repository, {
      snapshotVersion: 5,
      named: { version: 6, length: undefined, sha256: undefined },
    });
    repository.files.set('metadata/6.snapshot.json', repository.newest('snapshot'));
    expect(await outcome()).toBe('METADATA_VERSION_MISMATCH');
  });

  test('a role that is not the one that the snapshot names is refused: other bytes, or another version', async () => {
    await repository.publishRelease();
    await repository.publishTargets();
    for (const role of ['targets', 'stable']) {
      const file = `${role}.json`;
      const older = repository.files.get(`metadata/1.${file}`) ?? new Uint8Array();
      const newer = repository.newest(role);
      repository.files.set(`metadata/2.${file}`, older);
      expect(await outcome(), role).toBe('METADATA_HASH_MISMATCH');
      const unhashed = { version: 2, length: undefined, sha256: undefined };
      await publishForged(repository, { meta: (meta) => meta.set(file, unhashed) });
      expect(await outcome(), role).toBe('METADATA_VERSION_MISMATCH');
      repository.files.set(`metadata/2.${file}`, newer);
      await publishForged(repository, { meta: (meta) => meta.set(file, metaFileOf(2, newer)) });
    }
    expect(await outcome()).toBe('accepted');
  });

  test('a channel that the snapshot does not list, or that nobody delegates, is refused', async () => {
    await publishForged(repository, { meta: (meta) => meta.delete('stable.json') });
    expect(await outcome()).toBe('ROLE_NOT_DELEGATED');
    const factory = { ...repository.factory, channelName: 'nightly' };
    expect(await outcome({ device: repository.device({ check, factory }) })).toBe('ROLE_NOT_DELEGATED');
  });

  test('online parts of another product, or signed for another role, are refused, although one key signs both', async () => {
    const product = { ...repository.id, product: 'other' };
    const root = { ...repository.id, rootOneSha256: '00'.repeat(32) };
    for (const id of [product, root]) {
      await publishForged(repository, { repository: id });
      expect(await outcome()).toBe('REPOSITORY_MISMATCH');
    }
    await publishForged(repository, { roles: { timestamp: 'snapshot' } });
    expect(await outcome()).toBe('ROLE_MISMATCH');
    await publishForged(repository, { roles: { snapshot: 'stable' } });
    expect(await outcome()).toBe('ROLE_MISMATCH');
  });
});

describe('endless data', () => {
  test('no file is asked for beyond the limit of its role, whatever length its parent names', async () => {
    const length = Number.MAX_SAFE_INTEGER;
    await publishForged(repository, {
      meta: (meta) => {
        for (const [file, named] of meta) meta.set(file, { ...named, length });
      },
      named: { length },
    });
    expect(await outcome()).toBe('accepted');
    expect(network.requests.map(({ bytesMax }) => bytesMax)).toEqual([
      ROOT_BYTES_MAX,
      TIMESTAMP_BYTES_MAX,
      SNAPSHOT_BYTES_MAX,
      TARGETS_BYTES_MAX,
      TARGETS_BYTES_MAX,
    ]);
  });

  test('where the parent names a length, not one byte more is asked for', async () => {
    accepted(await refreshWith());
    const limits = new Map(network.requests.map(({ name, bytesMax }) => [name, bytesMax]));
    expect(limits.get('metadata/2.snapshot.json')).toBe(repository.newest('snapshot').length);
    expect(limits.get('metadata/1.targets.json')).toBe(repository.newest('targets').length);
    expect(limits.get('metadata/1.stable.json')).toBe(repository.newest('stable').length);
  });

  test('a server that never ends an answer is an operation error, at each file', async () => {
    for (let index = 0; index < 5; index++) {
      network = faultNetwork(repository.files, {
        ...NO_FAULTS,
        choose: (_, i) => (i === index ? { kind: 'endless' } : undefined),
      });
      await expect(outcome()).rejects.toMatchObject({ code: 'RESPONSE_TOO_LARGE', retriable: true });
      expect(network.requests).toHaveLength(index + 1);
    }
  });
});
