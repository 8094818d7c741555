/** The capsule's head: one form for one content, and nothing read beyond its limits. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { concatBytes, encodeUtf8, equalBytes } from '../../formats/bytes.ts';
import {
  CAPSULE_BYTES_MAX,
  CAPSULE_FILES_MAX,
  CAPSULE_HEAD_BYTES_MAX,
  encodeCapsuleHead,
  parseCapsuleHead,
} from '../../formats/capsule.ts';
import { accepted } from '../accepted.ts';
import { CAPSULE_VECTORS, capsuleVectorFiles, refusedCapsules, samplePlaces } from './capsule-vectors.ts';

const FILES = [
  { name: 'metadata/1.root.json', length: 5 },
  { name: 'metadata/2.stable.json', length: 0 },
  { name: `targets/1.0.0/gateway/${'ab'.repeat(32)}.image.js`, length: 7 },
];
const HEAD = encodeCapsuleHead(FILES);
const REFUSED = { ok: false, code: 'CAPSULE_MALFORMED' };

function headOf(json: string): Uint8Array {
  return encodeUtf8(`firmament-capsule 1\n${json}\n`);
}

test('each file lies where the head says, one behind the other, whatever order they were given in', () => {
  const placed = accepted(parseCapsuleHead(HEAD, HEAD.length + 12));
  expect(placed.map(({ offset }) => offset - HEAD.length)).toEqual([0, 5, 5]);
  expect(encodeCapsuleHead([...FILES].reverse())).toEqual(HEAD);
});

test('a capsule with a byte missing or one too many is refused whole', () => {
  for (const length of [HEAD.length + 11, HEAD.length + 13, 0])
    expect(parseCapsuleHead(HEAD, length)).toMatchObject(REFUSED);
});

test.each([
  ['a name that leaves the repository', '{"files":[{"length":0,"name":"metadata/../secret"}]}'],
  ['an absolute name', '{"files":[{"length":0,"name":"/metadata/1.root.json"}]}'],
  ['a hidden file', '{"files":[{"length":0,"name":"metadata/.hidden"}]}'],
  ['a folder that the repository does not have', '{"files":[{"length":0,"name":"state/1.root.json"}]}'],
  ['a backslash', '{"files":[{"length":0,"name":"metadata/a\\\\b"}]}'],
  ['a name that stands twice', '{"files":[{"length":0,"name":"log/checkpoint"},{"length":0,"name":"log/checkpoint"}]}'],
  ['names out of order', '{"files":[{"length":0,"name":"metadata/2"},{"length":0,"name":"metadata/1"}]}'],
  ['a length below zero', '{"files":[{"length":-1,"name":"metadata/1"}]}'],
  ['a length beyond the limit', `{"files":[{"length":${CAPSULE_BYTES_MAX + 1},"name":"metadata/1"}]}`],
  ['no file', '{"files":[]}'],
  ['a member that is not known', '{"files":[{"length":0,"name":"metadata/1"}],"more":1}'],
  ['white space', '{"files": [{"length":0,"name":"metadata/1"}]}'],
  ['members in another order', '{"files":[{"name":"metadata/1","length":0}]}'],
])('a head with %s is refused', (_, json) => {
  const head = headOf(json);
  expect(parseCapsuleHead(head, head.length)).toMatchObject(REFUSED);
});

test('lengths that only a careless sum would accept are refused', () => {
  const files = Array.from({ length: 4 }, (_, index) => ({ name: `metadata/${index}`, length: CAPSULE_BYTES_MAX }));
  const head = encodeCapsuleHead(files);
  expect(parseCapsuleHead(head, head.length + 4 * CAPSULE_BYTES_MAX + 1)).toMatchObject(REFUSED);
  expect(parseCapsuleHead(head, (head.length + 4 * CAPSULE_BYTES_MAX) % 2 ** 32)).toMatchObject(REFUSED);
});

test('as many files as the limit says are read, one more is refused', () => {
  const filesOf = (count: number): Uint8Array =>
    encodeCapsuleHead(Array.from({ length: count }, (_, index) => ({ name: `metadata/${index}`, length: 0 })));
  const most = filesOf(CAPSULE_FILES_MAX);
  expect(parseCapsuleHead(most, most.length).ok).toBe(true);
  const more = filesOf(CAPSULE_FILES_MAX + 1);
  expect(parseCapsuleHead(more, more.length)).toMatchObject(REFUSED);
});

test('a head without end is given up at its limit, and a file of another kind at its first bytes', () => {
  const endless = concatBytes(encodeUtf8('firmament-capsule 1\n'), new Uint8Array(CAPSULE_HEAD_BYTES_MAX).fill(0x20));
  expect(parseCapsuleHead(endless, endless.length)).toMatchObject(REFUSED);
  expect(parseCapsuleHead(encodeUtf8('PK\u0003\u0004'), 4)).toMatchObject(REFUSED);
  expect(parseCapsuleHead(encodeUtf8('firmament-capsule 2\n{}\n'), 23)).toMatchObject(REFUSED);
  expect(parseCapsuleHead(new Uint8Array(0), 0)).toMatchObject(REFUSED);
});

test('the files of capsules are written by the encoder, byte for byte, and each fault beside them is refused', () => {
  const made = capsuleVectorFiles();
  expect(readdirSync(CAPSULE_VECTORS).sort()).toEqual([...made.keys()].sort());
  for (const [name, bytes] of made) {
    expect(equalBytes(readFileSync(`${CAPSULE_VECTORS}${name}`), bytes), name).toBe(true);
  }
  expect(samplePlaces().map(({ name }) => name)).toContain('metadata/1.root.json');
  for (const { says, capsule } of refusedCapsules()) {
    expect(parseCapsuleHead(capsule, capsule.length), says).toMatchObject(REFUSED);
  }
});
