/** Cases of delegations and of the search through them: sections 4.5 and 5.6.7, TAP 15, and names of roles as data. */
import { VISITED_MAX } from '../../../bootloader-verifier/boot/search-target.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { NOW, type SimulatedRepository } from '../tuf-client/simulated-repository.ts';
import { digestOf, publish, refused, TOP, type ClauseCase, type ClauseScene } from './clause-case.ts';
import { BIN_CASES } from './bin-cases.ts';

const UNKNOWN = 'TARGET_UNKNOWN';
const UNMET = 'METADATA_THRESHOLD_UNMET';
const SHAPE = 'SHAPE_MALFORMED';

/** Delegations as text: `A>B` from A to B, from targets where nothing stands; `:PATTERN` for its paths, `!` where it terminates. */
function graph(text: string): (repository: SimulatedRepository) => void {
  return (repository) => {
    for (const edge of text.split(' ')) {
      const [, from, to = '', path = '*', end] = /^(\w*)>(\w+)(?::([^!]+))?(!?)$/.exec(edge) ?? [];
      repository.delegate(from === '' ? 'targets' : (from ?? ''), to, { paths: [path], terminating: end === '!' });
    }
  };
}

/** The roles that are asked for, in their order, for a target that nobody lists. */
function order(says: string, roles: string, text: string): ClauseCase {
  const asked = [...TOP, ...[...roles].map((role) => `1.${role}.json`)];
  return { clause: '5.6.7', says, find: 'missing', outcome: UNKNOWN, asked, setup: graph(text) };
}

/** Whether a pattern stands for a name: the search asks for the role, and its target is found. */
function pattern(path: string, name: string, fits: boolean): ClauseCase {
  return {
    ...{ clause: '4.5 paths', says: `${path} ${fits ? 'is' : 'is not'} ${name}`, find: name },
    ...{ outcome: fits ? digestOf('x') : UNKNOWN },
    setup: (r) => {
      r.delegate('targets', 'A', { paths: [path] });
      r.add('A', name, 'x');
    },
  };
}

const ORDER: readonly ClauseCase[] = [
  { ...order('delegations are searched in their order', 'BA', '>B >A'), clause: '5.6.7.2', bugs: ['CVE-2024-47534'] },
  { ...order('depth comes first', 'ACDEB', '>A >B A>C A>E C>D'), bugs: ['CVE-2024-47534'] },
  {
    ...order('a terminating delegation is the last, of its delegator and above', 'ACE', '>A >B A>C! A>D C>E'),
    clause: '5.6.7.2',
  },
  { ...order('what stands below a terminating delegation is searched', 'ABC', '>A! A>B A>C >D'), clause: '5.6.7.2' },
  { ...order('a terminating delegation of another name ends nothing', 'B', '>A:x! >B'), clause: '5.6.7.2' },
  { ...order('a cycle ends', 'AB', '>A A>B B>A'), clause: '5.6.7.1' },
  { ...order('a role that delegates to itself is visited once', 'A', '>A A>A'), clause: '5.6.7.1' },
  { ...order('a role of two delegators is visited once, on the first way', 'ACB', '>A >B A>C B>C'), clause: '5.6.7.1' },
  {
    ...order('a role without authority over the name is not asked for', 'B', '>A:*.py >B B>C:*/*'),
    clause: '4.5 paths',
  },
  {
    ...{
      clause: '4.5 order',
      says: 'the first role that lists a target vouches for it',
      find: 'file',
      outcome: digestOf('by A'),
    },
    asked: [...TOP, '1.A.json', `targets/${digestOf('by A')}.file`],
    setup: (r) => {
      graph('>A >B')(r);
      r.add('A', 'file', 'by A');
      r.add('B', 'file', 'by B');
    },
  },
  {
    ...{
      clause: '4.5 order',
      says: 'targets itself comes before whom it delegates to',
      find: 'file',
      outcome: digestOf('own'),
    },
    asked: [...TOP, `targets/${digestOf('own')}.file`],
    setup: (r) => {
      graph('>A')(r);
      r.add('A', 'file', 'by A');
      r.add('targets', 'file', 'own');
    },
  },
  ...[VISITED_MAX, VISITED_MAX + 1].map((length): ClauseCase => ({
    ...{ clause: '5.6.7.1', says: `a target ${length} delegations down`, find: 'file' },
    outcome: length > VISITED_MAX ? 'SEARCH_TOO_LONG' : digestOf('deep'),
    setup: (r) => {
      const names = ['targets', ...Array.from({ length }, (_, i) => `R${i}`)];
      for (const [i, name] of names.slice(1).entries()) r.delegate(names[i] ?? '', name);
      r.add(names.at(-1) ?? '', 'file', 'deep');
    },
  })),
];

const PATTERNS: readonly ClauseCase[] = [
  pattern('targets/*.tgz', 'targets/foo.tgz', true),
  pattern('targets/*.tgz', 'targets/foo.txt', false),
  pattern('foo-version-?.tgz', 'foo-version-2.tgz', true),
  pattern('foo-version-?.tgz', 'foo-version-alpha.tgz', false),
  pattern('*.tgz', 'foo.tgz', true),
  pattern('*.tgz', 'targets/foo.tgz', false),
  pattern('foo.tgz', 'foo.tgz', true),
  pattern('foo.tgz', 'afoo.tgz', false),
  pattern('*', 'a/b', false),
  pattern('a?b', 'a/b', false),
  pattern('*/*', 'a/b', true),
  pattern('*/*', 'a/b/c', false),
  pattern('*', '.hidden', true),
  pattern('**', 'a/b', false),
  { ...pattern('*.TGZ', 'foo.tgz', false), bugs: ['GHSA-qp9x-wp8f-qgjj'] },
  ...(
    [
      ['{a,b}', 'a'],
      ['!foo', 'bar'],
      ['+(a)', 'aa'],
      ['[ab]', 'a'],
      ['a.c', 'abc'],
      ['a|b', 'a'],
      ['^a$', 'a'],
      ['\\*', '*'],
    ] as const
  ).map(([path, name]): ClauseCase => ({ ...pattern(path, name, false), bugs: ['tuf-js patterns'] })),
  ...['[ab]', '#x', '{a,b}', 'é', '😀', 'a\\b'].map((name) => pattern(name, name, true)),
  pattern(`${'a*'.repeat(100)}b`, 'a'.repeat(500), false),
  {
    ...{
      clause: '4.5 paths',
      says: 'a target must lie in the paths of every role on the way',
      find: 'b/file',
      outcome: UNKNOWN,
    },
    asked: [...TOP, '1.A.json'],
    setup: (r) => {
      graph('>A:b/* A>B:a/*')(r);
      r.add('B', 'b/file', 'x');
    },
  },
  {
    ...{
      clause: '4.5 paths',
      says: 'what a role lists outside of its paths is not found',
      find: 'b/file',
      outcome: UNKNOWN,
      asked: [...TOP],
    },
    setup: (r) => {
      graph('>A:a/*')(r);
      r.add('A', 'b/file', 'x');
    },
  },
];

const ROLE = { name: 'A', keyids: ['k'], threshold: 1, terminating: false, paths: ['*'] };
const malformed = (
  clause: '4.5 roles' | '4.5 authority' | '4.3 threshold',
  what: string,
  roles: readonly object[],
): ClauseCase =>
  refused(
    {
      clause,
      role: 'targets',
      says: `delegations with ${what} are refused`,
      sign: [[['delegations'], { keys: {}, roles }]],
    },
    SHAPE,
  );
const SHAPES: readonly ClauseCase[] = [
  malformed('4.5 roles', 'a name twice', [ROLE, { ...ROLE, paths: ['b'] }]),
  malformed('4.5 roles', 'an empty name', [{ ...ROLE, name: '' }]),
  ...['root', 'targets', 'snapshot', 'timestamp'].map((name) =>
    malformed('4.5 roles', `the name ${name}`, [{ ...ROLE, name }]),
  ),
  malformed('4.5 roles', 'no word on termination', [{ ...ROLE, terminating: undefined }]),
  malformed('4.5 roles', 'a text for it', [{ ...ROLE, terminating: 'true' }]),
  malformed('4.5 authority', 'paths and hash prefixes', [{ ...ROLE, path_hash_prefixes: ['a'] }]),
  malformed('4.5 authority', 'neither', [{ ...ROLE, paths: undefined }]),
  malformed('4.3 threshold', 'a threshold of 0', [{ ...ROLE, threshold: 0 }]),
];

/** One delegated role with a file, and what happens to it. */
function delegated(one: Pick<ClauseCase, 'clause' | 'says' | 'outcome' | 'bugs' | 'change' | 'asked'>): ClauseCase {
  return {
    ...{ find: 'file', ...one },
    setup: (r) => {
      graph('>A >B')(r);
      r.add('A', 'file', 'x');
      r.add('B', 'file', 'y');
      r.namesHashes = true;
    },
  };
}

/** The snapshot says something else of A than that it is so. */
const misnamed =
  (change: object): NonNullable<ClauseCase['change']> =>
  async (scene) => {
    const { repository } = scene;
    repository.meta.set('A.json', { ...(repository.meta.get('A.json') ?? repository.named), ...change });
    await publish(scene, 'snapshot');
  };
/** A is altered where no parent names hashes. */
const altered =
  (change: (scene: ClauseScene) => void | Promise<void>): NonNullable<ClauseCase['change']> =>
  async (scene) => {
    scene.repository.namesHashes = false;
    await publish(scene, 'A');
    await change(scene);
  };

const DELEGATED: readonly ClauseCase[] = [
  delegated({ clause: '5.6.7', says: 'a role that fits what the snapshot says of it vouches', outcome: digestOf('x') }),
  delegated({
    clause: '5.6.3',
    bugs: ['rust-tuf#275'],
    says: 'a role that nobody signed ends the search',
    outcome: UNMET,
    change: altered(({ repository }) => {
      repository.tamper('A', ['signatures'], []);
    }),
  }),
  delegated({
    clause: '5.6.3',
    says: 'a role that was altered ends the search',
    outcome: UNMET,
    change: altered(({ repository }) => {
      repository.tamper('A', ['signed', 'x'], 1);
    }),
  }),
  delegated({
    clause: '4.2.1',
    bugs: ['CVE-2026-6966'],
    says: 'a role of which a key id signs twice is refused',
    outcome: SHAPE,
    change: altered(({ repository }) => {
      repository.tamper('A', ['signatures'], (all: readonly unknown[]) => [...all, ...all]);
    }),
  }),
  delegated({
    clause: '5.6.5',
    bugs: ['CVE-2026-6967'],
    says: 'a role that has expired ends the search',
    outcome: 'METADATA_EXPIRED',
    change: async (scene) => {
      scene.repository.expires.set('A', NOW);
      await publish(scene, 'A');
    },
  }),
  delegated({
    clause: '5.6.2',
    bugs: ['CVE-2026-6967'],
    says: 'a role of another hash ends the search',
    outcome: 'METADATA_HASH_MISMATCH',
    change: misnamed({ sha256: '0'.repeat(64) }),
  }),
  delegated({
    clause: '5.6.1',
    bugs: ['CVE-2026-6967'],
    says: 'a role of another length ends the search',
    outcome: 'METADATA_TOO_LARGE',
    change: misnamed({ length: 10 }),
  }),
  delegated({
    clause: '5.6.4',
    says: 'a role of another version ends the search',
    outcome: 'METADATA_VERSION_MISMATCH',
    change: altered(({ repository }) => repository.rewrite('A', ['version'], 7)),
  }),
  delegated({
    clause: '5.6.7',
    says: 'a role that is not there ends the search, though another lists the target',
    outcome: 'NOT_FOUND',
    change: ({ repository }) => void repository.files.delete('metadata/1.A.json'),
  }),
  delegated({
    clause: '5.6.7',
    bugs: ['go-tuf#652'],
    says: 'a role that the snapshot does not list is not asked for',
    outcome: 'ROLE_NOT_DELEGATED',
    change: async ({ repository }) => {
      repository.rotate('snapshot', 'new snapshot');
      repository.meta.delete('A.json');
      await repository.publish('root', 'snapshot', 'timestamp');
    },
  }),
  {
    ...{
      clause: '5.6.3',
      bugs: ['tuf-conformance#405'],
      says: 'a role that was good for one delegator is verified again for another',
    },
    ...{ find: 'q', outcome: UNMET },
    setup: (r) => {
      graph('>P:p >Q:q P>R:p Q>R:q')(r);
      r.signers.set('R', [seededSigner('tuf P to R')]);
      r.add('R', 'p', 'good');
      r.add('R', 'q', 'bad');
    },
    change: async ({ client }) => void (await client.find('p')),
  },
  {
    ...{
      clause: '5.6.3',
      bugs: ['GHSA-3633-5h82-39pq'],
      says: 'one key under two ids is one key for a delegated role',
      find: 'file',
      outcome: UNMET,
    },
    setup: (r) => {
      r.delegate('targets', 'A', {});
      r.add('A', 'file', 'x');
    },
    change: async (scene) => {
      const { repository } = scene;
      const [signer] = repository.signersOf('A');
      if (signer === undefined) return;
      const again = { ...signer, keyid: 'second' };
      repository.signers.set('A', [signer, again]);
      const role = { ...ROLE, keyids: [signer.keyid, 'second'], threshold: 2 };
      const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: signer.key.public } };
      await repository.publish('A', 'targets', 'snapshot', 'timestamp');
      await repository.rewrite('targets', ['delegations'], {
        keys: { [signer.keyid]: key, second: key },
        roles: [role],
      });
    },
  },
];

/** Names that mean something to an address, a shell or a file system; each is asked for as data. */
const ODD_NAMES = [
  ...[
    '?',
    '#',
    '/role',
    '../role',
    '../../role',
    '..',
    '.',
    '%2F',
    '%',
    'a b',
    'a\\b',
    '\0',
    'a\0b',
    '*',
    ':',
    'CON',
    'nul.txt',
  ],
  ...['Root', 'TARGETS', 'root.json', 'é', 'e\u0301', '😀', "it's(*)!", '-rf', '__proto__', 'x'.repeat(256), '\n'],
];
const segment = (name: string): string =>
  encodeURIComponent(name).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const NAMES: readonly ClauseCase[] = ODD_NAMES.map((name) => ({
  ...{
    clause: 'NAMES',
    bugs: ['CVE-2021-41131'],
    says: `the role ${JSON.stringify(name.slice(0, 20))} is asked for by its name as data`,
  },
  ...{ find: 'file', outcome: UNKNOWN, asked: [...TOP, `1.${segment(name)}.json`] },
  setup: (r) => void r.delegate('targets', name),
}));

/** Every case of delegations. */
export const SEARCH_CASES: readonly ClauseCase[] = [
  ...ORDER,
  ...PATTERNS,
  ...BIN_CASES,
  ...SHAPES,
  ...DELEGATED,
  ...NAMES,
];
