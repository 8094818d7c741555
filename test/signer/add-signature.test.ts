/** Signatures that people add to files: by keys of the role, once, over what the file really is. */
import { expect, test } from 'vitest';
import { parseRoot } from '../../formats/tuf-root.ts';
import { encodeMetadata, openMetadata } from '../../formats/tuf-metadata.ts';
import { verifyChannelRole, verifyTargetsRole } from '../../bootloader-verifier/boot/verify-targets.ts';
import { verifyNextRoot, verifyPinnedRoot } from '../../bootloader-verifier/boot/verify-root.ts';
import { checkSignaturePortable as check } from '../../formats/signature-check.ts';
import { addSignature } from '../../signer/add-signature.ts';
import { draftNextRoot } from '../../signer/draft-root.ts';
import type { Signer } from '../../signer/signer.ts';
import type { Unsigned } from '../../signer/signing-keys.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../tiny-repository.ts';

const tiny = await makeTinyRepository();

function signersOf(role: string, repository: TinyRepository = tiny): readonly Signer[] {
  return repository.signers.get(role) ?? [];
}

/** `file` without its signatures. */
const draftOf = (file: Uint8Array): Uint8Array => encodeMetadata(signedOf(file), []);

async function signedBy(unsigned: Unsigned, signers: readonly Signer[]): Promise<Uint8Array> {
  let { metadata } = unsigned;
  for (const signer of signers) metadata = accepted(await addSignature({ ...unsigned, metadata }, signer));
  return metadata;
}

test('two people sign a channel one after the other, and the device accepts it from the second signature on', async () => {
  const delegatedBy = tiny.newest('targets');
  const root = accepted(verifyPinnedRoot(tiny.factory.root, tiny.id.rootOneSha256));
  const targets = accepted(verifyTargetsRole(root, delegatedBy, { check }));
  const unsigned = { metadata: draftOf(tiny.newest('stable')), role: { channel: 'stable' }, delegatedBy };
  const one = await signedBy(unsigned, signersOf('stable').slice(0, 1));
  expect(verifyChannelRole(targets, { name: 'stable', bytes: one }, { check })).toMatchObject({
    code: 'METADATA_THRESHOLD_UNMET',
  });
  const two = await signedBy(unsigned, signersOf('stable').slice(0, 2));
  expect(verifyChannelRole(targets, { name: 'stable', bytes: two }, { check }).ok).toBe(true);
  expect(two).toEqual(tiny.newest('stable'));
});

test('a root that rotates its keys takes signatures of the former keys and of its own', async () => {
  const next = seededSigner('next root');
  const quorums = { root: { keys: [next.key], threshold: 1 } };
  const metadata = accepted(draftNextRoot({ former: tiny.factory.root, quorums, now: tiny.now }));
  const unsigned: Unsigned = { metadata, role: 'root', delegatedBy: tiny.factory.root };
  const signed = await signedBy(unsigned, [...signersOf('root').slice(0, 2), next]);
  const root = accepted(verifyPinnedRoot(tiny.factory.root, tiny.id.rootOneSha256));
  expect(verifyNextRoot(root, signed, check).ok).toBe(true);
  expect(await addSignature(unsigned, seededSigner('stranger'))).toMatchObject({ code: 'KEY_NOT_OF_ROLE' });
  expect(await addSignature({ ...unsigned, delegatedBy: undefined }, next)).toMatchObject({
    code: 'ROOT_VERSION_NOT_NEXT',
  });
});

test('a key signs once', async () => {
  const [signer = seededSigner('none')] = signersOf('root');
  const unsigned: Unsigned = { metadata: tiny.factory.root, role: 'root', delegatedBy: undefined };
  expect(await addSignature(unsigned, signer)).toMatchObject({ ok: false, code: 'ALREADY_SIGNED' });
});

test('a forged signature under the key id of a person is replaced by the real one, never doubled', async () => {
  const [signer = seededSigner('none')] = signersOf('root');
  const forged = encodeMetadata(signedOf(tiny.factory.root), [{ keyid: signer.keyid, sig: new Uint8Array(64) }]);
  const signed = accepted(await addSignature({ metadata: forged, role: 'root', delegatedBy: undefined }, signer));
  const { signatures } = accepted(parseRoot(signed));
  expect(signatures.map(({ keyid }) => keyid)).toEqual([signer.keyid]);
  expect(signatures[0]?.sig).not.toEqual(new Uint8Array(64));
});

test.each<[string, string, Partial<Unsigned>]>([
  ['a channel under the name of another channel', 'ROLE_MISMATCH', { role: { channel: 'beta' } }],
  ['a channel as the targets role', 'ROLE_MISMATCH', { role: 'targets', delegatedBy: tiny.factory.root }],
  ['a channel as a root', 'METADATA_TYPE_MISMATCH', { role: 'root', delegatedBy: undefined }],
  ['a file without the one that delegates it', 'KEY_NOT_OF_ROLE', { delegatedBy: undefined }],
  ['targets as if they were a next root', 'METADATA_TYPE_MISMATCH', { role: 'root', delegatedBy: tiny.factory.root }],
  ['what is no metadata', 'JSON_MALFORMED', { metadata: new Uint8Array([123]) }],
])('a person is never made to sign %s', async (_, code, change) => {
  const unsigned: Unsigned = {
    metadata: draftOf(tiny.newest('stable')),
    role: { channel: 'stable' },
    delegatedBy: tiny.newest('targets'),
    ...change,
  };
  for (const signer of signersOf('stable'))
    expect(await addSignature(unsigned, signer)).toMatchObject({ ok: false, code });
});

test('a person is never made to sign for another repository that has the same keys', async () => {
  const other = await makeTinyRepository({ product: 'other' });
  const metadata = draftOf(other.newest('targets'));
  const [signer = seededSigner('none')] = signersOf('targets');
  expect(await addSignature({ metadata, role: 'targets', delegatedBy: tiny.factory.root }, signer)).toMatchObject({
    code: 'REPOSITORY_MISMATCH',
  });
  const later = await makeTinyRepository({ now: tiny.now + 1000 });
  const channel = { metadata: draftOf(later.newest('stable')), role: { channel: 'stable' } };
  expect(await addSignature({ ...channel, delegatedBy: tiny.newest('targets') }, signer)).toMatchObject({
    code: 'REPOSITORY_MISMATCH',
  });
});

test('what is signed is what was read, byte for byte of its content', async () => {
  const unsigned: Unsigned = { metadata: draftOf(tiny.factory.root), role: 'root', delegatedBy: undefined };
  const signed = await signedBy(unsigned, signersOf('root').slice(0, 2));
  const before = accepted(openMetadata(tiny.factory.root, signed.length)).signed;
  expect(accepted(openMetadata(signed, signed.length)).signed).toEqual(before);
  expect(signed).toEqual(tiny.factory.root);
});
