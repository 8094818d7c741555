/** Cases of section 5.7, names of targets, and answers that are none. What is downloaded, the executable alone downloads. */
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { sha512Hex } from '../../../formats/sha512.ts';
import { LoadedClient } from '../tuf-client/loaded-client.ts';
import { digestOf, FIRST, publish, type ClauseCase, type ClauseScene } from './clause-case.ts';

const TOP = ['2.root.json', 'timestamp.json'] as const;
const SHA512 = sha512Hex(encodeUtf8('x'));
const file = (r: ClauseScene['repository']): void => {
  r.add('targets', 'file', 'x');
};

function download(one: Omit<ClauseCase, 'clause' | 'find'>): ClauseCase {
  return { clause: '5.7.3', find: 'file', setup: file, downloads: true, ...one };
}

/** The target is served as `content`. */
const serving =
  (content: string): NonNullable<ClauseCase['change']> =>
  ({ repository }) =>
    void repository.files.set(`targets/${digestOf('x')}.file`, encodeUtf8(content));
/** The hashes of the target are `hashes`. */
const hashed = (hashes: object, setup = file): Pick<ClauseCase, 'setup' | 'change'> => ({
  setup,
  change: async (scene) => {
    await publish(scene, 'targets');
    await scene.repository.rewrite('targets', ['targets', 'file', 'hashes'], hashes);
    scene.repository.files.set(`targets/${SHA512}.file`, encodeUtf8('x'));
  },
});

const CONTENT: readonly ClauseCase[] = [
  download({
    says: 'its digest stands before its name',
    outcome: digestOf('x'),
    asked: [...TOP, `targets/${digestOf('x')}.file`],
  }),
  download({
    ...{ says: 'without consistent snapshots its name stands alone', outcome: digestOf('x') },
    asked: [...TOP, 'targets/file'],
    setup: (r) => {
      r.root.consistentSnapshot = false;
      r.add('targets', 'file', 'x');
    },
  }),
  download({
    says: 'an empty target is one',
    outcome: digestOf(''),
    setup: (r) => {
      r.add('targets', 'file', '');
    },
  }),
  download({ says: 'other bytes are refused', outcome: 'IMAGE_HASH_MISMATCH', change: serving('y') }),
  download({ says: 'a byte more is refused', outcome: 'IMAGE_LENGTH_MISMATCH', change: serving('xx') }),
  download({ says: 'a byte less is refused', outcome: 'IMAGE_LENGTH_MISMATCH', change: serving('') }),
  download({
    says: 'a target that is not there is told',
    outcome: 'NOT_FOUND',
    change: ({ repository }) => void repository.files.delete(`targets/${digestOf('x')}.file`),
  }),
  download({ says: 'SHA-512 alone is enough', outcome: digestOf('x'), ...hashed({ sha512: SHA512 }) }),
  download({
    says: 'of two hashes both must fit',
    outcome: 'IMAGE_HASH_MISMATCH',
    ...hashed({ sha256: digestOf('x'), sha512: '0'.repeat(128) }),
  }),
  download({
    says: 'a hash of an unknown kind alone fits nothing',
    outcome: 'IMAGE_HASH_MISMATCH',
    ...hashed({ x: 'ab' }, (r) => {
      r.root.consistentSnapshot = false;
      file(r);
    }),
  }),
  download({
    says: 'what is there and valid is not fetched again',
    outcome: digestOf('x'),
    asked: [...TOP],
    change: async ({ client }) => void (await client.find('file')),
  }),
  download({
    ...{ says: 'what was altered on the disk is fetched again', outcome: digestOf('x') },
    asked: [...TOP, `targets/${digestOf('x')}.file`],
    change: async ({ client }) => {
      await client.find('file');
      if (client instanceof LoadedClient) appendFileSync(join(client.folder, 'targets', 'file'), 'x');
    },
  }),
  download({
    ...{ says: 'a target that changed takes the place of the former one', outcome: digestOf('new') },
    change: async (scene) => {
      await scene.client.find('file');
      scene.repository.add('targets', 'file', 'new');
      await publish(scene, 'targets');
    },
  }),
  ...[403, 500].map((status) =>
    download({
      says: `status ${status} is no target`,
      outcome: 'RESPONSE_UNEXPECTED',
      change: ({ repository }) => void repository.statuses.set(`targets/${digestOf('x')}.file`, status),
    }),
  ),
  {
    clause: '5.7.2',
    says: 'a target that no role lists is told',
    find: 'file',
    outcome: 'TARGET_UNKNOWN',
    asked: [...TOP],
  },
  {
    clause: '5.7.2',
    says: 'a target that is listed no longer is told, though it is on the disk',
    find: 'file',
    outcome: 'TARGET_UNKNOWN',
    setup: file,
    change: async (scene) => {
      await scene.client.find('file');
      await publish(scene, 'targets');
      await scene.repository.rewrite('targets', ['targets'], {});
    },
  },
  ...['constructor', '__proto__', 'toString'].map((find): ClauseCase => ({
    ...{ clause: '5.7.2', says: `${find} of the language is no target`, find, outcome: 'TARGET_UNKNOWN' },
  })),
];

/** Names of targets, and the paths in which each is asked for; undefined where it would climb. */
const PATHS: readonly (readonly [name: string, path: string | undefined])[] = [
  ['a/b/c', 'a/b/c'],
  ['/file', '/file'],
  ['a//b', 'a//b'],
  ['a b', 'a%20b'],
  ['a%20b', 'a%20b'],
  ['100%', '100%25'],
  ['%zz', '%25zz'],
  ['é', '%C3%A9'],
  ['😀', '%F0%9F%98%80'],
  ["1.0+build@x:y,z;=$&!~(*)'", "1.0+build@x:y,z;=$&!~(*)'"],
  ['?x', '%3Fx'],
  ['#x', '%23x'],
  ['a\\b', 'a%5Cb'],
  ['[a]', '%5Ba%5D'],
  ['\0', '%00'],
  ['-rf', '-rf'],
  ['...', '...'],
  ['CON', 'CON'],
  ['dot.', 'dot.'],
  ['.@1.tmp', '.@1.tmp'],
  ['x'.repeat(1024), 'x'.repeat(1024)],
  ['..', undefined],
  ['.', undefined],
  ['../file', undefined],
  ['a/../../file', undefined],
  ['%2e%2E/file', undefined],
  ['.%2e/file', undefined],
  ['a/./b', undefined],
];

const NAMES: readonly ClauseCase[] = PATHS.map(([name, path]) => ({
  ...{ clause: 'NAMES', bugs: ['CVE-2026-6968'], find: name, downloads: true },
  ...{
    says: `the target ${JSON.stringify(name.slice(0, 30))} has ${path === undefined ? 'no' : 'the'} address ${path?.slice(0, 30) ?? ''}`,
  },
  outcome: path === undefined ? 'TARGET_NAME_REFUSED' : digestOf('x'),
  asked: path === undefined ? [...TOP] : [...TOP, `targets/${path}`],
  setup: (r) => {
    r.root.consistentSnapshot = false;
    r.add('targets', name, 'x');
    r.files.set(`targets/${path ?? ''}`, encodeUtf8('x'));
  },
}));

const ANSWERS: readonly ClauseCase[] = (['timestamp', 'snapshot', 'targets'] as const).flatMap((role) =>
  [204, 301, 304, 401, 500, 503].map((status): ClauseCase => ({
    ...{
      clause: 'TRANSPORT',
      says: `status ${status} in the place of ${role} ends the run`,
      outcome: 'RESPONSE_UNEXPECTED',
    },
    change: async (scene) => {
      await publish(scene, role);
      scene.repository.statuses.set(scene.repository.pathOf(role), status);
    },
  })),
);

const DAY_MS = 86_400_000;
const START: readonly ClauseCase[] = [
  {
    ...{ clause: '5.1', says: 'the clock is asked once, at the start', outcome: FIRST, fresh: true, downloads: true },
    change: ({ client }) => {
      let now = client.now;
      if (client instanceof LoadedClient) client.clock = () => (now += 20 * DAY_MS);
    },
  },
  {
    ...{ clause: '5.0', says: 'a folder whose files are no metadata is filled again', outcome: FIRST, downloads: true },
    change: ({ client }) => {
      if (!(client instanceof LoadedClient)) return;
      const folder = join(client.folder, 'metadata');
      for (const name of readdirSync(folder)) if (name !== 'root.json') appendFileSync(join(folder, name), '}');
    },
  },
];

/** Every case of this kind. */
export const DOWNLOAD_CASES: readonly ClauseCase[] = [...CONTENT, ...NAMES, ...ANSWERS, ...START];
