/** Cases of sections 5.0, and 5.4 to 5.6.6: one refresh, step by step. */
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
import { ROOT_CASES } from './root-cases.ts';

const UNMET = 'METADATA_THRESHOLD_UNMET';
const DAY_MS = 86_400_000;
const NOTHING_NAMED = { length: undefined, sha256: undefined };

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
    {
      ...{ clause: length, says: `the kept ${role} is not the file of which a greater length is named` },
      ...{
        outcome: 'METADATA_LENGTH_MISMATCH',
        kept: `root 1, snapshot ${role === 'snapshot' ? 1 : 2}, targets 1, timestamp 2`,
      },
      change: async ({ repository }: ClauseScene) => {
        const longer = { version: 1, length: 100_000, sha256: undefined };
        if (role === 'snapshot') repository.named = longer;
        else repository.meta.set('targets.json', longer);
        await repository.publish(...(role === 'snapshot' ? [] : ['snapshot']), 'timestamp');
      },
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
export const WORKFLOW_CASES: readonly ClauseCase[] = [...ROOT_CASES, ...JUDGED, ...KEPT, ...FILES, ...ROLLBACKS];
