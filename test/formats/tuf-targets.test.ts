/** Targets metadata: files under names that are data, and authority over paths. The refusals stand in `tuf-refusals.ts`. */
import { expect, test } from 'vitest';
import { encodeMetadata } from '../../formats/tuf-metadata.ts';
import { hasAuthority, parseTargets, targetsToJson, type DelegatedRole } from '../../formats/tuf-targets.ts';
import { accepted } from '../accepted.ts';
import { edited, headOf, SAMPLE_CHANNEL, SAMPLE_FILES, SAMPLE_TARGETS } from './sample-repository.ts';

const TARGETS = SAMPLE_FILES['1.targets.json'];
const CHANNEL = SAMPLE_FILES['1.stable.json'];
const FILE = { length: 5, hashes: { sha256: 'ab'.repeat(32) } };

test('what is written of targets metadata is read as the same', () => {
  const last: DelegatedRole = { ...role('a/*', 'b'), threshold: 64, terminating: true };
  const delegations = { keys: new Map(), roles: [role(), { ...last, name: 'beta' }] };
  const empty = { targets: new Map(), delegations: undefined };
  for (const content of [SAMPLE_TARGETS, SAMPLE_CHANNEL, empty, { ...empty, delegations }]) {
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

test('other hashes beside SHA-256 and further members of a target are ignored', () => {
  const file = { ...FILE, hashes: { ...FILE.hashes, sha512: 'cd'.repeat(64), blake2b: 'ef' }, 'x-unknown': [] };
  const { targets } = accepted(parseTargets(edited(CHANNEL, ['signed', 'targets', 'a'], file))).signed;
  expect(targets.get('a')).toEqual({ length: 5, sha256: 'ab'.repeat(32), custom: undefined });
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
