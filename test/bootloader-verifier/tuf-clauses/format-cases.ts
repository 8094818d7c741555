/** Cases of section 4: what the files of a repository may be, and what no file may be. */
import { encodeUtf8 } from '../../../formats/bytes.ts';
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
import { KEY_CASES } from './key-cases.ts';

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
export const FORMAT_CASES: readonly ClauseCase[] = [...FILES, ...KEY_CASES, ...FIELDS];
