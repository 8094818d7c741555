/** A capsule in the place of a server: what every client must do, and never more of the file than was asked for. */
import { expect, test } from 'vitest';
import { openCapsule, type CapsuleBytes } from '../../../bootloader-verifier/agent/capsule-client.ts';
import { concatBytes } from '../../../formats/bytes.ts';
import { CAPSULE_HEAD_BYTES_MAX, encodeCapsuleHead } from '../../../formats/capsule.ts';
import { accepted } from '../../accepted.ts';
import { testRepositoryClient } from '../repository-client-contract.ts';

type Read = readonly [offset: number, length: number];

/** The capsule of `files` as a medium, which tells what was read of it. */
function capsuleOf(files: ReadonlyMap<string, Uint8Array>, reads: Read[] = []): CapsuleBytes {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const head = encodeCapsuleHead(sorted.map(([name, { length }]) => ({ name, length })));
  const bytes = concatBytes(head, ...sorted.map(([, content]) => content));
  return {
    length: bytes.length,
    read: (offset, length) => {
      reads.push([offset, length]);
      return Promise.resolve(bytes.slice(offset, offset + length));
    },
  };
}

testRepositoryClient(async (files) => accepted(await openCapsule(capsuleOf(files))).client);

test('what is asked for is read by its place, once; what is absent or too long is not read at all', async () => {
  const reads: Read[] = [];
  const image = new Uint8Array(2 * CAPSULE_HEAD_BYTES_MAX).fill(7);
  const capsule = capsuleOf(
    new Map([
      ['metadata/1.root.json', new Uint8Array(10)],
      ['targets/a', image],
    ]),
    reads,
  );
  const { client } = accepted(await openCapsule(capsule));
  expect(reads).toEqual([[0, CAPSULE_HEAD_BYTES_MAX]]);
  expect(await client.get('targets/b', 100)).toBeUndefined();
  await expect(client.get('targets/a', 100)).rejects.toMatchObject({ code: 'RESPONSE_TOO_LARGE', retriable: false });
  expect(reads).toHaveLength(1);
  expect(await client.get('targets/a', image.length)).toEqual(image);
  expect(reads.slice(1)).toEqual([[capsule.length - image.length, image.length]]);
});
