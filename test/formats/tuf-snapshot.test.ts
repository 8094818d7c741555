/** Snapshot and timestamp: which versions belong together. The refusals stand in `tuf-refusals.ts`. */
import { expect, test } from 'vitest';
import { encodeMetadata } from '../../formats/tuf-metadata.ts';
import {
  parseSnapshot,
  parseTimestamp,
  snapshotToJson,
  timestampToJson,
  type MetaFile,
} from '../../formats/tuf-snapshot.ts';
import { accepted } from '../accepted.ts';
import { edited, headOf, SAMPLE_FILES } from './sample-repository.ts';

const SNAPSHOT = SAMPLE_FILES['1.snapshot.json'];
const WHOLE: MetaFile = { version: 7, length: 0, sha256: 'ab'.repeat(32) };
const BARE: MetaFile = { version: 1, length: undefined, sha256: undefined };

test('what is written of a snapshot and a timestamp is read as the same', () => {
  const snapshot = {
    ...headOf('snapshot'),
    meta: new Map([
      ['targets.json', WHOLE],
      ['stable.json', BARE],
    ]),
  };
  expect(accepted(parseSnapshot(encodeMetadata(snapshotToJson(snapshot), []))).signed).toEqual(snapshot);
  for (const file of [WHOLE, BARE]) {
    const timestamp = { ...headOf('timestamp'), snapshot: file };
    expect(accepted(parseTimestamp(encodeMetadata(timestampToJson(timestamp), []))).signed).toEqual(timestamp);
  }
});

test('length and hashes of a file may be left out, and unknown algorithms beside a known one are ignored', () => {
  const file = {
    version: 2,
    hashes: { sha256: 'cd'.repeat(32), sha512: 'ab'.repeat(64), blake2b: 'ef' },
    'x-unknown': 1,
  };
  const { meta } = accepted(parseSnapshot(edited(SNAPSHOT, ['signed', 'meta', 'targets.json'], file))).signed;
  expect(meta.get('targets.json')).toEqual({
    ...{ version: 2, length: undefined },
    ...{ sha256: 'cd'.repeat(32), sha512: 'ab'.repeat(64) },
  });
});

test('names of the language are no files of a snapshot', () => {
  const { meta } = accepted(parseSnapshot(SNAPSHOT)).signed;
  for (const name of ['__proto__', 'constructor', '__proto__.json', 'toString.json'])
    expect(meta.get(name)).toBeUndefined();
});

test('a snapshot that does not list the targets role is read, and gives it no version that anybody could take for one', () => {
  const { meta } = accepted(parseSnapshot(edited(SNAPSHOT, ['signed', 'meta', 'targets.json'], undefined))).signed;
  expect(meta.get('targets.json')).toBeUndefined();
  expect([...meta.keys()]).toEqual(['stable.json']);
});
