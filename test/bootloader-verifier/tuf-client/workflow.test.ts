/** The detailed client workflow of TUF 1.0.34, clause by clause, against a repository in memory. */
import { describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8, equalBytes } from '../../../formats/bytes.ts';
import { ROOTS_A_RUN_MAX } from '../../../bootloader-verifier/agent/tuf-client/refresh-metadata.ts';
import { edited } from '../../formats/sample-repository.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { NOW, simulate, type SimulatedClient } from './simulated-repository.ts';

const UNKNOWN = { sha256: undefined, sha512: undefined, unknown: new Map([['blake2b', 'ab']]) };
const FIRST = 'root 1, snapshot 1, targets 1, timestamp 1';

describe('a refresh', () => {
  test('asks for the next root, timestamp, snapshot and targets, and keeps the bytes as they came', async () => {
    const { repository, client } = await simulate(undefined, 'fresh');
    expect(await client.refresh()).toBe(FIRST);
    expect(repository.requests).toEqual(['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json']);
    for (const [role, bytes] of client.kept) {
      const name = role === 'timestamp' ? role : `1.${role}`;
      expect(equalBytes(bytes, repository.files.get(`metadata/${name}.json`) ?? new Uint8Array()), role).toBe(true);
    }
  });

  test('without consistent snapshots asks for snapshot and targets under their bare names', async () => {
    const { repository, client } = await simulate((r) => (r.root.consistentSnapshot = false), 'fresh');
    expect(await client.refresh()).toBe(FIRST);
    expect(repository.requests).toEqual(['2.root.json', 'timestamp.json', 'snapshot.json', 'targets.json']);
  });

  test('asks for nothing again that is kept and still named', async () => {
    const { repository, client } = await simulate();
    await client.refresh();
    expect(repository.requests).toEqual(['2.root.json', 'timestamp.json']);
    await repository.publish('timestamp');
    expect(await client.refresh()).toBe('root 1, snapshot 1, targets 1, timestamp 2');
    expect(repository.requests).toEqual(['2.root.json', 'timestamp.json']);
  });

  test('keeps a file with white space around it as it came', async () => {
    const { repository, client } = await simulate(undefined, 'fresh');
    const spaced = concatBytes(repository.files.get('metadata/timestamp.json') ?? new Uint8Array(), encodeUtf8(' \n'));
    repository.files.set('metadata/timestamp.json', spaced);
    await client.refresh();
    expect(client.kept.get('timestamp')).toEqual(spaced);
  });

  test('without a kept root refuses, and asks for nothing', async () => {
    const { repository, client } = await simulate();
    client.kept.clear();
    expect(await client.refresh()).toBe('NOT_FOUND');
    expect(repository.requests).toEqual([]);
  });

  test('from a kept root that nobody signed refuses, and asks for nothing', async () => {
    const { repository, client } = await simulate();
    client.kept.set('root', edited(client.kept.get('root') ?? new Uint8Array(), ['signatures'], []));
    expect(await client.refresh()).toBe('METADATA_THRESHOLD_UNMET');
    expect(repository.requests).toEqual([]);
  });
});

describe('root (5.3)', () => {
  test('every version between is taken, one by one, though all but the last have expired', async () => {
    const { repository, client } = await simulate();
    repository.expires.set('root', NOW - 1);
    for (const next of ['two', 'three']) {
      const old = repository.signersOf('root');
      repository.rotate('root', next);
      const [fresh] = [repository.signersOf('root')];
      repository.signers.set('root', [...old, ...fresh]);
      await repository.publish('root');
      repository.signers.set('root', fresh);
    }
    repository.expires.delete('root');
    await repository.publish('root');
    expect(await client.refresh()).toBe('root 4, snapshot 1, targets 1, timestamp 1');
  });

  test('a root that the keys before it did not sign is refused and not kept (5.3.4)', async () => {
    const { repository, client } = await simulate();
    repository.rotate('root', 'stranger');
    await repository.publish('root');
    expect(await client.refresh()).toBe('METADATA_THRESHOLD_UNMET');
    expect(client.versions()).toBe(FIRST);
  });

  test('a root that its own keys did not sign is refused and not kept (5.3.4)', async () => {
    const { repository, client } = await simulate();
    const old = repository.signersOf('root');
    repository.rotate('root', 'two');
    repository.signers.set('root', old);
    await repository.publish('root');
    expect(await client.refresh()).toBe('METADATA_THRESHOLD_UNMET');
    expect(client.versions()).toBe(FIRST);
  });

  test.each([1, 3])('version %d under the name of version 2 is refused (5.3.5)', async (version) => {
    const { repository, client } = await simulate();
    repository.versions.set('root', version - 1);
    await repository.publish('root');
    const bytes = repository.files.get(`metadata/${version}.root.json`) ?? new Uint8Array();
    repository.files.set('metadata/2.root.json', bytes);
    expect(await client.refresh()).toBe('ROOT_VERSION_NOT_NEXT');
    expect(client.versions()).toBe(FIRST);
  });

  test('the newest root is kept although it has expired, and nothing after it is asked for (5.3.8, 5.3.10)', async () => {
    const { repository, client } = await simulate();
    repository.expires.set('root', NOW);
    await repository.publishAll();
    expect(await client.refresh()).toBe('METADATA_EXPIRED');
    expect(client.versions()).toBe('root 2, snapshot 1, targets 1, timestamp 1');
    expect(repository.requests).toEqual(['2.root.json', '3.root.json']);
  });

  test('a good root before a bad one is kept, and the next run goes on from it', async () => {
    const { repository, client } = await simulate();
    await repository.publish('root', 'root');
    const whole = repository.files.get('metadata/3.root.json') ?? new Uint8Array();
    repository.files.set('metadata/3.root.json', edited(whole, ['signatures'], []));
    expect(await client.refresh()).toBe('METADATA_THRESHOLD_UNMET');
    expect(client.versions()).toBe('root 2, snapshot 1, targets 1, timestamp 1');
    repository.files.set('metadata/3.root.json', whole);
    expect(await client.refresh()).toBe('root 3, snapshot 1, targets 1, timestamp 1');
    expect(repository.requests[0]).toBe('3.root.json');
  });

  test('one run takes as many roots as its limit, and the next run those that are left', async () => {
    const { repository, client } = await simulate();
    for (let count = 0; count < ROOTS_A_RUN_MAX + 1; count++) await repository.publish('root');
    await client.refresh();
    expect(client.versions()).toMatch(new RegExp(`^root ${ROOTS_A_RUN_MAX + 1},`));
    await client.refresh();
    expect(client.versions()).toMatch(new RegExp(`^root ${ROOTS_A_RUN_MAX + 2},`));
  });

  test('403 ends the search for newer roots like 404; any other status ends the run', async () => {
    const { repository, client } = await simulate();
    const answering = (status: number): SimulatedClient['client'] => ({
      ...client.client,
      fetcher: async (url) => ({ ...(await repository.fetcher(url)), ...(url.endsWith('root.json') && { status }) }),
    });
    const { refreshMetadata } = await import('../../../bootloader-verifier/agent/tuf-client/refresh-metadata.ts');
    expect((await refreshMetadata(answering(403))).ok).toBe(true);
    for (const status of [204, 400, 410, 500, 503])
      await expect(refreshMetadata(answering(status)), String(status)).rejects.toMatchObject({
        code: 'RESPONSE_UNEXPECTED',
      });
  });
});

describe('fast-forward recovery (5.3.11)', () => {
  const forward = async (role: 'timestamp' | 'snapshot' | 'targets'): ReturnType<typeof simulate> => {
    const scene = await simulate();
    scene.repository.versions.set(role, 99);
    await scene.repository.publish(...new Set([role, 'snapshot', 'timestamp']));
    await scene.client.refresh();
    scene.repository.versions.set(role, 0);
    return scene;
  };

  test('new timestamp keys let the version of the timestamp fall', async () => {
    const { repository, client } = await forward('timestamp');
    await repository.publish('timestamp');
    expect(await client.refresh()).toBe('TIMESTAMP_ROLLBACK');
    repository.rotate('timestamp', 'new timestamp');
    repository.versions.set('timestamp', 0);
    await repository.publish('root', 'timestamp');
    expect(await client.refresh()).toContain('timestamp 1');
  });

  test.each(['timestamp', 'snapshot'] as const)('new %s keys let the version of the snapshot fall', async (role) => {
    const { repository, client } = await forward('snapshot');
    await repository.publish('snapshot', 'timestamp');
    expect(await client.refresh()).toBe('TIMESTAMP_ROLLBACK');
    repository.rotate(role, `new ${role}`);
    repository.versions.set('snapshot', 0);
    await repository.publish('root', 'snapshot', 'timestamp');
    expect(await client.refresh()).toContain('snapshot 1');
  });

  test('new snapshot keys let the version of a role fall, and a role leave', async () => {
    const { repository, client } = await forward('targets');
    repository.meta.set('gone.json', { version: 7, length: undefined, sha256: undefined });
    await repository.publish('snapshot', 'timestamp');
    await client.refresh();
    repository.meta.delete('gone.json');
    await repository.publish('targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('SNAPSHOT_ROLLBACK');
    repository.rotate('snapshot', 'new snapshot');
    repository.versions.set('targets', 0);
    await repository.publish('root', 'targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toContain('targets 1');
  });

  test('what the new keys did not sign is deleted, also where the run goes no further', async () => {
    const { repository, client } = await simulate();
    repository.rotate('timestamp', 'new timestamp');
    await repository.publish('root');
    repository.files.delete('metadata/timestamp.json');
    expect(await client.refresh()).toBe('NOT_FOUND');
    expect(client.versions()).toBe('root 2, targets 1');
  });

  test('a damaged snapshot in the folder is no reason to forget the timestamp', async () => {
    const { repository, client } = await simulate();
    await repository.publish('timestamp');
    await client.refresh();
    client.kept.set('snapshot', encodeUtf8('{'));
    repository.versions.set('timestamp', 0);
    await repository.publish('timestamp');
    expect(await client.refresh()).toBe('TIMESTAMP_ROLLBACK');
  });
});

describe('timestamp (5.4)', () => {
  test.each(['timestamp', 'snapshot', 'targets'] as const)(
    '%s that strangers signed is refused, and what was accepted before it is kept',
    async (role) => {
      const { repository, client } = await simulate(undefined, 'fresh');
      repository.signers.set(role, [seededSigner('stranger')]);
      await repository.publish('targets', 'snapshot', 'timestamp');
      expect(await client.refresh()).toBe('METADATA_THRESHOLD_UNMET');
      const kept = { timestamp: 'root 1', snapshot: 'root 1, timestamp 2', targets: 'root 1, snapshot 2, timestamp 2' };
      expect(client.versions()).toBe(kept[role]);
    },
  );

  test('of the version that is kept, whatever else it says, the kept one goes on, and nothing is an error (5.4.3.1)', async () => {
    const { repository, client } = await simulate();
    repository.named = { version: 100, length: undefined, sha256: undefined };
    repository.versions.set('timestamp', 0);
    await repository.publish('timestamp');
    const before = client.kept.get('timestamp');
    expect(await client.refresh()).toBe(FIRST);
    expect(client.kept.get('timestamp')).toBe(before);
    expect(repository.requests.at(-1)).toBe('timestamp.json');
  });

  test('that names an older snapshot is refused (5.4.3.2)', async () => {
    const { repository, client } = await simulate();
    await repository.publish('snapshot', 'timestamp');
    await client.refresh();
    repository.named = { version: 1, length: undefined, sha256: undefined };
    await repository.publish('timestamp');
    expect(await client.refresh()).toBe('TIMESTAMP_ROLLBACK');
    expect(client.versions()).toContain('timestamp 2');
  });

  test.each(['timestamp', 'snapshot', 'targets'] as const)(
    '%s that expires at the very start of the run is refused and not kept (5.4.4, 5.5.6, 5.6.5)',
    async (role) => {
      const { repository, client } = await simulate();
      repository.expires.set(role, NOW);
      await repository.publish('targets', 'snapshot', 'timestamp');
      expect(await client.refresh()).toBe('METADATA_EXPIRED');
      expect(client.versions()).toContain(`${role} 1`);
      client.now = NOW - 1000;
      expect(await client.refresh()).toContain(`${role} 2`);
    },
  );

  test('a kept timestamp that has expired still holds back an older one', async () => {
    const { repository, client } = await simulate((r) => r.versions.set('timestamp', 4));
    client.now = NOW + 20 * 86_400_000;
    repository.versions.set('timestamp', 2);
    await repository.publish('timestamp');
    expect(await client.refresh()).toBe('TIMESTAMP_ROLLBACK');
  });

  test('of another type is refused, whoever signed it', async () => {
    const { repository, client } = await simulate((r) => {
      r.signers.set('snapshot', r.signersOf('timestamp'));
      r.root.roles = { ...r.root.roles, snapshot: r.root.roles.timestamp };
    });
    const snapshot = repository.files.get('metadata/1.snapshot.json') ?? new Uint8Array();
    repository.files.set('metadata/timestamp.json', snapshot);
    expect(await client.refresh()).toBe('METADATA_TYPE_MISMATCH');
  });

  test('of more bytes than a timestamp may have is refused while it streams', async () => {
    const { repository, client } = await simulate();
    const long = concatBytes(
      repository.files.get('metadata/timestamp.json') ?? new Uint8Array(),
      new Uint8Array(16_384),
    );
    repository.files.set('metadata/timestamp.json', long);
    expect(await client.refresh()).toBe('METADATA_TOO_LARGE');
  });
});

describe('snapshot and targets (5.5, 5.6)', () => {
  test('with lengths and hashes all is accepted, and kept files are not asked for again', async () => {
    const { repository, client } = await simulate((r) => (r.namesHashes = true));
    await repository.publish('targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('root 1, snapshot 2, targets 2, timestamp 2');
    await client.refresh();
    expect(repository.requests).toEqual(['2.root.json', 'timestamp.json']);
  });

  test.each([
    ['another SHA-256', { sha256: '0'.repeat(64) }, 'METADATA_HASH_MISMATCH'],
    ['another SHA-512 beside the right SHA-256', { sha512: '0'.repeat(128) }, 'METADATA_HASH_MISMATCH'],
    ['a hash of an unknown kind alone', UNKNOWN, 'METADATA_HASH_MISMATCH'],
    ['a greater length', { length: 100_000 }, 'METADATA_LENGTH_MISMATCH'],
    ['a smaller length', { length: 10 }, 'METADATA_TOO_LARGE'],
    ['another version', { version: 9 }, 'NOT_FOUND'],
  ] as const)('a snapshot of which the timestamp names %s is refused', async (_, change, code) => {
    const { repository, client } = await simulate((r) => (r.namesHashes = true));
    await repository.publish('snapshot');
    repository.named = { ...repository.named, ...change };
    await repository.publish('timestamp');
    expect(await client.refresh()).toBe(code);
    expect(client.versions()).toContain('snapshot 1');
  });

  test.each([
    ['another SHA-256', { sha256: '0'.repeat(64) }, 'METADATA_HASH_MISMATCH'],
    ['a greater length', { length: 100_000 }, 'METADATA_LENGTH_MISMATCH'],
    ['a smaller length', { length: 10 }, 'METADATA_TOO_LARGE'],
  ] as const)('targets of which the snapshot names %s are refused', async (_, change, code) => {
    const { repository, client } = await simulate((r) => (r.namesHashes = true));
    await repository.publish('targets');
    const named = repository.meta.get('targets.json') ?? repository.named;
    repository.meta.set('targets.json', { ...named, ...change });
    await repository.publish('snapshot', 'timestamp');
    expect(await client.refresh()).toBe(code);
    expect(client.versions()).toBe('root 1, snapshot 2, targets 1, timestamp 2');
  });

  test.each(['snapshot', 'targets'] as const)(
    '%s of another version than is named is refused (5.5.4, 5.6.4)',
    async (role) => {
      const { repository, client } = await simulate();
      await repository.publish(role, role);
      const newest = repository.files.get(`metadata/3.${role}.json`) ?? new Uint8Array();
      repository.files.set(`metadata/4.${role}.json`, newest);
      const named = { version: 4, length: undefined, sha256: undefined };
      if (role === 'targets') repository.meta.set('targets.json', named);
      await repository.publish('snapshot');
      if (role === 'snapshot') {
        repository.named = named;
        repository.files.set('metadata/4.snapshot.json', newest);
      }
      await repository.publish('timestamp');
      expect(await client.refresh()).toBe('METADATA_VERSION_MISMATCH');
      expect(client.versions()).toContain(`${role} 1`);
    },
  );

  test('a snapshot that names an older role, or drops one, is refused (5.5.5)', async () => {
    const { repository, client } = await simulate((r) => r.delegate('targets', 'a'));
    await repository.publish('a', 'targets', 'snapshot', 'timestamp');
    await client.refresh();
    const kept = new Map(repository.meta);
    for (const role of ['a.json', 'targets.json']) {
      repository.meta.set(role, { version: 1, length: undefined, sha256: undefined });
      await repository.publish('snapshot', 'timestamp');
      expect(await client.refresh(), role).toBe('SNAPSHOT_ROLLBACK');
      repository.meta.delete(role);
      await repository.publish('snapshot', 'timestamp');
      expect(await client.refresh(), role).toBe('SNAPSHOT_ROLLBACK');
      repository.meta.set(role, kept.get(role) ?? repository.named);
    }
    expect(client.versions()).toContain('snapshot 2');
  });

  test('a snapshot that does not list the targets role is kept, and the refresh refused', async () => {
    const { repository, client } = await simulate(undefined, 'fresh');
    repository.meta.clear();
    await repository.publish('snapshot', 'timestamp');
    expect(await client.refresh()).toBe('ROLE_NOT_DELEGATED');
  });

  test('a missing snapshot or targets file is no absence: the refresh fails, and the folder has what came before', async () => {
    const { repository, client } = await simulate();
    await repository.publish('targets', 'snapshot', 'timestamp');
    repository.files.delete('metadata/2.targets.json');
    expect(await client.refresh()).toBe('NOT_FOUND');
    expect(client.versions()).toBe('root 1, snapshot 2, targets 1, timestamp 2');
  });

  test('a kept file that was altered is asked for again', async () => {
    const { repository, client } = await simulate();
    for (const role of ['snapshot', 'targets']) {
      const whole = client.kept.get(role) ?? new Uint8Array();
      client.kept.set(role, edited(whole, ['signed', 'expires'], '2039-01-01T00:00:00Z'));
    }
    expect(await client.refresh()).toBe(FIRST);
    expect(repository.requests).toEqual(['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json']);
  });

  test('kept targets of keys that root has replaced are asked for again', async () => {
    const { repository, client } = await simulate();
    repository.rotate('targets', 'new targets');
    await repository.publish('root');
    expect(await client.refresh()).toBe('METADATA_THRESHOLD_UNMET');
    await repository.publish('targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('root 2, snapshot 2, targets 2, timestamp 2');
  });
});

test('a write that fails at any step leaves a folder from which the next run goes on', async () => {
  for (let step = 0; step < 4; step++) {
    const { repository, client } = await simulate();
    await repository.publish('root', 'targets', 'snapshot', 'timestamp');
    let writes = 0;
    const { refreshMetadata } = await import('../../../bootloader-verifier/agent/tuf-client/refresh-metadata.ts');
    const { store } = client;
    const failing = {
      ...client.client,
      store: {
        ...store,
        write: (role: string, bytes: Uint8Array) =>
          writes++ === step ? Promise.reject(new Error('no power')) : store.write(role, bytes),
      },
    };
    await expect(refreshMetadata(failing)).rejects.toThrow('no power');
    expect(await client.refresh()).toBe('root 2, snapshot 2, targets 2, timestamp 2');
  }
});
