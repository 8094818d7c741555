/**
 * What a conditional request gets: pure, from its header fields and the object's entity tag (RFC 9110, sections 13 and 14).
 *
 * - The order is that of section 13.2.2: If-Match, If-None-Match, then Range under If-Range.
 * - If-Match and If-Range compare strongly, If-None-Match weakly (section 8.8.3.2).
 * - Objects have no modification date: If-Modified-Since and If-Unmodified-Since are ignored, a date in If-Range never matches.
 * - A list that is not one by the grammar matches nothing beyond the fault.
 */
import { parseByteRange, type ByteRange } from './byte-range.ts';

/** The fields that decide, as Node gives them: repeated ones joined by commas. */
export type ConditionFields = {
  readonly 'if-match'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
  readonly 'if-range'?: string | string[] | undefined;
  readonly range?: string | undefined;
};

export type ConditionOutcome =
  | { readonly kind: 'whole' | 'not-modified' | 'precondition-failed' | 'range-unsatisfiable' }
  | { readonly kind: 'part'; readonly range: ByteRange };

/**
 * Decides about a GET or HEAD of an object that exists.
 * @param method `HEAD` has no ranges (section 14.2): it is answered as a GET of the whole.
 * @param object.etag the strong entity tag, quotes included.
 */
export function judgeConditions(
  method: string | undefined,
  fields: ConditionFields,
  object: { readonly etag: string; readonly sizeBytes: number },
): ConditionOutcome {
  const ifMatch = fields['if-match'];
  const ifNoneMatch = fields['if-none-match'];
  if (ifMatch !== undefined && !matchesEntityTag(ifMatch, object.etag, 'strong'))
    return { kind: 'precondition-failed' };
  if (ifNoneMatch !== undefined && matchesEntityTag(ifNoneMatch, object.etag, 'weak')) return { kind: 'not-modified' };
  const ifRange = fields['if-range'];
  if (fields.range === undefined || method !== 'GET' || (ifRange !== undefined && ifRange !== object.etag)) {
    return { kind: 'whole' };
  }
  const range = parseByteRange(fields.range, object.sizeBytes);
  if (range === 'ignored') return { kind: 'whole' };
  return range === 'unsatisfiable' ? { kind: 'range-unsatisfiable' } : { kind: 'part', range };
}

/**
 * Whether `field`, a list of entity tags or `*`, names `etag` (RFC 9110, sections 8.8.3 and 13.1).
 * Tags may hold commas, so the list is read tag by tag; the work is linear in its length.
 */
export function matchesEntityTag(field: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (field === etag || field.trim() === '*') return true;
  const next = /[\t ,]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[\t ]*(?:,|$)/y;
  for (let found = next.exec(field); found !== null; found = next.exec(field)) {
    if (found[2] === etag && (comparison === 'weak' || found[1] === undefined)) return true;
  }
  return false;
}
