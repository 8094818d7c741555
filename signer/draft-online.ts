/**
 * The content of snapshot and timestamp, which the online roles sign as it is made: there is no draft that people see.
 *
 * - Both name this repository and their role (rule R1); every file is named with its length and SHA-256.
 * - Source: TUF specification 1.0.34, sections 4.4 and 4.6.
 */
import { bindingToJson, type RepositoryId } from '../formats/binding.ts';
import type { Instant } from '../formats/instant.ts';
import type { JsonValue } from '../formats/json.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { snapshotToJson, timestampToJson, type MetaFile } from '../formats/tuf-snapshot.ts';

export type OnlinePart = {
  readonly repository: RepositoryId;
  readonly version: number;
  readonly expires: Instant;
};

/** The `signed` part of a snapshot that lists `meta`, by file name (`targets.json`, `CHANNEL.json`). */
export function snapshotContent(part: OnlinePart, meta: ReadonlyMap<string, MetaFile>): JsonValue {
  return snapshotToJson({
    type: 'snapshot',
    version: part.version,
    expires: part.expires,
    firmament: bindingToJson({ ...part.repository, role: 'snapshot' }),
    meta,
  });
}

/** The `signed` part of a timestamp over `snapshot`. */
export function timestampContent(part: OnlinePart, snapshot: MetaFile): JsonValue {
  return timestampToJson({
    type: 'timestamp',
    version: part.version,
    expires: part.expires,
    firmament: bindingToJson({ ...part.repository, role: 'timestamp' }),
    snapshot,
  });
}

/** What a parent says of the file `bytes` of version `version`. */
export function metaFileOf(version: number, bytes: Uint8Array): MetaFile {
  return { version, length: bytes.length, sha256: sha256Hex(bytes) };
}
