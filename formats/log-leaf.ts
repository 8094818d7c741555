/**
 * The entries of a product's log: what was released, and what is trusted, each kind under a type of its own (rule R21).
 *
 * - An entry is canonical JSON: one text for one meaning, so that a device computes it from what it is about to act on.
 * - It names product and root 1: an entry of one repository proves nothing in another (R1).
 * - An unknown type is refused. `plan`, `wave-step`, `halt`, `group` and `policy` are reserved.
 * - Specified in `docs/formats/log.md`.
 */
import type { RepositoryId } from './binding.ts';
import { equalBytes } from './bytes.ts';
import { encodeCanonicalJson } from './canonical-json.ts';
import { decodeJson, hexText, integer, literal, object, type Decoder } from './decode.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder, segmentDecoder } from './names.ts';
import { sha256Hex } from './sha256.ts';
import { reject, type Verdict } from './verdict.ts';

/** A root file as published. */
type RootLeaf = {
  readonly type: 'root';
  readonly product: string;
  /** SHA-256 of the file of root version 1, in hex. */
  readonly root: string;
  readonly version: number;
  /** SHA-256 of the file, in hex. */
  readonly sha256: string;
};
/** A channel file as published: the approval, and the release that it puts in force. */
type ReleaseLeaf = {
  readonly type: 'release';
  readonly product: string;
  readonly root: string;
  readonly channel: string;
  readonly version: number;
  readonly sha256: string;
  readonly release: string;
};
export type LogLeaf = RootLeaf | ReleaseLeaf;

export const LEAF_BYTES_MAX = 1024;

const rootDecoder: Decoder<LogLeaf> = object('refused', {
  type: literal('root'),
  product: nameDecoder,
  root: hexText(32),
  version: integer(1),
  sha256: hexText(32),
});
const releaseDecoder: Decoder<LogLeaf> = object('refused', {
  type: literal('release'),
  product: nameDecoder,
  root: hexText(32),
  channel: nameDecoder,
  version: integer(1),
  sha256: hexText(32),
  release: segmentDecoder,
});

const leafDecoder: Decoder<LogLeaf> = (json) => {
  const asRoot = rootDecoder(json);
  return asRoot.ok ? asRoot : releaseDecoder(json);
};

/** The entry of a root file of `repository`; `version` as the file says it. */
export function rootLeaf(
  repository: RepositoryId,
  file: { readonly version: number; readonly bytes: Uint8Array },
): RootLeaf {
  const { product, rootOneSha256: root } = repository;
  return { type: 'root', product, root, version: file.version, sha256: sha256Hex(file.bytes) };
}

/** The entry of a channel file of `repository`; version and release in force as the file says them. */
export function releaseLeaf(
  repository: RepositoryId,
  file: { readonly channel: string; readonly version: number; readonly bytes: Uint8Array; readonly release: string },
): ReleaseLeaf {
  const { product, rootOneSha256: root } = repository;
  const { channel, version, bytes, release } = file;
  return { type: 'release', product, root, channel, version, sha256: sha256Hex(bytes), release };
}

/** Parses an entry; one that is not written canonically is none. */
export function parseLogLeaf(bytes: Uint8Array): Verdict<LogLeaf, 'LOG_LEAF_MALFORMED'> {
  const leaf = decodeJson(bytes, LEAF_BYTES_MAX, leafDecoder);
  if (!leaf.ok) return reject('LOG_LEAF_MALFORMED', `${leaf.code}: ${leaf.detail}`);
  return equalBytes(encodeLogLeaf(leaf.value), bytes)
    ? leaf
    : reject('LOG_LEAF_MALFORMED', 'the entry is not canonical JSON');
}

/** The bytes of an entry. */
export function encodeLogLeaf(leaf: LogLeaf): Uint8Array {
  return encodeCanonicalJson(new Map<string, JsonValue>(Object.entries(leaf)));
}
