/** Cases of section 5.3, and 6.1: from the root that is trusted to the newest one. */
import { concatBytes } from '../../../formats/bytes.ts';
import { keysOf, roleOf } from '../../formats/sample-repository.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { NOW } from '../tuf-client/simulated-repository.ts';
import { FIRST, keptAfter, type ClauseCase, type ClauseScene } from './clause-case.ts';

const UNMET = 'METADATA_THRESHOLD_UNMET';
const DAY_MS = 86_400_000;

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

/** Root 2, under which a second key must sign `role` beside the former one. */
async function addKey({ repository }: ClauseScene, role: 'timestamp' | 'snapshot'): Promise<void> {
  const signers = [...repository.signersOf(role), seededSigner(`second ${role}`)];
  repository.signers.set(role, signers);
  repository.root.keys = new Map([...repository.root.keys, ...keysOf(signers)]);
  repository.root.roles = { ...repository.root.roles, [role]: roleOf(signers) };
  await repository.publish('root');
}

export const ROOT_CASES: readonly ClauseCase[] = [
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
  ...(['timestamp', 'snapshot'] as const).map((raised): ClauseCase => ({
    ...{ clause: '5.3.11', says: `a second key that ${raised} must bear as well is no rotation: nothing falls` },
    ...{ outcome: 'TIMESTAMP_ROLLBACK', kept: 'root 2, snapshot 1, targets 1, timestamp 99' },
    change: async (scene) => {
      await fastForwarded(scene, 'timestamp');
      await addKey(scene, raised);
      await scene.repository.publish('timestamp');
    },
  })),
  {
    ...{ clause: '5.3.11', says: 'of the same version, the timestamp goes on that bears the second key, too' },
    ...{ outcome: 'root 2, snapshot 1, targets 1, timestamp 1', asServed: 'timestamp' },
    change: async (scene) => {
      await addKey(scene, 'timestamp');
      scene.repository.versions.set('timestamp', 0);
      await scene.repository.publish('timestamp');
    },
  },
  {
    ...{ clause: '5.3.11', says: 'a second key that snapshot must bear as well lets no version of targets fall' },
    outcome: 'SNAPSHOT_ROLLBACK',
    change: async (scene) => {
      await fastForwarded(scene, 'targets');
      await addKey(scene, 'snapshot');
      await scene.repository.publish('targets', 'snapshot', 'timestamp');
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
