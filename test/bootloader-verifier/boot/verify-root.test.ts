/** Root of trust: one version at a time, under old keys and new keys, from the pinned digest on. */
import { beforeAll, expect, test } from 'vitest';
import type { JsonValue } from '../../../formats/json.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import {
  verifyNextRoot,
  verifyPinnedRoot,
  verifyRootChain,
  verifyRootFresh,
  type TrustedRoot,
} from '../../../bootloader-verifier/boot/verify-root.ts';
import type { Signer } from '../../../signer/signer.ts';
import { accepted } from '../../accepted.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { rememberingCheck } from '../../tiny-device.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../../tiny-repository.ts';

/** The people of root 1, and those who take over in root 2. */
const NEW: readonly Signer[] = ['new root 1', 'new root 2', 'new root 3'].map(seededSigner);

const check = rememberingCheck();
let repository: TinyRepository;
let old: readonly Signer[];
let rootOne: Uint8Array;
let trusted: TrustedRoot;
/** Root 2 without signatures: the same but for version and keys. */
let handover: Map<string, JsonValue>;

beforeAll(async () => {
  repository = await makeTinyRepository();
  old = repository.signers.get('root') ?? [];
  rootOne = repository.newest('root');
  trusted = accepted(verifyPinnedRoot(rootOne, sha256Hex(rootOne)));
  const quorums = { root: { keys: NEW.map(({ key }) => key), threshold: 2 } };
  handover = signedOf(await (await makeTinyRepository()).publishRoot({ quorums, signers: NEW.slice(0, 2) }));
});

function signedBy(...signers: readonly Signer[]): Promise<Uint8Array> {
  return repository.sign('root', handover, signers);
}

function pinned(root: Uint8Array, version = 1): { version: number; sha256: string } {
  return { version, sha256: sha256Hex(root) };
}

test('the next root is trusted under the thresholds of the old keys and of its own', async () => {
  const next = accepted(verifyNextRoot(trusted, await signedBy(...old.slice(0, 2), ...NEW.slice(1)), check));
  expect(next.metadata.signed.version).toBe(2);
});

test('a root that the old keys did not sign by quorum is refused, whoever else has signed it', async () => {
  for (const signers of [NEW, [...NEW, ...old.slice(0, 1)]]) {
    const verdict = verifyNextRoot(trusted, await signedBy(...signers), check);
    expect(verdict).toMatchObject({ ok: false, code: 'METADATA_THRESHOLD_UNMET' });
    expect(verdict.ok ? '' : verdict.detail).toContain('old keys');
  }
});

test('a root that its own keys did not sign by quorum is refused: nobody hands over to keys that nobody holds', async () => {
  for (const signers of [old, [...old, ...NEW.slice(0, 1)]]) {
    const verdict = verifyNextRoot(trusted, await signedBy(...signers), check);
    expect(verdict).toMatchObject({ ok: false, code: 'METADATA_THRESHOLD_UNMET' });
    expect(verdict.ok ? '' : verdict.detail).toContain('new keys');
  }
});

test('a root of any version but the next is refused, although both quorums have signed it', async () => {
  for (const version of [1, 3, 4, Number.MAX_SAFE_INTEGER]) {
    const root = await repository.sign('root', new Map([...handover, ['version', version]]), [...old, ...NEW]);
    expect(verifyNextRoot(trusted, root, check)).toMatchObject({ ok: false, code: 'ROOT_VERSION_NOT_NEXT' });
  }
});

test('metadata of another type is no root, whoever has signed it', async () => {
  const targets = await repository.sign('root', signedOf(repository.newest('targets')), [...old, ...NEW]);
  expect(verifyNextRoot(trusted, targets, check)).toMatchObject({ ok: false, code: 'METADATA_TYPE_MISMATCH' });
});

test('a pinned root is the one of its digest and no other, whatever its signatures', async () => {
  const again = await repository.sign('root', signedOf(rootOne), old);
  expect(verifyPinnedRoot(again, sha256Hex(rootOne))).toMatchObject({ ok: false, code: 'ROOT_ROLLBACK' });
  const garbage = new Uint8Array(10);
  expect(verifyPinnedRoot(garbage, sha256Hex(garbage))).toMatchObject({ ok: false, code: 'JSON_MALFORMED' });
});

test('a chain leads from the pinned root to the newest, and what lies below the pin is not looked at', async () => {
  const own = await makeTinyRepository();
  for (let i = 0; i < 3; i++) await own.publishRoot();
  const roots = own.roots();
  const chain = accepted(verifyRootChain(roots, pinned(rootOne), check));
  expect(chain.chain.map((root) => root.metadata.signed.version)).toEqual([1, 2, 3, 4]);
  expect(chain.newest.bytes).toEqual(roots[3]);
  const [, , three = rootOne] = roots;
  const fromThree = accepted(verifyRootChain([new Uint8Array(3), ...roots], pinned(three, 3), check));
  expect(fromThree.chain.map((root) => root.metadata.signed.version)).toEqual([3, 4]);
});

test('a chain without the pinned root is refused, also where it goes far beyond the pinned version', async () => {
  const own = await makeTinyRepository();
  for (let i = 0; i < 3; i++) await own.publishRoot();
  const other = await makeTinyRepository({ seed: 'other' });
  expect(verifyRootChain(own.roots(), pinned(other.newest('root'), 2), check)).toMatchObject({ code: 'ROOT_ROLLBACK' });
  expect(verifyRootChain([], pinned(rootOne), check)).toMatchObject({ code: 'ROOT_ROLLBACK' });
  const [, second = rootOne] = own.roots();
  expect(verifyRootChain(own.roots().slice(2), pinned(second, 2), check)).toMatchObject({ code: 'ROOT_ROLLBACK' });
});

test('a chain that skips a version, or goes back, is refused', async () => {
  const own = await makeTinyRepository();
  for (let i = 0; i < 3; i++) await own.publishRoot();
  const [one = rootOne, two = rootOne, three = rootOne] = own.roots();
  const orders = [
    [one, three],
    [one, two, two],
    [one, two, one],
    [one, two, three, two],
  ] as const;
  for (const files of orders) {
    expect(verifyRootChain(files, pinned(one), check)).toMatchObject({ ok: false, code: 'ROOT_VERSION_NOT_NEXT' });
  }
});

test('retired keys can grow another chain as far as they like: it never contains the pinned root', async () => {
  const honest = await makeTinyRepository();
  const quorums = { root: { keys: NEW.map(({ key }) => key), threshold: 2 } };
  const second = await honest.publishRoot({ quorums, signers: NEW.slice(0, 2) });
  const stolen = await makeTinyRepository();
  for (let i = 0; i < 5; i++) await stolen.publishRoot();
  const forged = stolen.roots();
  expect(forged[0]).toEqual(honest.roots()[0]);
  expect(accepted(verifyRootChain(forged, pinned(rootOne), check)).newest.metadata.signed.version).toBe(6);
  expect(verifyRootChain(forged, pinned(second, 2), check)).toMatchObject({ ok: false, code: 'ROOT_ROLLBACK' });
  const grafted = [...forged.slice(0, 1), second, ...forged.slice(2)];
  expect(verifyRootChain(grafted, pinned(second, 2), check)).toMatchObject({ code: 'METADATA_THRESHOLD_UNMET' });
});

test('the newest root is fresh until the very moment of its expiry, and expired from then on', () => {
  const { expires } = trusted.metadata.signed;
  expect(verifyRootFresh(trusted, expires - 1).ok).toBe(true);
  expect(verifyRootFresh(trusted, expires)).toMatchObject({ ok: false, code: 'METADATA_EXPIRED' });
});
