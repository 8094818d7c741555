/** Root metadata: four roles, their keys, and nothing that one of them could lack. The refusals stand in `tuf-refusals.ts`. */
import { expect, test } from 'vitest';
import { encodeMetadata } from '../../formats/tuf-metadata.ts';
import { parseRoot, rootToJson } from '../../formats/tuf-root.ts';
import { accepted } from '../accepted.ts';
import { edited, headOf, SAMPLE_FILES, SAMPLE_ROOT } from './sample-repository.ts';

const ROOT = SAMPLE_FILES['1.root.json'];

test('what is written of a root is read as the same root', () => {
  for (const consistentSnapshot of [true, false]) {
    const root = { ...headOf('root', new Map([['x', 1]])), ...SAMPLE_ROOT, consistentSnapshot };
    expect(accepted(parseRoot(encodeMetadata(rootToJson(root), []))).signed).toEqual(root);
  }
});

test('a root lists exactly the four top-level roles; others that stand there are ignored', () => {
  const { roles } = accepted(
    parseRoot(edited(ROOT, ['signed', 'roles', 'mirrors'], { keyids: [], threshold: 1 })),
  ).signed;
  expect(Object.keys(roles)).toEqual(['root', 'targets', 'snapshot', 'timestamp']);
});

test('a role may list key ids without a key, and no key at all: then it is signed by nobody', () => {
  for (const keyids of [[], ['unknown']]) {
    const root = accepted(parseRoot(edited(ROOT, ['signed', 'roles', 'targets', 'keyids'], keyids))).signed;
    expect(root.roles.targets).toEqual({ keyids, threshold: 2 });
  }
});

test('names of the language are no keys and no roles', () => {
  const root = accepted(
    parseRoot(edited(ROOT, ['signed', 'roles', 'root', 'keyids'], ['__proto__', 'constructor'])),
  ).signed;
  expect(root.roles.root.keyids.map((keyid) => root.keys.get(keyid))).toEqual([undefined, undefined]);
});

test('consistent snapshots are off where a root does not say so', () => {
  expect(
    accepted(parseRoot(edited(ROOT, ['signed', 'consistent_snapshot'], undefined))).signed.consistentSnapshot,
  ).toBe(false);
  expect(accepted(parseRoot(ROOT)).signed.consistentSnapshot).toBe(true);
});
