/**
 * Targets metadata: the files a role vouches for, and the roles it delegates to.
 *
 * - The top-level targets role and every channel (a delegated role) have this one format.
 * - Delegations are searched in their order; a role has authority over the paths it was given and no others.
 * - A delegated role's name stands once, and is never that of a top-level role: neither file nor key of one can stand for the other.
 * - Authority is given by `paths` alone: a role given by hash prefixes, or by succinct roles, is refused.
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
import type { JsonObject, JsonValue } from './json.ts';
import { matchesPathPattern } from './path-pattern.ts';
import type { PublicKey } from './signature-check.ts';
import { keysDecoder, keyToJson } from './tuf-key.ts';
import { headToJson, parseMetadata, type Metadata, type MetadataParseCode, type SignedHead } from './tuf-metadata.ts';
import { hashesDecoder } from './tuf-snapshot.ts';
import { accept, type Verdict } from './verdict.ts';
import { roleKeysDecoder, type RoleKeys } from './verify-signatures.ts';

export type TargetFile = {
  readonly length: number;
  readonly sha256: string;
  readonly custom: JsonObject | undefined;
};
export type DelegatedRole = RoleKeys & {
  readonly name: string;
  readonly terminating: boolean;
  readonly paths: readonly string[];
};
export type Delegations = {
  readonly keys: ReadonlyMap<string, PublicKey>;
  readonly roles: readonly DelegatedRole[];
};
export type Targets = {
  readonly targets: ReadonlyMap<string, TargetFile>;
  readonly delegations: Delegations | undefined;
};

export const TARGETS_BYTES_MAX = 32_000_000;
export const TARGETS_MAX = 200_000;
const DELEGATIONS_MAX = 4096;
const PATHS_MAX = 256;

const targetFileDecoder: Decoder<TargetFile> = refine(
  object('ignored', { length: integer(0), hashes: hashesDecoder, custom: optional(anyObject) }),
  ({ length, hashes, custom }) => accept({ length, sha256: hashes, custom }),
);

const TOP_LEVEL: ReadonlySet<string> = new Set(['root', 'targets', 'snapshot', 'timestamp']);
const authorityDecoder = object('ignored', {
  name: text(256),
  terminating: flag,
  paths: list(text(512), PATHS_MAX),
});

const delegatedRoleDecoder: Decoder<DelegatedRole> = (json) => {
  const authority = authorityDecoder(json);
  if (!authority.ok) return authority;
  if (TOP_LEVEL.has(authority.value.name)) return shape('.name: it is the name of a top-level role');
  const keys = roleKeysDecoder(json);
  return keys.ok ? accept({ ...authority.value, ...keys.value }) : keys;
};

const delegationsDecoder: Decoder<Delegations> = refine(
  object('ignored', { keys: keysDecoder, roles: list(delegatedRoleDecoder, DELEGATIONS_MAX) }),
  (delegations) =>
    new Set(delegations.roles.map((role) => role.name)).size === delegations.roles.length
      ? accept(delegations)
      : shape('.roles: a role name stands twice'),
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
  return role.paths.some((pattern) => matchesPathPattern(pattern, name));
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
    ['hashes', new Map([['sha256', file.sha256]])],
  ]);
  if (file.custom !== undefined) members.set('custom', file.custom);
  return members;
}

function delegationsToJson(delegations: Delegations): JsonValue {
  return new Map<string, JsonValue>([
    ['keys', new Map([...delegations.keys].map(([keyid, key]) => [keyid, keyToJson(key)]))],
    [
      'roles',
      delegations.roles.map(
        (role) =>
          new Map<string, JsonValue>([
            ['name', role.name],
            ['keyids', role.keyids],
            ['threshold', role.threshold],
            ['terminating', role.terminating],
            ['paths', role.paths],
          ]),
      ),
    ],
  ]);
}
