/**
 * What a key holder's tool remembers of a repository, in the key holder's own folder.
 *
 * - A server that shows an older state of the world than this person has seen makes the tool sign nothing (rule R5).
 * - Root and channel are named by digest; versions never go back.
 * - What was withdrawn stays so until the channel is past its version: then it is stale for ever.
 * - Specified in `docs/formats/signing-event.md`.
 */
import type { RepositoryId } from '../formats/binding.ts';
import {
  decodeJson,
  hexText,
  integer,
  literal,
  mapOf,
  object,
  refine,
  type DecodeCode,
  type Decoder,
} from '../formats/decode.ts';
import { encodeJson } from '../formats/encode-json.ts';
import type { JsonValue } from '../formats/json.ts';
import { nameDecoder } from '../formats/names.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { mergeWithdrawn, withdrawnDecoder, withdrawnToJson, type WithdrawnDraft } from './withdrawn-draft.ts';

/** A version by its digest: of a published file, or of a signed part. */
export type Version = { readonly version: number; readonly sha256: string };
export type KeyHolderMemory = {
  readonly repository: RepositoryId;
  /** The newest root that was seen; root 1 at first. */
  readonly root: Version;
  /** The newest targets version that was seen; 0 at first. */
  readonly targetsVersion: number;
  /** The newest published file of each channel that was seen. */
  readonly channels: ReadonlyMap<string, Version>;
  /** What this person signed last for each channel, by the digest of the signed part. */
  readonly signed: ReadonlyMap<string, Version>;
  /** Drafts that were withdrawn. */
  readonly withdrawn: readonly WithdrawnDraft[];
};
export const MEMORY_BYTES_MAX = 256_000;
/** What was found beside an event. */
export type Seen = {
  readonly root: Version;
  readonly targetsVersion: number;
  readonly role: string;
  readonly published: Version | undefined;
};

const CHANNELS_MAX = 256;

const versionDecoder: Decoder<Version> = object('refused', { version: integer(1), sha256: hexText(32) });
const versionsDecoder = mapOf(nameDecoder, versionDecoder, CHANNELS_MAX);

const memoryDecoder: Decoder<KeyHolderMemory> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    rootOne: hexText(32),
    root: versionDecoder,
    targetsVersion: integer(0),
    channels: versionsDecoder,
    signed: versionsDecoder,
    withdrawn: withdrawnDecoder,
  }),
  ({ product, rootOne, root, targetsVersion, channels, signed, withdrawn }) =>
    accept({
      repository: { product, rootOneSha256: rootOne },
      ...{ root, targetsVersion, channels, signed, withdrawn },
    }),
);

/** What somebody remembers who knows nothing but root 1. */
export function freshMemory(repository: RepositoryId): KeyHolderMemory {
  const none: ReadonlyMap<string, Version> = new Map();
  const root = { version: 1, sha256: repository.rootOneSha256 };
  return { repository, root, targetsVersion: 0, channels: none, signed: none, withdrawn: [] };
}

/** `memory` with what was seen beside an event: root and targets that hold, and the published file of a channel. */
export function rememberSeen(memory: KeyHolderMemory, seen: Seen): KeyHolderMemory {
  const { role, published } = seen;
  const root = seen.root.version > memory.root.version ? seen.root : memory.root;
  const targetsVersion = Math.max(seen.targetsVersion, memory.targetsVersion);
  const before = memory.channels.get(role);
  const isNewer = published !== undefined && published.version > (before?.version ?? 0);
  const channels = isNewer ? new Map([...memory.channels, [role, published] as const]) : memory.channels;
  return { ...memory, root, targetsVersion, channels };
}

/** `memory` with what this person has just signed. */
export function rememberSigned(memory: KeyHolderMemory, role: string, signed: Version): KeyHolderMemory {
  return { ...memory, signed: new Map([...memory.signed, [role, signed]]) };
}

/** `memory` with one withdrawn draft more. */
export function rememberWithdrawn(memory: KeyHolderMemory, draft: WithdrawnDraft): KeyHolderMemory {
  const versionOf = (role: string): number => memory.channels.get(role)?.version ?? 0;
  return { ...memory, withdrawn: mergeWithdrawn(memory.withdrawn, [draft], versionOf) };
}

/** Parses the file of a memory. */
export function parseKeyHolderMemory(bytes: Uint8Array): Verdict<KeyHolderMemory, DecodeCode> {
  return decodeJson(bytes, MEMORY_BYTES_MAX, memoryDecoder);
}

/** The file of a memory. */
export function encodeKeyHolderMemory(memory: KeyHolderMemory): Uint8Array {
  const versions = (map: ReadonlyMap<string, Version>): JsonValue =>
    new Map([...map].map(([role, { version, sha256 }]) => [role, versionToJson(version, sha256)]));
  return encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['product', memory.repository.product],
      ['rootOne', memory.repository.rootOneSha256],
      ['root', versionToJson(memory.root.version, memory.root.sha256)],
      ['targetsVersion', memory.targetsVersion],
      ['channels', versions(memory.channels)],
      ['signed', versions(memory.signed)],
      ['withdrawn', withdrawnToJson(memory.withdrawn)],
    ]),
  );
}

function versionToJson(version: number, sha256: string): ReadonlyMap<string, JsonValue> {
  return new Map<string, JsonValue>([
    ['version', version],
    ['sha256', sha256],
  ]);
}
