/** Targets metadata: files under names that are data, and authority over paths. The refusals stand in `tuf-refusals.ts`. */
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { matchesHashes } from '../../formats/file-hashes.ts';
import { encodeMetadata } from '../../formats/tuf-metadata.ts';
import {
  delegationsFor,
  findDelegation,
  hasAuthority,
  parseTargets,
  targetsToJson,
  type DelegatedRole,
} from '../../formats/tuf-targets.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { accepted } from '../accepted.ts';
import { edited, headOf, SAMPLE_CHANNEL, SAMPLE_FILES, SAMPLE_TARGETS } from './sample-repository.ts';

const BINS = { keyids: ['k'], threshold: 1, bitLength: 5, namePrefix: 'bin' };
const TARGETS = SAMPLE_FILES['1.targets.json'];
const CHANNEL = SAMPLE_FILES['1.stable.json'];
const HASHES = { sha256: 'ab'.repeat(32), sha512: 'cd'.repeat(64) };
const FILE = { length: 5, hashes: { sha256: 'ab'.repeat(32) } };

test('what is written of targets metadata is read as the same', () => {
  const last: DelegatedRole = { ...role('a/*', 'b'), threshold: 64, terminating: true };
  const delegations = { keys: new Map(), roles: [role(), { ...last, name: 'beta' }] };
  const empty = { targets: new Map(), delegations: undefined };
  const prefixed = { keys: new Map(), roles: [{ ...role(), pathHashPrefixes: ['0', 'ab'] }] };
  const files = { targets: new Map([['a', { length: 0, ...HASHES, custom: undefined }]]), delegations: prefixed };
  const binned = { ...empty, delegations: { keys: new Map(), roles: [], bins: BINS } };
  for (const content of [SAMPLE_TARGETS, SAMPLE_CHANNEL, empty, { ...empty, delegations }, files, binned]) {
    const targets = { ...headOf('targets', new Map([['x', 1]])), ...content };
    expect(accepted(parseTargets(encodeMetadata(targetsToJson(targets), []))).signed).toEqual(targets);
  }
});

test('a target that is named like a member of every object is a target, and is absent where it is not listed', () => {
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];
  const text = JSON.stringify(FILE);
  const listed = encodeTargets(`{${names.map((name) => `${JSON.stringify(name)}:${text}`).join()}}`);
  const { targets } = accepted(parseTargets(listed)).signed;
  const { targets: others } = accepted(parseTargets(CHANNEL)).signed;
  for (const name of names) {
    expect(targets.get(name), name).toEqual({ length: 5, sha256: 'ab'.repeat(32), custom: undefined });
    expect(others.get(name), name).toBeUndefined();
  }
});

/** A file with `targets` as they are written: an object literal could not name `__proto__`. */
function encodeTargets(targets: string): Uint8Array {
  const text = new TextDecoder().decode(edited(CHANNEL, ['signed', 'targets'], 'TARGETS'));
  return new TextEncoder().encode(text.replace('"TARGETS"', targets));
}

test('target names are data: any is read, whatever it would mean as a path or a pattern', () => {
  const names = ['../../etc/passwd', '/absolute', 'C:\\x', 'a//b', '*', 'é', '\u{1f600}', ' ', 'a\u0000b'];
  const { targets } = accepted(
    parseTargets(edited(CHANNEL, ['signed', 'targets'], Object.fromEntries(names.map((name) => [name, FILE])))),
  ).signed;
  expect([...targets.keys()].sort()).toEqual(names.sort());
});

test('unknown hashes beside a known one and further members of a target are ignored', () => {
  const file = { ...FILE, hashes: { ...FILE.hashes, sha512: 'cd'.repeat(64), blake2b: 'ef' }, 'x-unknown': [] };
  const { targets } = accepted(parseTargets(edited(CHANNEL, ['signed', 'targets', 'a'], file))).signed;
  expect(targets.get('a')).toEqual({ length: 5, ...HASHES, custom: undefined });
});

test('a target that is named by unknown hashes alone is read, and no bytes are it', () => {
  const file = { length: 0, hashes: { blake2b: 'ef' } };
  const { targets } = accepted(parseTargets(edited(CHANNEL, ['signed', 'targets', 'a'], file))).signed;
  expect(targets.get('a')).toEqual({
    length: 0,
    sha256: undefined,
    unknown: new Map([['blake2b', 'ef']]),
    custom: undefined,
  });
  expect(matchesHashes(new Uint8Array(), targets.get('a') ?? { sha256: undefined })).toBe(false);
});

test('a target of length 0 and one of 2^53-1 bytes are read exactly', () => {
  for (const length of [0, Number.MAX_SAFE_INTEGER]) {
    const { targets } = accepted(parseTargets(edited(CHANNEL, ['signed', 'targets', 'a'], { ...FILE, length }))).signed;
    expect(targets.get('a')?.length).toBe(length);
  }
});

test('delegated roles keep their order, because they are searched in it', () => {
  const [stable] = SAMPLE_TARGETS.delegations?.roles ?? [];
  const roles = ['z', 'a', '10', '9', '__proto__'].map((name) => ({ ...stable, name }));
  const { delegations } = accepted(parseTargets(edited(TARGETS, ['signed', 'delegations', 'roles'], roles))).signed;
  expect(delegations?.roles.map(({ name }) => name)).toEqual(['z', 'a', '10', '9', '__proto__']);
});

function role(...paths: readonly string[]): DelegatedRole {
  return { name: 'stable', keyids: [], threshold: 1, terminating: false, paths };
}

test('a role has authority over the paths it was given and no others', () => {
  expect(hasAuthority(role('*/*/*'), '1.0.0/gateway/image.js')).toBe(true);
  expect(hasAuthority(role('1.*/gateway/*', '2.*/gateway/*'), '2.0.0/gateway/image.js')).toBe(true);
  expect(hasAuthority(role('1.*/gateway/*', '2.*/gateway/*'), '3.0.0/gateway/image.js')).toBe(false);
  expect(hasAuthority(role('*/*/*'), 'image.js')).toBe(false);
  expect(hasAuthority(role('!x/y/z'), '1.0.0/gateway/image.js')).toBe(false);
});

test('a role without paths has authority over nothing', () => {
  for (const name of ['a', '', '*', '1.0.0/gateway/image.js']) expect(hasAuthority(role(), name)).toBe(false);
});

test('a role that is given hash prefixes has authority over the names whose SHA-256 begins with one of them', () => {
  const digest = sha256Hex(encodeUtf8('a/b'));
  const given = (...pathHashPrefixes: readonly string[]): DelegatedRole => ({ ...role(), pathHashPrefixes });
  expect(hasAuthority(given('x', digest.slice(0, 3)), 'a/b')).toBe(true);
  expect(hasAuthority(given(digest), 'a/b')).toBe(true);
  expect(hasAuthority(given(digest.slice(1)), 'a/b')).toBe(false);
  expect(hasAuthority(given(), 'a/b')).toBe(false);
});

test('each name belongs to exactly one bin, and the bin is found by the first bits of its hash', () => {
  // SHA-256 of "a" begins with ca97, that of "1" with 6b86.
  const found = (bitLength: number, name: string): readonly string[] =>
    delegationsFor({ keys: new Map(), roles: [], bins: { ...BINS, bitLength } }, name).map((bin) => bin.name);
  expect([1, 2, 5, 8, 14, 16, 32].map((bits) => found(bits, 'a'))).toEqual([
    ...[['bin-1'], ['bin-3'], ['bin-19'], ['bin-ca'], ['bin-32a5'], ['bin-ca97'], ['bin-ca978112']],
  ]);
  expect([1, 5].map((bits) => found(bits, '1'))).toEqual([['bin-0'], ['bin-0d']]);
});

test('a bin is delegated under its own name alone: no prefix, number or spelling beside it is', () => {
  const delegations = { keys: new Map(), roles: [], bins: BINS };
  for (const name of ['bin-00', 'bin-1f'])
    expect(findDelegation(delegations, name)).toEqual({ keyids: ['k'], threshold: 1, name, terminating: true });
  for (const name of [
    'bin-20',
    'bin-0',
    'bin-000',
    'bin-1F',
    'bin-0x',
    'bin- 1',
    'bin--1',
    'bin',
    'Bin-00',
    'x-00',
    '',
  ])
    expect(findDelegation(delegations, name), name).toBeUndefined();
});
