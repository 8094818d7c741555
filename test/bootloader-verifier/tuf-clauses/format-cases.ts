/** Cases of section 4: what the files of a repository may be, and what no file may be. */
import { encodeUtf8 } from '../../../formats/bytes.ts';
import type { Signer } from '../../../signer/signer.ts';
import { keysOf, roleOf } from '../../formats/sample-repository.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { pemSigner } from '../tuf-client/pem-signer.ts';
import type { SimulatedRepository } from '../tuf-client/simulated-repository.ts';
import {
  digestOf,
  FIRST,
  keptAfter,
  publish,
  refused,
  taken,
  type ClauseCase,
  type ClauseScene,
} from './clause-case.ts';

const SHAPE = 'SHAPE_MALFORMED';
const UNMET = 'METADATA_THRESHOLD_UNMET';
const ODD = { 'x-a': [1, null, true, { deep: 'é"\\\n' }], '\u{1f600}': 1, '\uffff': 2 };

/** A timestamp that is served as `text`. */
function served(text: string | Uint8Array, says: string, code: string): ClauseCase {
  return {
    ...{ clause: '4.2.1', bugs: ['CVE-2026-23991'], says: `${says} is no timestamp`, outcome: code, kept: FIRST },
    change: ({ repository }) =>
      void repository.files.set('metadata/timestamp.json', typeof text === 'string' ? encodeUtf8(text) : text),
  };
}

/** Puts the timestamp into another text, of the same value. */
async function respell(scene: ClauseScene, spell: (text: string) => string): Promise<void> {
  await publish(scene, 'timestamp');
  const text = new TextDecoder().decode(scene.repository.newest('timestamp'));
  scene.repository.files.set('metadata/timestamp.json', encodeUtf8(spell(text)));
}

const reversed = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).reverse())
    : value;

/** What is no moment of the wire form; undefined is none at all. */
const DATES = [
  ...[undefined, null, 1893456000, '', '2030', '2030-02-30T00:00:00Z', '2030-01-01T00:00:00z'],
  ...['2030-01-01T00:00:00+00:00', '2030-01-01T00:00:00.5Z', '2030-01-01 00:00:00Z'],
];

const FILES: readonly ClauseCase[] = [
  ...(['root', 'timestamp', 'snapshot', 'targets'] as const).flatMap((role) => [
    taken({ clause: '4.0', role, says: `members of ${role} that are not known are ignored`, sign: [[['x-new'], ODD]] }),
    refused(
      {
        clause: '4.0',
        role,
        says: `a member of ${role} that nobody signed is no part of it`,
        send: [[['signed', 'x'], 1]],
      },
      UNMET,
    ),
    taken({
      clause: '4.0',
      role,
      says: `beside what is signed of ${role} anything may stand`,
      send: [[['x-new'], ODD]],
    }),
    refused(
      {
        ...{ clause: '4.2.1', role, says: `a key id that signs ${role} twice is refused, though enough have signed` },
        bugs: ['CVE-2020-6174', 'CVE-2020-15093', 'GMS-2022-4197'],
        send: [[['signatures'], (all: readonly unknown[]) => [...all, ...all]]],
      },
      SHAPE,
    ),
    refused(
      { clause: '4.2.1', role, says: `${role} that nobody signed is refused`, send: [[['signatures'], []]] },
      UNMET,
    ),
    refused({ clause: '4.3 version', role, says: `version 0 of ${role} is refused`, sign: [[['version'], 0]] }, SHAPE),
    refused(
      { clause: '4.3 version', role, says: `version -1 of ${role} is refused`, sign: [[['version'], -1]] },
      SHAPE,
    ),
    refused(
      { clause: '4.3 version', role, says: `version "2" of ${role} is refused`, sign: [[['version'], '2']] },
      SHAPE,
    ),
    refused(
      {
        clause: '4.3 spec_version',
        role,
        says: `${role} of version 2 of TUF is refused`,
        sign: [[['spec_version'], '2.0.0']],
      },
      SHAPE,
    ),
    refused(
      {
        clause: '4.2.1',
        role,
        says: `${role} of another type is refused`,
        sign: [[['_type'], role === 'root' ? 'targets' : 'root']],
      },
      'METADATA_TYPE_MISMATCH',
    ),
    ...(role === 'timestamp' ? DATES : DATES.slice(0, 1)).map((value) =>
      refused(
        {
          ...{ clause: '4.2.3', role, bugs: ['tuf-js 5'], sign: [[['expires'], value]] },
          says: `${role} that expires at ${JSON.stringify(value) ?? 'no time'} is refused`,
        },
        SHAPE,
      ),
    ),
  ]),
  ...['1.0', '1.99.0'].map((version) =>
    taken({
      ...{ clause: '4.3 spec_version', role: 'timestamp', sign: [[['spec_version'], version]] },
      says: `version ${version} of the specification fits`,
    }),
  ),
  served('', 'an empty file', 'JSON_MALFORMED'),
  served('null', 'null', SHAPE),
  served('[]', 'a list', SHAPE),
  served('{}', 'an empty object', SHAPE),
  served('{"signed":', 'a part of a file', 'JSON_MALFORMED'),
  served('{"signed":{},"signatures":[],"signed":{}}', 'a file with a member twice', 'JSON_DUPLICATE_NAME'),
  served('['.repeat(10_000), 'a file of 10,000 brackets', 'JSON_TOO_DEEP'),
  served('<html></html>', 'a page', 'JSON_MALFORMED'),
  served(Uint8Array.of(0xff, 0xfe, 0x7b), 'what is not UTF-8', 'UTF8_MALFORMED'),
  {
    ...{ clause: '4.1', says: 'a file in another layout and order is the same', outcome: keptAfter('timestamp', true) },
    change: (scene) => respell(scene, (text) => JSON.stringify(JSON.parse(text, reversed), undefined, '\t')),
  },
  {
    ...{
      clause: '4.1',
      says: 'a file with escapes that need not be is the same',
      outcome: keptAfter('timestamp', true),
    },
    change: (scene) => respell(scene, (text) => text.replace('"timestamp"', '"\\u0074imestamp"')),
  },
  ...['2.0', '2e0', '02', '9007199254740993'].map((number): ClauseCase => ({
    ...{
      clause: '4.1',
      says: `the number ${number} stands in no file`,
      outcome: 'JSON_NUMBER_NOT_CANONICAL',
      kept: FIRST,
    },
    change: (scene) => respell(scene, (text) => text.replace('"version":2}}', `"version":${number}}}`)),
  })),
  ...['', 'zz', 'abc', '00', 'x'.repeat(1000)].map((sig) =>
    taken({
      ...{ clause: '4.2.1', role: 'timestamp', says: `a signature ${JSON.stringify(sig.slice(0, 9))} spoils no other` },
      setup: (r) => {
        r.rotate('timestamp', 'one', 'two');
        r.root.roles = { ...r.root.roles, timestamp: { ...r.root.roles.timestamp, threshold: 1 } };
      },
      send: [[['signatures', 0, 'sig'], sig]],
    }),
  ),
  refused(
    {
      ...{ clause: '4.2.1', role: 'timestamp', bugs: ['CVE-2020-6173'], says: '65 signatures are refused unread' },
      send: [[['signatures'], Array.from({ length: 65 }, (_, i) => ({ keyid: `k${i}`, sig: '00' }))]],
    },
    SHAPE,
  ),
  refused(
    {
      clause: '4.2.1',
      role: 'timestamp',
      says: 'signatures that are no list are refused',
      send: [[['signatures'], {}]],
    },
    SHAPE,
  ),
];

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

const KEYS: readonly ClauseCase[] = [
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
    // What is kept of the snapshot does not meet it either.
    kept: 'root 2, targets 1, timestamp 2',
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

const HASHES = { sha256: 'ab'.repeat(32) };
const targetsWith = (says: string, file: unknown): ClauseCase =>
  refused(
    { clause: '4.5 targets', role: 'targets', says: `a target ${says} is refused`, sign: [[['targets', 'a'], file]] },
    SHAPE,
  );

const FIELDS: readonly ClauseCase[] = [
  ...(
    [
      ['version 0', { version: 0 }],
      ['no version', {}],
      ['a version that is a text', { version: '1' }],
      ['a negative length', { version: 1, length: -1 }],
      ['no hash in its hashes', { version: 1, hashes: {} }],
      ['half a SHA-256', { version: 1, hashes: { sha256: 'ab' } }],
    ] as const
  ).flatMap(([what, meta]) => [
    refused(
      {
        ...{
          clause: '4.4',
          role: 'snapshot',
          bugs: ['go-tuf#721'],
          says: `a snapshot that names a role with ${what} is refused`,
        },
        sign: [[['meta', 'other.json'], meta]],
      },
      SHAPE,
    ),
    refused(
      {
        clause: '4.6',
        role: 'timestamp',
        says: `a timestamp that names a snapshot with ${what} is refused`,
        sign: [[['meta', 'snapshot.json'], meta]],
      },
      SHAPE,
    ),
  ]),
  taken({
    ...{
      clause: '4.4',
      role: 'snapshot',
      says: 'a role may have a length without hashes, and members that are not known',
    },
    sign: [[['meta', 'other.json'], { version: 3, length: 9, 'x-new': ODD }]],
  }),
  {
    ...{
      clause: '4.4',
      says: 'a snapshot that does not list targets ends the run',
      fresh: true,
      outcome: 'ROLE_NOT_DELEGATED',
    },
    change: ({ repository }) => repository.rewrite('snapshot', ['meta', 'targets.json'], undefined),
  },
  refused(
    { clause: '4.6', role: 'timestamp', says: 'a timestamp without a snapshot is refused', sign: [[['meta'], {}]] },
    SHAPE,
  ),
  refused(
    {
      ...{ clause: '4.6', role: 'timestamp', says: 'a timestamp that lists more than the snapshot is refused' },
      sign: [[['meta', 'targets.json'], { version: 1 }]],
    },
    SHAPE,
  ),
  taken({ clause: '4.5 targets', role: 'targets', says: 'there may be no targets', sign: [[['targets'], {}]] }),
  targetsWith('without a length', { hashes: HASHES }),
  targetsWith('of negative length', { length: -1, hashes: HASHES }),
  targetsWith('without hashes', { length: 1 }),
  targetsWith('with an empty object of hashes', { length: 1, hashes: {} }),
  targetsWith('with half a SHA-256', { length: 1, hashes: { sha256: 'ab' } }),
  targetsWith('whose custom is a list', { length: 1, hashes: HASHES, custom: [] }),
  {
    ...{ clause: '4.5 targets', says: 'whatever custom holds plays no part', find: 'a', outcome: digestOf('x') },
    setup: (r) => {
      r.add('targets', 'a', 'x');
    },
    change: async (scene) => {
      await publish(scene, 'targets');
      await scene.repository.rewrite('targets', ['targets', 'a', 'custom'], ODD);
      await scene.repository.rewrite('targets', ['targets', 'a', 'x-new'], ODD);
    },
  },
  {
    ...{
      clause: '4.5 targets',
      says: 'a hash of an unknown kind, however written, stands beside a known one',
      find: 'a',
    },
    outcome: digestOf('x'),
    setup: (r) => {
      r.add('targets', 'a', 'x');
    },
    change: async (scene) => {
      await publish(scene, 'targets');
      await scene.repository.rewrite('targets', ['targets', 'a', 'hashes', 'blake3'], 'Not-Hex/=');
    },
  },
];

/** Every case of section 4 that needs no search. */
export const FORMAT_CASES: readonly ClauseCase[] = [...FILES, ...KEYS, ...FIELDS];
