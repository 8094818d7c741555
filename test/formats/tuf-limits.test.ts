/** Every limit of the TUF profile: read at its maximum, refused one beyond. The numbers are those of `docs/formats/tuf.md`. */
import { expect, test } from 'vitest';
import type { Code } from '../../formats/codes.ts';
import { FILE_KEYS_MAX, KEYS_MAX } from '../../formats/tuf-key.ts';
import { SIGNATURES_MAX, type MetadataType } from '../../formats/tuf-metadata.ts';
import { ROOT_BYTES_MAX } from '../../formats/tuf-root.ts';
import { SNAPSHOT_BYTES_MAX, SNAPSHOT_BYTES_READ_MAX, TIMESTAMP_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { TARGETS_BYTES_MAX, TARGETS_MAX } from '../../formats/tuf-targets.ts';
import { edited, SAMPLE_FILES, SAMPLE_SIGNERS } from './sample-repository.ts';
import { PARSERS } from './tuf-vectors.ts';

type Limit = {
  readonly what: string;
  readonly type: MetadataType;
  readonly max: number;
  readonly file: (count: number) => Uint8Array;
  readonly code?: Code;
};

const FILES = {
  root: SAMPLE_FILES['1.root.json'],
  targets: SAMPLE_FILES['1.targets.json'],
  snapshot: SAMPLE_FILES['1.snapshot.json'],
  timestamp: SAMPLE_FILES['timestamp.json'],
};
const KEY = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'ab' } };
const HASHES = { sha256: 'ab'.repeat(32) };
const ROLE = { name: 'stable', keyids: ['a'], threshold: 1, terminating: false, paths: ['*'] };
const keyid = SAMPLE_SIGNERS.root[0]?.keyid ?? '';

/** An object with `count` members under names of their own. */
function members(count: number, value: unknown, nameOf: (index: number) => string = (i) => `n${i}`): object {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [nameOf(i), value]));
}

function items(count: number, itemOf: (index: number) => unknown): readonly unknown[] {
  return Array.from({ length: count }, (_, i) => itemOf(i));
}

/** A limit on what stands at `path` in a file of `type`. */
function limit(
  what: string,
  max: number,
  place: {
    readonly type: MetadataType;
    readonly path: readonly (string | number)[];
    readonly value: (count: number) => unknown;
  },
): Limit {
  return { what, max, type: place.type, file: (count) => edited(FILES[place.type], place.path, place.value(count)) };
}

/** A limit on the size of a file of `type`: white space after the value counts. */
function sized(type: MetadataType, max: number): Limit {
  const file = (size: number): Uint8Array => {
    const bytes = new Uint8Array(size).fill(0x20);
    bytes.set(FILES[type]);
    return bytes;
  };
  return { what: `bytes of a ${type} file`, type, max, file, code: 'JSON_TOO_LARGE' };
}

const text = (length: number): string => 'a'.repeat(length);
const delegated = ['signed', 'delegations', 'roles'];
const bins = (bitLength: number): object => ({
  keys: {},
  succinct_roles: { keyids: ['a'], threshold: 1, bit_length: bitLength, name_prefix: 'bin' },
});

const LIMITS: readonly Limit[] = [
  sized('root', 512_000),
  sized('targets', 32_000_000),
  sized('snapshot', 16_000_000),
  sized('timestamp', 16_384),
  limit('signatures of a file', 64, {
    type: 'root',
    path: ['signatures'],
    value: (n) => items(n, (i) => ({ keyid: `k${i}`, sig: '00' })),
  }),
  limit('characters of a signature', 16_384, { type: 'root', path: ['signatures', 0, 'sig'], value: text }),
  limit('characters of a key id', 256, { type: 'root', path: ['signatures', 0, 'keyid'], value: text }),
  limit('characters of a type', 32, {
    type: 'root',
    path: ['signed', 'spec_version'],
    value: (n) => `1.${'0'.repeat(n - 2)}`,
  }),
  limit('keys of a file', 4_096, { type: 'root', path: ['signed', 'keys'], value: (n) => members(n, KEY) }),
  limit('characters of the id of a key', 256, {
    type: 'root',
    path: ['signed', 'keys'],
    value: (n) => ({ [text(n)]: KEY }),
  }),
  limit('characters of a key type', 64, { type: 'root', path: ['signed', 'keys', keyid, 'keytype'], value: text }),
  limit('characters of a scheme', 64, { type: 'root', path: ['signed', 'keys', keyid, 'scheme'], value: text }),
  limit('characters of a public key', 8192, {
    type: 'root',
    path: ['signed', 'keys', keyid, 'keyval', 'public'],
    value: text,
  }),
  limit('keys of a role', 64, {
    type: 'root',
    path: ['signed', 'roles', 'root', 'keyids'],
    value: (n) => items(n, (i) => `k${i}`),
  }),
  limit('delegated roles', 32_768, {
    type: 'targets',
    path: delegated,
    value: (n) => items(n, (i) => ({ ...ROLE, name: `r${i}` })),
  }),
  limit('paths of a delegated role', 8_192, {
    type: 'targets',
    path: delegated,
    value: (n) => [{ ...ROLE, paths: items(n, () => '*') }],
  }),
  limit('hash prefixes of a delegated role', 65_536, {
    type: 'targets',
    path: delegated,
    value: (n) => [{ ...ROLE, paths: undefined, path_hash_prefixes: items(n, () => '0') }],
  }),
  limit('digits of a hash prefix', 64, {
    type: 'targets',
    path: delegated,
    value: (n) => [{ ...ROLE, paths: undefined, path_hash_prefixes: [text(n)] }],
  }),
  limit('bits of succinct roles', 32, { type: 'targets', path: ['signed', 'delegations'], value: bins }),
  limit('characters of a path', 512, {
    type: 'targets',
    path: delegated,
    value: (n) => [{ ...ROLE, paths: [text(n)] }],
  }),
  limit('characters of the name of a delegated role', 256, {
    type: 'targets',
    path: delegated,
    value: (n) => [{ ...ROLE, name: text(n) }],
  }),
  limit('characters of a target name', 1024, {
    type: 'targets',
    path: ['signed', 'targets'],
    value: (n) => ({ [text(n)]: { length: 0, hashes: HASHES } }),
  }),
  limit('hashes of a target', 8, {
    type: 'targets',
    path: ['signed', 'targets', 'a'],
    value: (n) => ({ length: 0, hashes: { ...HASHES, ...members(n - 1, 'ab') } }),
  }),
  limit('characters of the name of a hash', 64, {
    type: 'targets',
    path: ['signed', 'targets', 'a'],
    value: (n) => ({ length: 0, hashes: { ...HASHES, [text(n)]: 'ab' } }),
  }),
  limit('characters of another hash', 256, {
    type: 'targets',
    path: ['signed', 'targets', 'a'],
    value: (n) => ({ length: 0, hashes: { ...HASHES, sha3: text(n) } }),
  }),
  limit('files of a snapshot', 100_000, {
    type: 'snapshot',
    path: ['signed', 'meta'],
    value: (n) => members(n, { version: 1 }, (i) => `r${i}.json`),
  }),
  limit('characters of a file name', 512, {
    type: 'snapshot',
    path: ['signed', 'meta'],
    value: (n) => ({ [`${text(n - 5)}.json`]: { version: 1 } }),
  }),
];

test.each(LIMITS)('$what: $max are read and one more is refused', ({ type, max, file, code = 'SHAPE_MALFORMED' }) => {
  expect(PARSERS[type](file(max))).toMatchObject({ ok: true });
  expect(PARSERS[type](file(max + 1))).toMatchObject({ ok: false, code });
});

test('a targets file holds 200,000 targets, and not one more', { timeout: 180_000 }, () => {
  const entry = JSON.stringify({ length: 0, hashes: HASHES });
  const whole = new TextDecoder().decode(edited(SAMPLE_FILES['1.targets.json'], ['signed', 'targets'], 'TARGETS'));
  const file = (count: number): Uint8Array => {
    const listed = Array.from({ length: count }, (_, i) => `"${i}":${entry}`).join();
    return new TextEncoder().encode(whole.replace('"TARGETS"', `{${listed}}`));
  };
  expect(PARSERS.targets(file(TARGETS_MAX)).ok).toBe(true);
  expect(PARSERS.targets(file(TARGETS_MAX + 1))).toMatchObject({ ok: false, code: 'SHAPE_MALFORMED' });
});

test('the limits that callers stream and count by are those of the parsers', () => {
  expect([ROOT_BYTES_MAX, TARGETS_BYTES_MAX, SNAPSHOT_BYTES_READ_MAX, TIMESTAMP_BYTES_MAX]).toEqual([
    512_000, 32_000_000, 16_000_000, 16_384,
  ]);
  expect(SNAPSHOT_BYTES_MAX).toBe(2_000_000);
  expect([SIGNATURES_MAX, KEYS_MAX, FILE_KEYS_MAX, TARGETS_MAX]).toEqual([64, 64, 4_096, 200_000]);
});
