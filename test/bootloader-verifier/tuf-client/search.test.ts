/** The search for a target through delegations, against a repository in memory. */
import { expect, test } from 'vitest';
import { VISITED_MAX } from '../../../bootloader-verifier/boot/search-target.ts';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { keysOf, roleOf } from '../../formats/sample-repository.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { simulate, type SimulatedRepository } from './simulated-repository.ts';

type Edge = readonly [from: string, to: string, change?: 'terminating' | readonly string[]];

function graph(...edges: readonly Edge[]): (repository: SimulatedRepository) => void {
  return (repository) => {
    for (const [from, to, change] of edges) {
      const more = change === 'terminating' ? { terminating: true } : change === undefined ? {} : { paths: change };
      repository.delegate(from, to, more);
    }
  };
}

/** The roles that a search for `name` asks for, in its order. */
async function visited(change: (repository: SimulatedRepository) => void, name = 'missing'): Promise<string> {
  const { repository, client } = await simulate(change);
  expect(await client.find(name)).toEqual(['TARGET_UNKNOWN']);
  return repository.requests
    .slice(2)
    .map((path) => path.replace(/^1\.(.*)\.json$/, '$1'))
    .join('');
}

test.each<readonly [string, readonly Edge[], string]>([
  [
    'roles are visited in the order in which they are listed',
    [
      ['targets', 'A'],
      ['targets', 'B'],
    ],
    'AB',
  ],
  [
    'depth comes first',
    [
      ['targets', 'A'],
      ['targets', 'B'],
      ['A', 'C'],
      ['C', 'D'],
    ],
    'ACDB',
  ],
  [
    'a terminating delegation ends the search behind it',
    [
      ['targets', 'A'],
      ['targets', 'B'],
      ['A', 'C', 'terminating'],
      ['A', 'D'],
      ['C', 'E'],
    ],
    'ACE',
  ],
  [
    'a terminating delegation of another name ends nothing',
    [
      ['targets', 'A', ['x']],
      ['targets', 'B'],
    ],
    'B',
  ],
  [
    'a delegation without authority over the name is not followed',
    [
      ['targets', 'A', ['*.py']],
      ['targets', 'B'],
      ['B', 'C', ['*/*']],
    ],
    'B',
  ],
  [
    'a cycle ends',
    [
      ['targets', 'A'],
      ['A', 'B'],
      ['B', 'A'],
    ],
    'AB',
  ],
  [
    'a role that two delegate to is visited once, on the first way',
    [
      ['targets', 'A'],
      ['targets', 'B'],
      ['A', 'C'],
      ['B', 'C'],
    ],
    'ACB',
  ],
])('%s', async (_, edges, order) => {
  expect(await visited(graph(...edges))).toBe(order);
});

test('the first role on the way that lists the target vouches for it, and no other is asked', async () => {
  const { repository, client } = await simulate((r) => {
    graph(['targets', 'A'], ['targets', 'B'])(r);
    r.add('A', 'file', 'by A');
    r.add('B', 'file', 'by B');
  });
  expect(await client.find('file')).toEqual([sha256Hex(encodeUtf8('by A'))]);
  expect(repository.requests.slice(2)).toEqual(['1.A.json']);
  expect(client.versions()).toContain('A 1');
});

test('what a role lists outside of its paths is not found', async () => {
  const { client } = await simulate((r) => {
    graph(['targets', 'A', ['a/*']])(r);
    r.add('A', 'b/file', 'x');
    r.add('A', 'a/file', 'y');
  });
  expect(await client.find('b/file', 'a/file')).toEqual(['TARGET_UNKNOWN', sha256Hex(encodeUtf8('y'))]);
});

test('a role that was good for one delegator is verified again for another', async () => {
  const { repository, client } = await simulate((r) => {
    graph(['targets', 'P', ['p/*']], ['targets', 'Q', ['q/*']], ['P', 'R', ['p/*']], ['Q', 'R', ['q/*']])(r);
    r.signers.set('R', [seededSigner('tuf P to R')]);
    r.add('R', 'p/file', 'good');
    r.add('R', 'q/file', 'bad');
  });
  expect(await client.find('p/file', 'q/file')).toEqual([sha256Hex(encodeUtf8('good')), 'METADATA_THRESHOLD_UNMET']);
  expect(repository.requests.filter((path) => path.includes('.R.'))).toHaveLength(2);
});

test('where a role on the way is refused, missing or not listed, the search ends, though another would vouch', async () => {
  const scene = (change: (r: SimulatedRepository) => void): ReturnType<typeof simulate> =>
    simulate((r) => {
      graph(['targets', 'A'], ['targets', 'B'])(r);
      r.add('B', 'file', 'x');
      change(r);
    });
  const unsigned = await scene((r) => r.signers.set('A', []));
  expect(await unsigned.client.find('file')).toEqual(['METADATA_THRESHOLD_UNMET']);
  expect(unsigned.client.versions()).not.toContain('A');
  const missing = await scene(() => undefined);
  missing.repository.files.delete('metadata/1.A.json');
  expect(await missing.client.find('file')).toEqual(['NOT_FOUND']);
  const unlisted = await scene(() => undefined);
  unlisted.repository.rotate('snapshot', 'new snapshot');
  unlisted.repository.meta.delete('A.json');
  await unlisted.repository.publish('root', 'snapshot', 'timestamp');
  expect(await unlisted.client.find('file')).toEqual(['ROLE_NOT_DELEGATED']);
});

test(`${VISITED_MAX} delegated roles are visited, and not one more`, async () => {
  const chain = (length: number): ReturnType<typeof simulate> =>
    simulate((r) => {
      let from = 'targets';
      for (let i = 1; i <= length; i++) {
        r.delegate(from, `R${i}`);
        from = `R${i}`;
      }
      r.add(from, 'file', 'deep');
    });
  expect(await (await chain(VISITED_MAX)).client.find('file')).toEqual([sha256Hex(encodeUtf8('deep'))]);
  expect(await (await chain(VISITED_MAX + 1)).client.find('file')).toEqual(['SEARCH_TOO_LONG']);
});

test('a target in a bin is found by two requests, and only the bin of its name may vouch for it', async () => {
  const signer = seededSigner('bins');
  const digest = sha256Hex(encodeUtf8('file'));
  const bin = `bin-${digest.slice(0, 1)}`;
  const other = bin === 'bin-0' ? 'bin-1' : 'bin-0';
  const scene = (role: string): ReturnType<typeof simulate> =>
    simulate((r) => {
      const bins = { ...roleOf([signer]), bitLength: 4, namePrefix: 'bin' };
      r.roleOf('targets').delegations = { keys: keysOf([signer]), roles: [], bins };
      for (const name of [bin, other]) {
        r.roleOf(name);
        r.signers.set(name, [signer]);
      }
      r.add(role, 'file', 'x');
    });
  const good = await scene(bin);
  expect(await good.client.find('file')).toEqual([sha256Hex(encodeUtf8('x'))]);
  expect(good.repository.requests.slice(2)).toEqual([`1.${bin}.json`]);
  expect(await (await scene(other)).client.find('file')).toEqual(['TARGET_UNKNOWN']);
});

test('a target under a hash prefix is found, and not by the role of another prefix', async () => {
  const digest = sha256Hex(encodeUtf8('file'));
  const { repository, client } = await simulate((r) => {
    r.delegate('targets', 'A', { paths: [], pathHashPrefixes: [digest.slice(1, 4)] });
    r.delegate('targets', 'B', { paths: [], pathHashPrefixes: ['zz', digest.slice(0, 3)].slice(1) });
    r.add('A', 'file', 'a');
    r.add('B', 'file', 'b');
  });
  expect(await client.find('file')).toEqual([sha256Hex(encodeUtf8('b'))]);
  expect(repository.requests.slice(2)).toEqual(['1.B.json']);
});

test.each(['?', '#', '/role', '../role', '..', '%2F', 'a b', "it's(*)!", 'Ä', 'Root', 'x'.repeat(250)])(
  'the role name %s is data in the address and in the folder',
  async (name) => {
    const { repository, client } = await simulate((r) => {
      r.delegate('targets', name);
      r.add(name, 'file', 'x');
    });
    const path = `metadata/1.${encodeURIComponent(name).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}.json`;
    repository.files.set(path, repository.files.get(`metadata/1.${encodeURIComponent(name)}.json`) ?? new Uint8Array());
    expect(await client.find('file')).toEqual([sha256Hex(encodeUtf8('x'))]);
    expect(repository.requests.at(-1)).toBe(path.slice('metadata/'.length));
  },
);

test('names of the language are no targets', async () => {
  const { client } = await simulate();
  expect(await client.find('constructor', '__proto__', 'toString', '')).toEqual(Array(4).fill('TARGET_UNKNOWN'));
});
