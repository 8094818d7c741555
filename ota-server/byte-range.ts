/**
 * The Range field of a request: which bytes of an object are asked for (RFC 9110, section 14).
 *
 * - One range is served. Several are not: the field is ignored and the whole object answers, which section 14.2 always permits
 *   and every client must cope with; a 416 would tell a client that its ranges lie outside, and make it drop what it has.
 * - What is not a range of bytes by the grammar, or ends before it begins, is ignored too (section 14.2).
 * - So the answer is never longer than the object: a thousand ranges cost what none costs.
 */

/** Bytes `start` to `endExclusive - 1` of an object, counted from 0. */
export type ByteRange = { readonly start: number; readonly endExclusive: number };

/**
 * @param field the value of Range as received.
 * @param sizeBytes the length of the object.
 * @returns the bytes to send with 206, `ignored` for an answer as if there were no such field, `unsatisfiable` for 416.
 */
export function parseByteRange(field: string, sizeBytes: number): ByteRange | 'ignored' | 'unsatisfiable' {
  const match = /^bytes=[\t ]*([0-9]*)-([0-9]*)[\t ]*$/i.exec(field);
  const [first, last] = [match?.[1] ?? '', match?.[2] ?? ''];
  if (first === '') return last === '' ? 'ignored' : suffixRange(Number(last), sizeBytes);
  // Numbers above 2^53 are rounded, but never past a smaller one, and no object is that long.
  const start = Number(first);
  const end = last === '' ? sizeBytes : Number(last) + 1;
  if (last !== '' && Number(last) < start) return 'ignored';
  return start < sizeBytes ? { start, endExclusive: Math.min(end, sizeBytes) } : 'unsatisfiable';
}

/** The last `length` bytes. Of an empty object they are all of it, which a Content-Range cannot say: 200 does. */
function suffixRange(length: number, sizeBytes: number): ByteRange | 'ignored' | 'unsatisfiable' {
  if (length === 0) return 'unsatisfiable';
  return sizeBytes === 0 ? 'ignored' : { start: Math.max(0, sizeBytes - length), endExclusive: sizeBytes };
}
