/**
 * What the header fields of an answer say about an object, computed once for each.
 *
 * - The entity tag is the object's SHA-256, so it is strong, and the same on every server and after every restart.
 * - What never changes under its name (versioned metadata, targets under their hash, tiles) is immutable for caches;
 *   timestamp.json, and checkpoint and proofs of the log, may be stored but must be revalidated each time (RFC 9111, section 5.2.2.4; RFC 8246).
 * - Fields are flat lists, name after value, the form that Node writes without rebuilding it.
 */

export type Representation = {
  /** The entity tag, quotes included (RFC 9110, section 8.8.3). */
  readonly etag: string;
  readonly sizeBytes: number;
  /** Fields of a 304. */
  readonly fields: readonly string[];
  /** Fields of a 200 or 206, all but the length. */
  readonly contentFields: readonly string[];
  /** Fields of a 200. */
  readonly wholeFields: readonly string[];
};

/** Caches keep these for ever: the name says the content. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Caches may keep it, but ask each time: a halt or a new release must not wait for a lifetime to pass. */
const REVALIDATE = 'no-cache';

/** What each kind of object is; those of the log as C2SP tlog-tiles demands. */
const CONTENT_TYPE = {
  metadata: 'application/json',
  target: 'application/octet-stream',
  note: 'text/plain; charset=utf-8',
  tile: 'application/octet-stream',
} as const;

/**
 * @param object.sha256 of the content, lower-case hex.
 * @param object.immutable whether this name will never hold other content.
 */
export function describeObject(object: {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly kind: keyof typeof CONTENT_TYPE;
  readonly immutable: boolean;
}): Representation {
  const etag = `"${object.sha256}"`;
  const fields = ['ETag', etag, 'Cache-Control', object.immutable ? IMMUTABLE : REVALIDATE];
  const contentFields = [...fields, 'Content-Type', CONTENT_TYPE[object.kind], ...NOSNIFF, 'Accept-Ranges', 'bytes'];
  const wholeFields = [...contentFields, 'Content-Length', String(object.sizeBytes)];
  return { etag, sizeBytes: object.sizeBytes, fields, contentFields, wholeFields };
}

/** No browser may take an answer for something else than its type says. */
export const NOSNIFF: readonly string[] = ['X-Content-Type-Options', 'nosniff'];
