/**
 * Signing metadata: all at once as it is made, or one signature added to a file that people pass on.
 *
 * - What is signed is the canonical JSON of `signed`, as every TUF client computes it; the file is written compactly again.
 * - A key signs once; an entry of the same key id that does not verify is replaced, because clients refuse a key id that stands twice.
 * - A key signs only what its role lets it sign: a root by the keys of the former root or its own, everything else by the keys
 *   that the delegating metadata list.
 * - Nothing is signed that the device's parser does not read.
 * - Source: TUF specification 1.0.34, section 4.2.1.
 */
import type { JsonValue } from '../formats/json.ts';
import { checkSignaturePortable, type PublicKey } from '../formats/signature-check.ts';
import { encodeMetadata, openMetadata, type MetadataParseCode } from '../formats/tuf-metadata.ts';
import { encodeCanonicalJson } from '../formats/canonical-json.ts';
import { parseRoot, ROOT_BYTES_MAX } from '../formats/tuf-root.ts';
import { parseTargets, TARGETS_BYTES_MAX } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import type { Signer } from './signer.ts';

export type SignatureCode = MetadataParseCode | 'KEY_NOT_OF_ROLE' | 'ALREADY_SIGNED';
/** A file that awaits signatures. */
export type Unsigned = {
  readonly metadata: Uint8Array;
  /** What people sign in files: root, the targets role, a channel. */
  readonly role: 'root' | 'targets' | { readonly channel: string };
  /** The former root for a root, the root for targets, the targets file for a channel; root 1 has none. */
  readonly delegatedBy: Uint8Array | undefined;
};

/** The file of `signed` with the signature of each of `signers`. */
export async function signMetadata(signed: JsonValue, signers: readonly Signer[]): Promise<Uint8Array> {
  const message = encodeCanonicalJson(signed);
  const signatures = await Promise.all(signers.map(async ({ keyid, sign }) => ({ keyid, sig: await sign(message) })));
  return encodeMetadata(signed, signatures);
}

/** The file `unsigned.metadata` with one signature more. */
export async function addSignature(unsigned: Unsigned, signer: Signer): Promise<Verdict<Uint8Array, SignatureCode>> {
  const keys = keyIdsOfRole(unsigned);
  if (!keys.ok) return keys;
  if (!keys.value.includes(signer.keyid)) {
    return reject(
      'KEY_NOT_OF_ROLE',
      `key ${signer.keyid.slice(0, 12)}… is not among the ${keys.value.length} of the role`,
    );
  }
  const opened = openMetadata(unsigned.metadata, bytesMaxOf(unsigned));
  if (!opened.ok) return opened;
  const { signed, signatures } = opened.value;
  const message = encodeCanonicalJson(signed);
  const kept: { keyid: string; sig: Uint8Array }[] = [];
  for (const { keyid, sig } of signatures) {
    if (keyid === signer.keyid && sig !== undefined && checkSignaturePortable(signer.key, message, sig)) {
      return reject('ALREADY_SIGNED', `key ${keyid.slice(0, 12)}… has signed this version`);
    }
    if (keyid !== signer.keyid && sig !== undefined) kept.push({ keyid, sig });
  }
  return accept(encodeMetadata(signed, [...kept, { keyid: signer.keyid, sig: await signer.sign(message) }]));
}

/** The ids of the keys that may sign, once the file has been read as its role's. */
function keyIdsOfRole(unsigned: Unsigned): Verdict<readonly string[], MetadataParseCode | 'KEY_NOT_OF_ROLE'> {
  const { metadata, role, delegatedBy } = unsigned;
  if (role === 'root') return keyIdsOfRoot(metadata, delegatedBy);
  const parsed = parseTargets(metadata);
  if (!parsed.ok) return parsed;
  if (delegatedBy === undefined) return reject('KEY_NOT_OF_ROLE', 'the file that delegates this role is needed');
  if (role === 'targets') {
    const root = parseRoot(delegatedBy);
    return root.ok ? accept(listed(root.value.signed.keys, root.value.signed.roles.targets.keyids)) : root;
  }
  const delegator = parseTargets(delegatedBy);
  if (!delegator.ok) return delegator;
  const { delegations } = delegator.value.signed;
  const delegation = delegations?.roles.find(({ name }) => name === role.channel);
  if (delegations === undefined || delegation === undefined) {
    return reject('KEY_NOT_OF_ROLE', `${role.channel} is not delegated by that file`);
  }
  return accept(listed(delegations.keys, delegation.keyids));
}

/** A root is signed by its own root keys, and from version 2 on by the former's. */
function keyIdsOfRoot(
  metadata: Uint8Array,
  former: Uint8Array | undefined,
): Verdict<readonly string[], MetadataParseCode | 'KEY_NOT_OF_ROLE'> {
  const root = parseRoot(metadata);
  if (!root.ok) return root;
  const { keys, roles, version } = root.value.signed;
  const own = listed(keys, roles.root.keyids);
  if (former === undefined) {
    return version === 1 ? accept(own) : reject('KEY_NOT_OF_ROLE', `the root before version ${version} is needed`);
  }
  const before = parseRoot(former);
  if (!before.ok) return before;
  return accept([...own, ...listed(before.value.signed.keys, before.value.signed.roles.root.keyids)]);
}

function listed(keys: ReadonlyMap<string, PublicKey>, keyids: readonly string[]): readonly string[] {
  return keyids.filter((keyid) => keys.has(keyid));
}

function bytesMaxOf({ role }: Unsigned): number {
  return role === 'root' ? ROOT_BYTES_MAX : TARGETS_BYTES_MAX;
}
