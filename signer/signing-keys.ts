/**
 * Which keys may sign a file, read from the file that delegates its role.
 *
 * - A root is signed by its own root keys, and from version 2 on by the former root's; targets by keys of the root, a channel by
 *   keys of the targets role that delegates to it.
 * - The file names the role that it is signed as, and the repository of the file that delegates (rule R1): whoever holds keys of
 *   two channels is never made to sign one of them under the name of the other.
 */
import { verifyBinding, type BindingCode, type RepositoryId } from '../formats/binding.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { PublicKey } from '../formats/signature-check.ts';
import type { MetadataParseCode, SignedHead } from '../formats/tuf-metadata.ts';
import { parseRoot } from '../formats/tuf-root.ts';
import { parseTargets } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { repositoryIdOf } from './repository-id.ts';

/** A file that awaits signatures. */
export type Unsigned = {
  readonly metadata: Uint8Array;
  /** What people sign in files: root, the targets role, a channel. */
  readonly role: 'root' | 'targets' | { readonly channel: string };
  /** The former root for a root, the root for targets, the targets file for a channel; root 1 has none. */
  readonly delegatedBy: Uint8Array | undefined;
};
export type SigningKeysCode = MetadataParseCode | BindingCode | 'ROOT_VERSION_NOT_NEXT' | 'KEY_NOT_OF_ROLE';

/** The ids of the keys that may sign `unsigned`, once it has been read as what it claims to be. */
export function signingKeys(unsigned: Unsigned): Verdict<readonly string[], SigningKeysCode> {
  const { metadata, role, delegatedBy } = unsigned;
  if (role === 'root')
    return delegatedBy === undefined ? keysOfFirstRoot(metadata) : keysOfNextRoot(metadata, delegatedBy);
  if (delegatedBy === undefined) return reject('KEY_NOT_OF_ROLE', 'the file that delegates this role is needed');
  return role === 'targets'
    ? keysOfTargets(metadata, delegatedBy)
    : keysOfChannel(metadata, { name: role.channel, delegatedBy });
}

function keysOfFirstRoot(metadata: Uint8Array): Verdict<readonly string[], SigningKeysCode> {
  const founded = repositoryIdOf(metadata);
  if (!founded.ok) return founded;
  const root = parseRoot(metadata);
  return root.ok ? accept(listed(root.value.signed.keys, root.value.signed.roles.root.keyids)) : root;
}

function keysOfNextRoot(metadata: Uint8Array, former: Uint8Array): Verdict<readonly string[], SigningKeysCode> {
  const root = parseRoot(metadata);
  if (!root.ok) return root;
  const before = parseRoot(former);
  if (!before.ok) return before;
  const { signed } = before.value;
  if (root.value.signed.version !== signed.version + 1) {
    return reject('ROOT_VERSION_NOT_NEXT', `root version ${root.value.signed.version} after ${signed.version}`);
  }
  const bound = verifyBinding(root.value.signed.firmament, { repository: namedBy(signed, former), role: 'root' });
  if (!bound.ok) return bound;
  const own = listed(root.value.signed.keys, root.value.signed.roles.root.keyids);
  return accept([...own, ...listed(signed.keys, signed.roles.root.keyids)]);
}

function keysOfTargets(metadata: Uint8Array, delegatedBy: Uint8Array): Verdict<readonly string[], SigningKeysCode> {
  const targets = parseTargets(metadata);
  if (!targets.ok) return targets;
  const root = parseRoot(delegatedBy);
  if (!root.ok) return root;
  const { signed } = root.value;
  const repository = namedBy(signed, delegatedBy);
  const bound = verifyBinding(targets.value.signed.firmament, { repository, role: 'targets' });
  return bound.ok ? accept(listed(signed.keys, signed.roles.targets.keyids)) : bound;
}

function keysOfChannel(
  metadata: Uint8Array,
  of: { readonly name: string; readonly delegatedBy: Uint8Array },
): Verdict<readonly string[], SigningKeysCode> {
  const channel = parseTargets(metadata);
  if (!channel.ok) return channel;
  const targets = parseTargets(of.delegatedBy);
  if (!targets.ok) return targets;
  const { signed } = targets.value;
  const repository = namedBy(signed, of.delegatedBy);
  const bound = verifyBinding(channel.value.signed.firmament, { repository, role: of.name });
  if (!bound.ok) return bound;
  const role = signed.delegations?.roles.find(({ name }) => name === of.name);
  return role === undefined || signed.delegations === undefined
    ? reject('KEY_NOT_OF_ROLE', `${of.name} is not delegated by that file`)
    : accept(listed(signed.delegations.keys, role.keyids));
}

/** The repository that a file names by its own words; root 1 by its digest. What is missing matches nothing. */
function namedBy({ type, version, firmament }: SignedHead, file: Uint8Array): RepositoryId {
  const product = firmament?.get('product');
  const root = type === 'root' && version === 1 ? sha256Hex(file) : firmament?.get('root');
  return { product: typeof product === 'string' ? product : '', rootOneSha256: typeof root === 'string' ? root : '' };
}

function listed(keys: ReadonlyMap<string, PublicKey>, keyids: readonly string[]): readonly string[] {
  return keyids.filter((keyid) => keys.has(keyid));
}
