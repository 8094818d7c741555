/**
 * Names of published objects, and the addresses under which devices ask for them.
 *
 * - A name is data. It is `PRODUCT/metadata/timestamp.json`, `PRODUCT/metadata/VERSION.ROLE.json`,
 *   `PRODUCT/targets/[FOLDER/]SHA256.FILE` (consistent snapshots: TUF specification 1.0.34, section 6.2), or of the log
 *   `PRODUCT/log/checkpoint`, `PRODUCT/log/tile/LEVEL/INDEX[.p/WIDTH]` (C2SP tlog-tiles) and `PRODUCT/log/proof/SHA256`; nothing
 *   else is served.
 * - Segments use an allow-list and never begin with a dot: there is no `..`, no hidden file, no empty segment.
 * - An address is percent-decoded exactly once, segment by segment, after it was split: a decoded slash never separates.
 *   In role names it stays data, written `%2F`; a decoded percent sign is refused, so a second decoding finds nothing.
 * - `ObjectName` is made here alone; stores take no other string.
 */
import { accept, reject, type Verdict } from '../formats/verdict.ts';

declare const objectName: unique symbol;
/** The name of an object, safe to be used as a relative path and as a key of a bucket. */
export type ObjectName = string & { readonly [objectName]: true };

/** `versioned` metadata never changes under its name; the other is timestamp.json alone. */
export type ServedMetadata = { readonly kind: 'metadata'; readonly name: ObjectName; readonly versioned: boolean };
/** Of the log: notes are replaced under their name (checkpoint, proofs), tiles and bundles of entries never are. */
export type ServedNote = { readonly kind: 'note'; readonly name: ObjectName; readonly versioned: false };
export type ServedTile = { readonly kind: 'tile'; readonly name: ObjectName; readonly versioned: true };
/** What is small enough to be held in memory. */
export type HeldObject = ServedMetadata | ServedNote | ServedTile;
export type ServedTarget = { readonly kind: 'target'; readonly name: ObjectName; readonly sha256: string };
export type ServedObject = HeldObject | ServedTarget;

/** What stands before an object's name in its address. */
export const OBJECTS_AT = '/r/';

/** A segment fits the name of a file. */
export const SEGMENT_BYTES_MAX = 255;
/** A name fits the key of a bucket (S3: 1024 bytes). */
export const NAME_BYTES_MAX = 1024;

const SEGMENT = '[A-Za-z0-9_-][A-Za-z0-9._-]*';
const ROLE = '(?:[A-Za-z0-9_-]|%2F)(?:[A-Za-z0-9._-]|%2F)*';
const METADATA_NAME = new RegExp(`^${SEGMENT}/metadata/(?:timestamp|([1-9][0-9]{0,15})\\.${ROLE})\\.json$`);
const TARGET_NAME = new RegExp(`^${SEGMENT}/targets/(?:${SEGMENT}/){0,7}([0-9a-f]{64})\\.${SEGMENT}$`);
const NOTE_NAME = new RegExp(`^${SEGMENT}/log/(?:checkpoint|proof/[0-9a-f]{64})$`);
const TILE_LEVEL = '(?:entries|[0-9]|[1-5][0-9]|6[0-3])';
const TILE_NAME = new RegExp(
  `^${SEGMENT}/log/tile/${TILE_LEVEL}/(?:x[0-9]{3}/){0,5}[0-9]{3}(?:\\.p/(?:[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?$`,
);
const DECODED_SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._/-]*$/;

/**
 * Reads the address of a request.
 * @param url the request target in origin form, as received: neither decoded nor normalised.
 * @returns the object asked for; `NAME_REFUSED` for characters that no name has (a query, `..` and a second encoding among
 *   them), `NOT_FOUND` for an address that names no kind of object. Never throws, and repeats nothing of `url`.
 */
export function parseObjectUrl(url: string): Verdict<ServedObject, 'NAME_REFUSED' | 'NOT_FOUND'> {
  if (!url.startsWith(OBJECTS_AT)) return reject('NOT_FOUND', `objects are served under ${OBJECTS_AT}PRODUCT/`);
  const segments: string[] = [];
  for (const encoded of url.slice(OBJECTS_AT.length).split('/')) {
    const segment = decodeSegment(encoded);
    if (segment === undefined) return reject('NAME_REFUSED', 'a part of the address is outside the allowed characters');
    segments.push(segment);
  }
  const object = classify(segments.join('/'));
  return object === undefined
    ? reject(
        'NOT_FOUND',
        'served are metadata/timestamp.json, metadata/VERSION.ROLE.json, targets/…/SHA256.FILE, log/checkpoint, log/tile/… and log/proof/SHA256 of a product',
      )
    : accept(object);
}

/** Whether `text` is the name of an object of a kind that is served. */
export function isObjectName(text: string): text is ObjectName {
  return (
    text.length <= NAME_BYTES_MAX &&
    [METADATA_NAME, TARGET_NAME, NOTE_NAME, TILE_NAME].some((kind) => kind.test(text)) &&
    text.split('/').every((segment) => segment.length <= SEGMENT_BYTES_MAX)
  );
}

/** The segment that `encoded` stands for, a decoded slash written `%2F`; undefined if it is not of the allow-list. */
function decodeSegment(encoded: string): string | undefined {
  const decoded = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return DECODED_SEGMENT.test(decoded) ? decoded.replaceAll('/', '%2F') : undefined;
}

function classify(name: string): ServedObject | undefined {
  if (!isObjectName(name)) return undefined;
  const sha256 = TARGET_NAME.exec(name)?.[1];
  if (sha256 !== undefined) return { kind: 'target', name, sha256 };
  if (NOTE_NAME.test(name)) return { kind: 'note', name, versioned: false };
  if (TILE_NAME.test(name)) return { kind: 'tile', name, versioned: true };
  return { kind: 'metadata', name, versioned: METADATA_NAME.exec(name)?.[1] !== undefined };
}
