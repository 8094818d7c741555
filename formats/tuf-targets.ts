/**
 * Targets metadata: the files a role vouches for, and the roles it delegates to.
 *
 * - The top-level targets role and every channel (a delegated role) have this one format.
 * - Delegations are searched in their order; a role has authority over the paths it was given and no others.
 * - A delegated role's name stands once, and is never that of a top-level role: neither file nor key of one can stand for the other.
 * - Authority is given in one of three ways: by paths, by prefixes of the hash of the target's name, or to succinct roles, the bins
 *   of such prefixes (TAP 15). Which of them counts for a device is for its own rules to say.
 * - Source: TUF specification 1.0.34, section 4.5.
 */
import {
  anyObject,
  flag,
  integer,
  list,
  mapOf,
  object,
  optional,
  refine,
  shape,
  text,
  type Decoder,
} from './decode.ts';
import { encodeUtf8 } from './bytes.ts';
import { hashesDecoder, hashesToJson, type FileHashes } from './file-hashes.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { matchesPathPattern } from './path-pattern.ts';
import { sha256Hex } from './sha256.ts';
import type { PublicKey } from './signature-check.ts';
import { keysDecoder, keyToJson } from './tuf-key.ts';
import { headToJson, parseMetadata, type Metadata, type MetadataParseCode, type SignedHead } from './tuf-metadata.ts';
import { binOf, isBinOf, succinctRolesDecoder, succinctRolesToJson, type SuccinctRoles } from './succinct-roles.ts';
import { accept, type Verdict } from './verdict.ts';
import { roleKeysDecoder, type RoleKeys } from './verify-signatures.ts';

export type TargetFile = FileHashes & { readonly length: number; readonly custom: JsonObject | undefined };
export type DelegatedRole = RoleKeys & {
  readonly name: string;
  readonly terminating: boolean;
  /** Patterns of the names it may list; none where it is given hash prefixes. */
  readonly paths: readonly string[];
  /** First digits of the SHA-256 of the names it may list, in hex. */
  readonly pathHashPrefixes?: readonly string[] | undefined;
};
export type Delegations = {
  readonly keys: ReadonlyMap<string, PublicKey>;
  /** Each under its own name; none where there are bins. */
  readonly roles: readonly DelegatedRole[];
  readonly bins?: SuccinctRoles | undefined;
};
/** What a delegated role is held to, by whichever of the ways it was given its authority. */
export type Delegation = RoleKeys & { readonly name: string; readonly terminating: boolean };
export type Targets = {
  readonly targets: ReadonlyMap<string, TargetFile>;
  readonly delegations: Delegations | undefined;
};

export const TARGETS_BYTES_MAX = 32_000_000;
export const TARGETS_MAX = 200_000;
const DELEGATIONS_MAX = 32_768;
const PATHS_MAX = 8_192;
const PREFIXES_MAX = 65_536;

const targetFileDecoder: Decoder<TargetFile> = refine(
  object('ignored', { length: integer(0), hashes: hashesDecoder, custom: optional(anyObject) }),
  ({ length, hashes, custom }) => accept({ length, ...hashes, custom }),
);

const TOP_LEVEL: ReadonlySet<string> = new Set(['root', 'targets', 'snapshot', 'timestamp']);
const authorityDecoder = object('ignored', {
  name: text(256),
  terminating: flag,
  paths: optional(list(text(512), PATHS_MAX)),
  path_hash_prefixes: optional(list(text(64, /^[0-9a-f]+$/), PREFIXES_MAX)),
});

const delegatedRoleDecoder: Decoder<DelegatedRole> = (json) => {
  const authority = authorityDecoder(json);
  if (!authority.ok) return authority;
  if (TOP_LEVEL.has(authority.value.name)) return shape('.name: it is the name of a top-level role');
  const { path_hash_prefixes: pathHashPrefixes, paths, ...named } = authority.value;
  if ((paths === undefined) === (pathHashPrefixes === undefined)) {
    return shape(': either paths or path_hash_prefixes is expected');
  }
  const keys = roleKeysDecoder(json);
  if (!keys.ok) return keys;
  const role = { ...named, ...keys.value, paths: paths ?? [] };
  return accept(pathHashPrefixes === undefined ? role : { ...role, pathHashPrefixes });
};

const delegationsDecoder: Decoder<Delegations> = refine(
  object('ignored', {
    keys: keysDecoder,
    roles: optional(list(delegatedRoleDecoder, DELEGATIONS_MAX)),
    succinct_roles: optional(succinctRolesDecoder),
  }),
  ({ keys, roles, succinct_roles: bins }) => {
    if ((roles === undefined) === (bins === undefined)) return shape(': either roles or succinct_roles is expected');
    if (roles === undefined) return accept({ keys, roles: [], bins });
    return new Set(roles.map((role) => role.name)).size === roles.length
      ? accept({ keys, roles })
      : shape('.roles: a role name stands twice');
  },
);

const targetsDecoder: Decoder<Targets> = object('ignored', {
  targets: mapOf(text(1024), targetFileDecoder, TARGETS_MAX),
  delegations: optional(delegationsDecoder),
});

/** Parses targets metadata of the top-level role or of a delegated one. */
export function parseTargets(bytes: Uint8Array): Verdict<Metadata<Targets>, MetadataParseCode> {
  return parseMetadata(bytes, { type: 'targets', bytesMax: TARGETS_BYTES_MAX, decoder: targetsDecoder });
}

/** Whether `role` was given authority over the target `name`. */
export function hasAuthority(role: DelegatedRole, name: string): boolean {
  return isGiven(role, name, () => sha256Hex(encodeUtf8(name)));
}

function isGiven({ paths, pathHashPrefixes }: DelegatedRole, name: string, digest: () => string): boolean {
  return pathHashPrefixes === undefined
    ? paths.some((pattern) => matchesPathPattern(pattern, name))
    : pathHashPrefixes.some((prefix) => digest().startsWith(prefix));
}

/** The delegations that have authority over the target `name`, in the order in which they are searched (5.6.7.2). */
export function delegationsFor({ roles, bins }: Delegations, name: string): readonly Delegation[] {
  const digest = sha256Hex(encodeUtf8(name));
  if (bins !== undefined) return [binDelegation(bins, binOf(bins, digest))];
  return roles.filter((role) => isGiven(role, name, () => digest));
}

/** The delegation to the role `name`, or undefined if it is none of them: being named like a bin is not enough. */
export function findDelegation({ roles, bins }: Delegations, name: string): Delegation | undefined {
  if (bins !== undefined) return isBinOf(bins, name) ? binDelegation(bins, name) : undefined;
  return roles.find((role) => role.name === name);
}

/** Each bin is terminating: no other could have the name (TAP 15). */
function binDelegation({ keyids, threshold }: SuccinctRoles, name: string): Delegation {
  return { keyids, threshold, name, terminating: true };
}

/** The `signed` part of targets metadata as JSON. */
export function targetsToJson(targets: SignedHead & Targets): JsonValue {
  const members = headToJson(targets).set(
    'targets',
    new Map([...targets.targets].map(([name, file]) => [name, targetFileToJson(file)])),
  );
  return targets.delegations === undefined
    ? members
    : members.set('delegations', delegationsToJson(targets.delegations));
}

function targetFileToJson(file: TargetFile): JsonValue {
  const members = new Map<string, JsonValue>([
    ['length', file.length],
    ['hashes', hashesToJson(file) ?? new Map()],
  ]);
  if (file.custom !== undefined) members.set('custom', file.custom);
  return members;
}

/** The member `delegations` as JSON. */
export function delegationsToJson({ keys, roles, bins }: Delegations): JsonValue {
  const members = new Map<string, JsonValue>([
    ['keys', new Map([...keys].map(([keyid, key]) => [keyid, keyToJson(key)]))],
  ]);
  return bins === undefined
    ? members.set('roles', roles.map(delegatedRoleToJson))
    : members.set('succinct_roles', succinctRolesToJson(bins));
}

function delegatedRoleToJson(role: DelegatedRole): JsonValue {
  const members = new Map<string, JsonValue>([
    ['name', role.name],
    ['keyids', role.keyids],
    ['threshold', role.threshold],
    ['terminating', role.terminating],
  ]);
  return role.pathHashPrefixes === undefined
    ? members.set('paths', role.paths)
    : members.set('path_hash_prefixes', role.pathHashPrefixes);
}
