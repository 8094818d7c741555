/**
 * Snapshot and timestamp metadata: which version of every file belongs together.
 *
 * - Snapshot lists targets and every delegated role by file name, `ROLE.json`; timestamp lists `snapshot.json` alone.
 * - Length and hashes are optional in TUF; ours always carry both.
 * - Source: TUF specification 1.0.34, sections 4.4 and 4.6.
 */
import { integer, mapOf, object, optional, refine, shape, text, type Decoder } from './decode.ts';
import { hashesDecoder, hashesToJson, type FileHashes } from './file-hashes.ts';
import type { JsonValue } from './json.ts';
import { headToJson, parseMetadata, type Metadata, type MetadataParseCode, type SignedHead } from './tuf-metadata.ts';
import { accept, type Verdict } from './verdict.ts';

/** What a parent says of a metadata file. */
export type MetaFile = FileHashes & { readonly version: number; readonly length: number | undefined };
export type Snapshot = { readonly meta: ReadonlyMap<string, MetaFile> };
export type Timestamp = { readonly snapshot: MetaFile };

/** The longest snapshot that a device of ours goes on with. */
export const SNAPSHOT_BYTES_MAX = 2_000_000;
/** The longest snapshot that is read at all: some repositories have tens of thousands of bins. */
export const SNAPSHOT_BYTES_READ_MAX = 16_000_000;
export const TIMESTAMP_BYTES_MAX = 16_384;
const ROLES_MAX = 100_000;

const metaFileDecoder: Decoder<MetaFile> = refine(
  object('ignored', { version: integer(1), length: optional(integer(0)), hashes: optional(hashesDecoder) }),
  ({ version, length, hashes }) => accept({ version, length, ...(hashes ?? { sha256: undefined }) }),
);

const metaDecoder = mapOf(text(512, /^.+\.json$/s), metaFileDecoder, ROLES_MAX);

const snapshotDecoder: Decoder<Snapshot> = object('ignored', { meta: metaDecoder });

const timestampDecoder: Decoder<Timestamp> = refine(object('ignored', { meta: metaDecoder }), ({ meta }) => {
  const snapshot = meta.get('snapshot.json');
  return snapshot !== undefined && meta.size === 1
    ? accept({ snapshot })
    : shape('.meta: snapshot.json and nothing else is expected');
});

/** Parses snapshot metadata. */
export function parseSnapshot(bytes: Uint8Array): Verdict<Metadata<Snapshot>, MetadataParseCode> {
  return parseMetadata(bytes, { type: 'snapshot', bytesMax: SNAPSHOT_BYTES_READ_MAX, decoder: snapshotDecoder });
}

/** Parses timestamp metadata. */
export function parseTimestamp(bytes: Uint8Array): Verdict<Metadata<Timestamp>, MetadataParseCode> {
  return parseMetadata(bytes, { type: 'timestamp', bytesMax: TIMESTAMP_BYTES_MAX, decoder: timestampDecoder });
}

/** The `signed` part of snapshot metadata as JSON. */
export function snapshotToJson(snapshot: SignedHead & Snapshot): JsonValue {
  return headToJson(snapshot).set(
    'meta',
    new Map([...snapshot.meta].map(([file, meta]) => [file, metaFileToJson(meta)])),
  );
}

/** The `signed` part of timestamp metadata as JSON. */
export function timestampToJson(timestamp: SignedHead & Timestamp): JsonValue {
  return headToJson(timestamp).set('meta', new Map([['snapshot.json', metaFileToJson(timestamp.snapshot)]]));
}

function metaFileToJson(file: MetaFile): JsonValue {
  const members = new Map<string, JsonValue>([['version', file.version]]);
  if (file.length !== undefined) members.set('length', file.length);
  const hashes = hashesToJson(file);
  if (hashes !== undefined) members.set('hashes', hashes);
  return members;
}
