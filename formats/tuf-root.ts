/**
 * Root metadata: the keys and thresholds of all top-level roles (TUF specification 1.0.34, section 4.3).
 *
 * - All four roles stand in it, each with a threshold of at least 1.
 * - Key ids that a role lists must have a key in `keys`, or they count for nothing.
 */
import { flag, object, optional, refine, type Decoder } from './decode.ts';
import type { JsonValue } from './json.ts';
import type { PublicKey } from './signature-check.ts';
import { keysDecoder, keyToJson } from './tuf-key.ts';
import { headToJson, parseMetadata, type Metadata, type MetadataParseCode, type SignedHead } from './tuf-metadata.ts';
import { accept, type Verdict } from './verdict.ts';
import { roleKeysDecoder, type RoleKeys } from './verify-signatures.ts';

export type TopRole = 'root' | 'targets' | 'snapshot' | 'timestamp';

export type Root = {
  readonly consistentSnapshot: boolean;
  readonly keys: ReadonlyMap<string, PublicKey>;
  readonly roles: Readonly<Record<TopRole, RoleKeys>>;
};

export const ROOT_BYTES_MAX = 512_000;

const rootDecoder: Decoder<Root> = refine(
  object('ignored', {
    consistent_snapshot: optional(flag),
    keys: keysDecoder,
    roles: object('ignored', {
      root: roleKeysDecoder,
      targets: roleKeysDecoder,
      snapshot: roleKeysDecoder,
      timestamp: roleKeysDecoder,
    }),
  }),
  (root) => accept({ consistentSnapshot: root.consistent_snapshot ?? false, keys: root.keys, roles: root.roles }),
);

/** Parses root metadata; trust is decided by `verifyThreshold`. */
export function parseRoot(bytes: Uint8Array): Verdict<Metadata<Root>, MetadataParseCode> {
  return parseMetadata(bytes, { type: 'root', bytesMax: ROOT_BYTES_MAX, decoder: rootDecoder });
}

/** The `signed` part of root metadata as JSON. */
export function rootToJson(root: SignedHead & Root): JsonValue {
  const role = (keys: RoleKeys): JsonValue =>
    new Map<string, JsonValue>([
      ['keyids', keys.keyids],
      ['threshold', keys.threshold],
    ]);
  return headToJson(root)
    .set('consistent_snapshot', root.consistentSnapshot)
    .set('keys', new Map([...root.keys].map(([keyid, key]) => [keyid, keyToJson(key)])))
    .set('roles', new Map(Object.entries(root.roles).map(([name, keys]) => [name, role(keys)])));
}
