/** Cases of sections 5.0 to 5.6.6, and 6.1: one refresh, step by step. */
import { concatBytes, encodeUtf8 } from '../../../formats/bytes.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { NOW } from '../tuf-client/simulated-repository.ts';
import {
  FIRST,
  keptAfter,
  publish,
  refused,
  taken,
  type ClauseCase,
  type ClauseScene,
  type FileRole,
} from './clause-case.ts';

const UNMET = 'METADATA_THRESHOLD_UNMET';
const DAY_MS = 86_400_000;
const NOTHING_NAMED = { length: undefined, sha256: undefined };

/** Root 2 gives root the keys `next`, of which `threshold` must sign; it is signed by the holders `by`. */
async function rotateRoot(
  { repository }: ClauseScene,
  {
    next,
    threshold,
    by,
  }: { readonly next: readonly string[]; readonly threshold: number; readonly by: readonly string[] },
): Promise<void> {
  repository.rotate('root', ...next);
  repository.root.roles = { ...repository.root.roles, root: { ...repository.root.roles.root, threshold } };
  repository.signers.set('root', by.map(seededSigner));
  await repository.publish('root');
}

/** The client has seen version 99 of `role`, which an attacker signed; the repository goes back to where it was. */
async function fastForwarded(
  { repository, client }: ClauseScene,
  role: 'timestamp' | 'snapshot' | 'targets',
): Promise<void> {
  repository.versions.set(role, 98);
  await repository.publish(...new Set([role, 'snapshot', 'timestamp']));
  await client.refresh();
  repository.versions.set(role, 1);
}

const ROOT: readonly ClauseCase[] = [
  {
    ...{ clause: '5.2', says: 'a root that has expired still leads to the next one' },
    outcome: 'root 2, snapshot 1, targets 1, timestamp 1',
    ...{ fresh: true, setup: (r) => r.expires.set('root', NOW - DAY_MS) },
    change: async ({ repository }) => {
      repository.expires.delete('root');
      await repository.publish('root');
    },
  },
  {
    ...{
      clause: '5.3.3',
      says: 'the next root is asked for by its version, and then the one after it',
      outcome: keptAfter('root', true),
    },
    asked: ['2.root.json', '3.root.json', 'timestamp.json'],
    asServed: 'root',
    change: ({ repository }) => repository.publish('root'),
  },
  ...[403, 404].map((status): ClauseCase => ({
    ...{ clause: '5.3.3', says: `status ${status} says that there is no newer root`, outcome: FIRST },
    change: ({ repository }) => void repository.statuses.set('metadata/2.root.json', status),
  })),
  ...[204, 400, 401, 429, 500, 503].map((status): ClauseCase => ({
    ...{ clause: '5.3.3', says: `status ${status} of a newer root is no absence`, outcome: 'RESPONSE_UNEXPECTED' },
    ...{ kept: FIRST, asked: ['2.root.json'] },
    change: ({ repository }) => void repository.statuses.set('metadata/2.root.json', status),
  })),
  {
    ...{
      clause: '5.3.3',
      says: 'a root of more than 512,000 bytes is refused',
      outcome: 'METADATA_TOO_LARGE',
      kept: FIRST,
    },
    change: async ({ repository }) => {
      await repository.publish('root');
      const long = concatBytes(repository.newest('root'), new Uint8Array(512_000).fill(0x20));
      repository.files.set('metadata/2.root.json', long);
    },
  },
  {
    ...{ clause: '5.3.4', says: 'a root that only its own keys signed is refused', outcome: UNMET, kept: FIRST },
    change: (scene) => rotateRoot(scene, { next: ['new'], threshold: 1, by: ['new'] }),
  },
  {
    ...{ clause: '5.3.4', says: 'a root that only the old keys signed is refused', outcome: UNMET, kept: FIRST },
    change: (scene) => rotateRoot(scene, { next: ['new'], threshold: 1, by: ['tuf root'] }),
  },
  {
    ...{ clause: '5.3.4', says: 'a root that strangers signed too is accepted', outcome: keptAfter('root', true) },
    change: (scene) => rotateRoot(scene, { next: ['new'], threshold: 1, by: ['stranger', 'new', 'tuf root', 'other'] }),
  },
  {
    ...{ clause: '6.1', says: '2 of the old and 3 of the new keys sign the change of a threshold from 2 to 3' },
    ...{ outcome: keptAfter('root', true), setup: (r) => void r.rotate('root', 'a', 'b') },
    change: (scene) => rotateRoot(scene, { next: ['b', 'c', 'd', 'e'], threshold: 3, by: ['a', 'b', 'c', 'd'] }),
  },
  ...[
    ['a', 'c', 'd', 'e'],
    ['a', 'b', 'c'],
  ].map((by): ClauseCase => ({
    ...{ clause: '6.1', says: `${by.join()} are too few for a threshold of 2 of a and b, then of 3 of b to e` },
    ...{ outcome: UNMET, kept: FIRST, setup: (r) => void r.rotate('root', 'a', 'b') },
    change: (scene) => rotateRoot(scene, { next: ['b', 'c', 'd', 'e'], threshold: 3, by }),
  })),
  ...[1, 3].map((version): ClauseCase => ({
    ...{ clause: '5.3.5', bugs: ['CVE-2025-2885'], says: `root ${version} in the place of root 2 is refused` },
    ...{ outcome: 'ROOT_VERSION_NOT_NEXT', kept: FIRST },
    change: async ({ repository }) => {
      repository.versions.set('root', version - 1);
      await repository.publish('root');
      repository.files.set('metadata/2.root.json', repository.newest('root'));
    },
  })),
  {
    ...{
      clause: '5.3.6',
      says: 'a root between that has expired is passed',
      outcome: 'root 3, snapshot 1, targets 1, timestamp 1',
    },
    change: async ({ repository }) => {
      repository.expires.set('root', NOW - DAY_MS);
      await repository.publish('root');
      repository.expires.delete('root');
      await repository.publish('root');
    },
  },
  {
    ...{ clause: '5.3.8', bugs: ['CVE-2020-15163'], says: 'a good root before a bad one is kept, the bad one is not' },
    ...{ outcome: UNMET, kept: 'root 2, snapshot 1, targets 1, timestamp 1' },
    change: async ({ repository }) => {
      await repository.publish('root', 'root');
      repository.tamper('root', ['signed', 'expires'], '2039-01-01T00:00:00Z');
    },
  },
  {
    ...{ clause: '5.3.10', says: 'a last root that expires at the very start ends the run, and is kept' },
    ...{
      outcome: 'METADATA_EXPIRED',
      kept: 'root 2, snapshot 1, targets 1, timestamp 1',
      asked: ['2.root.json', '3.root.json'],
    },
    change: async ({ repository }) => {
      repository.expires.set('root', NOW);
      await repository.publish('root');
    },
  },
  ...(['timestamp', 'snapshot'] as const).flatMap((keys) =>
    (['timestamp', 'snapshot', 'targets'] as const)
      .filter((role) => keys === 'snapshot' || role !== 'targets')
      .map((role): ClauseCase => ({
        ...{ clause: '5.3.11', says: `new keys of ${keys} let the version of ${role} fall` },
        outcome: 'root 2, snapshot 2, targets 2, timestamp 2',
        change: async (scene) => {
          await fastForwarded(scene, role);
          const { repository } = scene;
          repository.rotate(keys, `new ${keys}`);
          for (const one of ['targets', 'snapshot', 'timestamp']) repository.versions.set(one, 1);
          await repository.publish('root', 'targets', 'snapshot', 'timestamp');
        },
      })),
  ),
  ...(['timestamp', 'snapshot', 'targets'] as const).map((role): ClauseCase => ({
    ...{
      clause: '5.3.11',
      says: `new keys of targets do not let the version of ${role} fall`,
      bugs: ['CVE-2022-29173'],
    },
    outcome: role === 'targets' ? 'SNAPSHOT_ROLLBACK' : 'TIMESTAMP_ROLLBACK',
    change: async (scene) => {
      await fastForwarded(scene, role);
      const { repository } = scene;
      repository.rotate('targets', 'new targets');
      if (role === 'timestamp') repository.versions.set('snapshot', 1);
      await repository.publish('root', 'targets', 'snapshot', 'timestamp');
    },
  })),
  {
    ...{ clause: '5.3.11', says: 'what the new keys did not sign is deleted, though the run goes no further' },
    ...{ outcome: 'NOT_FOUND', kept: 'root 2, targets 1' },
    change: async ({ repository }) => {
      repository.rotate('snapshot', 'new snapshot');
      await repository.publish('root');
      repository.files.delete('metadata/timestamp.json');
    },
  },
  ...[true, false].map((isConsistent): ClauseCase => ({
    ...{ clause: '5.3.12', says: `the last root turns consistent snapshots ${isConsistent ? 'on' : 'off'}` },
    ...{
      outcome: 'root 2, snapshot 2, targets 2, timestamp 2',
      setup: (r) => (r.root.consistentSnapshot = !isConsistent),
    },
    asked: isConsistent
      ? ['2.root.json', '3.root.json', 'timestamp.json', '2.snapshot.json', '2.targets.json']
      : ['2.root.json', '3.root.json', 'timestamp.json', 'snapshot.json', 'targets.json'],
    change: async ({ repository }) => {
      repository.root.consistentSnapshot = isConsistent;
      await repository.publishAll();
    },
  })),
];

const byStrangers =
  (role: FileRole): NonNullable<ClauseCase['change']> =>
  async (scene) => {
    scene.repository.signers.set(role, [seededSigner('stranger')]);
    await publish(scene, role);
  };

/** What every role below root is held to, by the clauses of that role. */
const ROLES = [
  {
    role: 'timestamp',
    length: undefined,
    hash: undefined,
    signed: '5.4.2',
    version: undefined,
    fresh: '5.4.4',
    kept: '5.4.5',
  },
  {
    role: 'snapshot',
    length: '5.5.1',
    hash: '5.5.2',
    signed: '5.5.3',
    version: '5.5.4',
    fresh: '5.5.6',
    kept: '5.5.7',
  },
  { role: 'targets', length: '5.6.1', hash: '5.6.2', signed: '5.6.3', version: '5.6.4', fresh: '5.6.5', kept: '5.6.6' },
] as const;

const JUDGED: readonly ClauseCase[] = ROLES.flatMap(({ role, signed, fresh }): readonly ClauseCase[] => [
  {
    ...{
      clause: signed,
      says: `${role} that strangers signed is refused`,
      outcome: UNMET,
      kept: keptAfter(role, false),
    },
    change: byStrangers(role),
  },
  {
    ...{
      clause: signed,
      says: `one of two signatures is too few for ${role}`,
      outcome: UNMET,
      kept: keptAfter(role, false),
    },
    setup: (r) => void r.rotate(role, 'one', 'two'),
    change: async (scene) => {
      scene.repository.signers.set(role, scene.repository.signersOf(role).slice(1));
      await publish(scene, role);
    },
  },
  refused(
    { clause: signed, role, says: `${role} that was altered is refused`, send: [[['signed', 'version'], 3]] },
    UNMET,
  ),
  {
    ...{
      clause: fresh,
      bugs: ['CVE-2025-2888'],
      says: `${role} that expires at the very start is refused and not kept`,
    },
    ...{ outcome: 'METADATA_EXPIRED', kept: keptAfter(role, false) },
    change: async (scene) => {
      scene.repository.expires.set(role, NOW);
      await publish(scene, role);
    },
  },
  {
    ...{
      clause: fresh,
      says: `${role} that expires a second after the start is accepted`,
      outcome: keptAfter(role, true),
    },
    change: async (scene) => {
      scene.repository.expires.set(role, NOW + 1000);
      await publish(scene, role);
    },
  },
]);

const KEPT: readonly ClauseCase[] = ROLES.flatMap(({ role, kept }): readonly ClauseCase[] => [
  {
    ...{ clause: '5.0', says: `after a ${role} that was refused, the next good one is accepted` },
    outcome: {
      timestamp: 'root 1, snapshot 1, targets 1, timestamp 3',
      snapshot: 'root 1, snapshot 3, targets 1, timestamp 3',
      targets: 'root 1, snapshot 3, targets 3, timestamp 3',
    }[role],
    change: async (scene) => {
      const before = scene.repository.signersOf(role);
      await byStrangers(role)(scene);
      await scene.client.refresh();
      scene.repository.signers.set(role, before);
      await publish(scene, role);
    },
  },
  {
    ...{ clause: kept, says: `${role} is kept as it came, white space and all`, outcome: keptAfter(role, true) },
    asServed: role,
    change: async (scene) => {
      await publish(scene, role);
      const { repository } = scene;
      repository.files.set(repository.pathOf(role), concatBytes(repository.newest(role), encodeUtf8(' \n')));
    },
  },
  {
    ...{
      clause: '5.0',
      says: `${role} that is not there ends the run, and what came before it is kept`,
      outcome: 'NOT_FOUND',
    },
    kept: keptAfter(role, false),
    change: async (scene) => {
      await publish(scene, role);
      scene.repository.files.delete(scene.repository.pathOf(role));
    },
  },
]);

/** What the parent of a file says of it, and how the file is judged that does not fit. */
const NAMED = [
  ['another SHA-256', { sha256: '0'.repeat(64) }, 'METADATA_HASH_MISMATCH'],
  ['another SHA-512', { sha512: '0'.repeat(128) }, 'METADATA_HASH_MISMATCH'],
  [
    'a hash of an unknown kind alone',
    { sha256: undefined, sha512: undefined, unknown: new Map([['x', 'ab']]) },
    'METADATA_HASH_MISMATCH',
  ],
  ['a greater length', { length: 100_000 }, 'METADATA_LENGTH_MISMATCH'],
  ['a smaller length', { length: 10 }, 'METADATA_TOO_LARGE'],
] as const;

const FILES: readonly ClauseCase[] = (['snapshot', 'targets'] as const).flatMap((role) => {
  const { length, hash, version } = ROLES[role === 'snapshot' ? 1 : 2];
  const name = async ({ repository }: ClauseScene, change: object): Promise<void> => {
    await repository.publish(role);
    if (role === 'snapshot') repository.named = { ...repository.named, ...change };
    else
      repository.meta.set('targets.json', { ...(repository.meta.get('targets.json') ?? repository.named), ...change });
    await repository.publish(...(role === 'snapshot' ? [] : ['snapshot']), 'timestamp');
  };
  return [
    ...NAMED.map(([what, change, outcome]): ClauseCase => ({
      ...{
        clause: what.endsWith('length') ? length : hash,
        says: `${role} of which ${what} is named is refused`,
        outcome,
      },
      ...{ kept: keptAfter(role, false), setup: (r) => (r.namesHashes = true), change: (scene) => name(scene, change) },
    })),
    {
      ...{ clause: hash, says: `${role} whose length and hashes fit is accepted`, outcome: keptAfter(role, true) },
      ...{ setup: (r) => (r.namesHashes = true), change: (scene) => publish(scene, role) },
    },
    ...[1, 3].map((other): ClauseCase => ({
      ...{
        clause: version,
        says: `${role} ${other} in the place of ${role} 2 is refused`,
        outcome: 'METADATA_VERSION_MISMATCH',
      },
      kept: keptAfter(role, false),
      change: async (scene) => {
        await publish(scene, role);
        await scene.repository.rewrite(role, ['version'], other);
      },
    })),
  ];
});

const ROLLBACKS: readonly ClauseCase[] = [
  {
    ...{
      clause: '5.4.1',
      says: 'a timestamp of more than 16,384 bytes is refused',
      outcome: 'METADATA_TOO_LARGE',
      kept: FIRST,
    },
    change: ({ repository }) =>
      void repository.files.set(
        'metadata/timestamp.json',
        concatBytes(repository.newest('timestamp'), new Uint8Array(16_384)),
      ),
  },
  {
    ...{ clause: '5.4.1', says: 'it has no version in its address', fresh: true, outcome: FIRST },
    asked: ['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json'],
  },
  {
    ...{
      clause: '5.4.3.1',
      bugs: ['CVE-2022-29173'],
      says: 'a lower version is refused',
      outcome: 'TIMESTAMP_ROLLBACK',
    },
    ...{ setup: (r) => void r.versions.set('timestamp', 4), kept: 'root 1, snapshot 1, targets 1, timestamp 5' },
    change: async ({ repository }) => {
      repository.versions.set('timestamp', 3);
      await repository.publish('timestamp');
    },
  },
  {
    ...{
      clause: '5.4.3.1',
      says: 'a lower version is refused, though the kept one has expired',
      outcome: 'TIMESTAMP_ROLLBACK',
    },
    setup: (r) => {
      r.versions.set('timestamp', 4);
      r.expires.set('timestamp', NOW + DAY_MS);
    },
    change: async ({ repository, client }) => {
      client.now = NOW + 2 * DAY_MS;
      repository.versions.set('timestamp', 3);
      repository.expires.delete('timestamp');
      await repository.publish('timestamp');
    },
  },
  {
    ...{ clause: '5.4.3.1', says: 'of the same version the kept one goes on, whatever the other says', outcome: FIRST },
    asked: ['2.root.json', 'timestamp.json'],
    change: async ({ repository }) => {
      repository.named = { version: 100, ...NOTHING_NAMED };
      repository.versions.set('timestamp', 0);
      await repository.publish('timestamp');
    },
  },
  {
    ...{
      clause: '5.4.3.2',
      says: 'a newer timestamp that names an older snapshot is refused',
      outcome: 'TIMESTAMP_ROLLBACK',
    },
    kept: 'root 1, snapshot 2, targets 1, timestamp 2',
    change: async (scene) => {
      await publish(scene, 'snapshot');
      await scene.client.refresh();
      scene.repository.named = { version: 1, ...NOTHING_NAMED };
      await scene.repository.publish('timestamp');
    },
  },
  ...(['targets.json', 'a.json'] as const).flatMap((file) =>
    (['an older version of', 'no longer'] as const).map((what): ClauseCase => ({
      ...{
        clause: '5.5.5',
        says: `a newer snapshot that names ${what} ${file} is refused`,
        outcome: 'SNAPSHOT_ROLLBACK',
      },
      setup: (r) => void r.delegate('targets', 'a'),
      change: async (scene) => {
        const { repository, client } = scene;
        await repository.publish('a', 'targets', 'snapshot', 'timestamp');
        await client.refresh();
        if (what === 'no longer') repository.meta.delete(file);
        else repository.meta.set(file, { version: 1, ...NOTHING_NAMED });
        await publish(scene, 'snapshot');
      },
    })),
  ),
  {
    ...{
      clause: '5.5.5',
      says: 'a rollback is seen, though the kept snapshot has expired',
      outcome: 'SNAPSHOT_ROLLBACK',
    },
    setup: (r) => void r.expires.set('snapshot', NOW + DAY_MS),
    change: async (scene) => {
      const { repository, client } = scene;
      await publish(scene, 'targets');
      await client.refresh();
      client.now = NOW + 2 * DAY_MS;
      repository.expires.delete('snapshot');
      repository.meta.set('targets.json', { version: 1, ...NOTHING_NAMED });
      await publish(scene, 'snapshot');
    },
  },
  taken({
    ...{ clause: '5.5.5', role: 'snapshot', says: 'a role may come' },
    sign: [[['meta', 'new.json'], { version: 1 }]],
  }),
];

/** Every case of these sections. */
export const WORKFLOW_CASES: readonly ClauseCase[] = [...ROOT, ...JUDGED, ...KEPT, ...FILES, ...ROLLBACKS];
