/** Cases of sections 4.2 and 4.3: keys, and the thresholds that count them. */
import { encodeUtf8 } from '../../../formats/bytes.ts';
import type { Signer } from '../../../signer/signer.ts';
import { keysOf, roleOf } from '../../formats/sample-repository.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { mlDsaSigner, pemSigner } from '../tuf-client/pem-signer.ts';
import type { SimulatedRepository } from '../tuf-client/simulated-repository.ts';
import { FIRST, refused, taken, type ClauseCase, type ClauseScene } from './clause-case.ts';

const SHAPE = 'SHAPE_MALFORMED';
const UNMET = 'METADATA_THRESHOLD_UNMET';

/** Gives the timestamp the keys of `signers`, all of which must sign. */
function giveKeys(r: SimulatedRepository, signers: readonly Signer[]): void {
  r.signers.set('timestamp', signers);
  r.root.keys = new Map([...r.root.keys, ...keysOf(signers)]);
  r.root.roles = { ...r.root.roles, timestamp: roleOf(signers) };
}

const UNKNOWN_KEY = { keytype: 'ml-dsa-65', scheme: 'ml-dsa-65', keyval: { parts: [1, 2], public: { a: 'b' } } };
/** Root 2 with a key that nobody knows, listed for the timestamp beside the known one. */
const withUnknown = async ({ repository }: ClauseScene, threshold: number): Promise<void> => {
  await repository.publish('root', 'timestamp');
  await repository.rewrite('root', ['keys', 'odd'], UNKNOWN_KEY);
  const role = (old: { readonly keyids: readonly string[] }): object => ({ keyids: [...old.keyids, 'odd'], threshold });
  await repository.rewrite('root', ['roles', 'timestamp'], role);
  repository.tamper('timestamp', ['signatures'], (all: readonly unknown[]) => [...all, { keyid: 'odd', sig: '00' }]);
};

/** A key under a second id, and the timestamp signed under both. */
function doubled(role: 'root' | 'timestamp' | 'snapshot' | 'targets', respelt: (text: string) => string): ClauseCase {
  return {
    ...{ clause: '4.3 threshold', bugs: ['GHSA-3633-5h82-39pq'], outcome: UNMET },
    says: `one key under two ids is one key for ${role}, ${respelt('a') === 'a' ? 'as it is' : 'in capitals'}`,
    change: async (scene) => {
      const { repository } = scene;
      const [signer] = repository.signersOf(role);
      if (signer === undefined) return;
      const again = { ...signer, keyid: 'second', key: { ...signer.key, public: respelt(signer.key.public) } };
      repository.signers.set(role, [signer, again]);
      repository.root.keys = new Map([...repository.root.keys, ['second', again.key]]);
      repository.root.roles = { ...repository.root.roles, [role]: { keyids: [signer.keyid, 'second'], threshold: 2 } };
      await repository.publish('root', ...(role === 'root' ? [] : ['targets', 'snapshot', 'timestamp']));
    },
  };
}

export const KEY_CASES: readonly ClauseCase[] = [
  ...(
    [
      ['ecdsa-sha2-nistp256', undefined],
      ['ecdsa-sha2-nistp384', undefined],
      ['rsassa-pss-sha256', 2048],
      ['rsassa-pss-sha512', 2048],
    ] as const
  ).map(([scheme, bits]): ClauseCase => ({
    ...{ clause: '4.2.2', says: `a key of ${scheme} in PEM counts`, fresh: true, outcome: FIRST },
    setup: (r) => {
      giveKeys(r, [pemSigner(scheme, bits), seededSigner('ed25519')]);
    },
  })),
  ...(['44', '65', '87'] as const).flatMap((size): readonly ClauseCase[] => [
    {
      ...{ clause: 'TAP 21', says: `a key of ml-dsa-${size}/1 counts beside another`, fresh: true, outcome: FIRST },
      setup: (r) => {
        giveKeys(r, [mlDsaSigner(size), seededSigner('ed25519')]);
      },
    },
    {
      ...{ clause: 'TAP 21', says: `what a key of ml-dsa-${size}/1 signed of other bytes does not count` },
      ...{ fresh: true, outcome: UNMET, kept: 'root 1' },
      setup: (r) => {
        const signer = mlDsaSigner(size);
        giveKeys(r, [{ ...signer, sign: () => signer.sign(encodeUtf8('other bytes')) }]);
      },
    },
  ]),
  {
    ...{ clause: '4.2.2', says: 'an RSA key of 1024 bits never counts', fresh: true, outcome: UNMET, kept: 'root 1' },
    setup: (r) => {
      giveKeys(r, [pemSigner('rsassa-pss-sha256', 1024)]);
    },
  },
  {
    ...{ clause: '4.2.2', says: 'a key of which nothing is known stands in the way of no other' },
    outcome: 'root 2, snapshot 1, targets 1, timestamp 2',
    change: (scene) => withUnknown(scene, 1),
  },
  {
    ...{ clause: '4.2.2', says: 'a key of which nothing is known never counts', outcome: UNMET },
    change: (scene) => withUnknown(scene, 2),
  },
  ...[{}, { public: '' }, { public: ['00'] }].map((keyval) =>
    refused(
      {
        ...{
          clause: '4.2.2',
          role: 'root',
          sign: [[['keys', 'bad'], { keytype: 'ed25519', scheme: 'ed25519', keyval }]],
        },
        says: `an Ed25519 key whose public part is ${JSON.stringify(keyval)} is refused`,
      },
      SHAPE,
    ),
  ),
  ...['ab', '00'.repeat(32), 'zz'.repeat(32), '-----BEGIN PUBLIC KEY-----'].map((text): ClauseCase => ({
    ...{
      clause: '4.2.2',
      says: `an Ed25519 key ${text.slice(0, 4)} of ${text.length} characters never counts`,
      outcome: UNMET,
    },
    change: async ({ repository }) => {
      await repository.publish('root', 'timestamp');
      const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: text } };
      await repository.rewrite('root', ['keys', repository.signersOf('timestamp')[0]?.keyid ?? ''], key);
    },
  })),
  ...(['root', 'timestamp', 'snapshot', 'targets'] as const).flatMap((role) => [
    doubled(role, (text) => text),
    doubled(role, (text) => text.toUpperCase()),
    ...(role === 'timestamp' ? [0, -1, '1', true, null, undefined] : [0]).map((threshold) =>
      refused(
        {
          ...{ clause: '4.3 threshold', role: 'root', bugs: ['CVE-2026-23992'] },
          says: `a threshold ${JSON.stringify(threshold) ?? 'that is missing'} of ${role} is refused`,
          sign: [[['roles', role, 'threshold'], threshold]],
        },
        SHAPE,
      ),
    ),
    refused(
      {
        clause: '4.3 roles',
        role: 'root',
        says: `a root without the role ${role} is refused`,
        sign: [[['roles', role], undefined]],
      },
      SHAPE,
    ),
  ]),
  ...[2, 65, 1_000_000].map((threshold): ClauseCase => ({
    ...{
      clause: '4.3 threshold',
      says: `a threshold of ${threshold} that no keys could meet is never met`,
      outcome: UNMET,
    },
    // What is kept of the snapshot does not meet it either; but no key was rotated, and nothing is deleted (5.3.11).
    kept: 'root 2, snapshot 1, targets 1, timestamp 2',
    change: async ({ repository }) => {
      await repository.publish('root', 'snapshot', 'timestamp');
      await repository.rewrite('root', ['roles', 'snapshot', 'threshold'], threshold);
    },
  })),
  refused(
    {
      ...{ clause: '4.3 keyid', role: 'root', says: 'a role that lists a key id twice is refused' },
      sign: [[['roles', 'snapshot', 'keyids'], (ids: readonly string[]) => [...ids, ...ids]]],
    },
    SHAPE,
  ),
  taken({
    ...{ clause: '4.3 keyid', role: 'root', says: 'a role may list a key id that has no key' },
    sign: [[['roles', 'snapshot', 'keyids'], (ids: readonly string[]) => [...ids, 'nobody']]],
  }),
  {
    ...{
      clause: '4.3 keyid',
      says: 'a key id that is no digest of its key is a name like another',
      fresh: true,
      outcome: FIRST,
    },
    setup: (r) => {
      giveKeys(r, [{ ...seededSigner('one'), keyid: 'timestamp key, since 2026' }]);
    },
  },
  taken({
    ...{ clause: '4.3 roles', role: 'root', says: 'further roles, mirrors among them, are ignored' },
    sign: [[['roles', 'mirrors'], { keyids: [], threshold: 1 }]],
  }),
  {
    ...{ clause: '4.3 consistent_snapshot', says: 'where it is left out, files have no version in their address' },
    ...{ fresh: true, outcome: FIRST, asked: ['2.root.json', 'timestamp.json', 'snapshot.json', 'targets.json'] },
    setup: (r) => (r.root.consistentSnapshot = false),
    change: ({ repository }) => repository.rewrite('root', ['consistent_snapshot'], undefined),
  },
  refused(
    {
      ...{ clause: '4.3 consistent_snapshot', role: 'root', says: 'a flag that is a text is refused' },
      sign: [[['consistent_snapshot'], 'false']],
    },
    SHAPE,
  ),
];
