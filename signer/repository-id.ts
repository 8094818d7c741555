/**
 * Which repository a root of version 1 founds: its product, and the digest of its file as signed (rule R1).
 */
import { verifyBinding, type BindingCode, type RepositoryId } from '../formats/binding.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { MetadataParseCode } from '../formats/tuf-metadata.ts';
import { parseRoot } from '../formats/tuf-root.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';

export type RepositoryIdCode = MetadataParseCode | BindingCode | 'ROOT_VERSION_NOT_NEXT';

/** The repository of `rootOne`, the file of root version 1. Says nothing about its signatures. */
export function repositoryIdOf(rootOne: Uint8Array): Verdict<RepositoryId, RepositoryIdCode> {
  const parsed = parseRoot(rootOne);
  if (!parsed.ok) return parsed;
  const { version, firmament } = parsed.value.signed;
  if (version !== 1) return reject('ROOT_VERSION_NOT_NEXT', `root version ${version}, version 1 founds a repository`);
  const product = firmament?.get('product');
  const repository = { product: typeof product === 'string' ? product : '', rootOneSha256: sha256Hex(rootOne) };
  const bound = verifyBinding(firmament, { repository, role: 'root', isRootOne: true });
  return bound.ok ? accept(repository) : bound;
}
