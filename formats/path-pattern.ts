/**
 * Path patterns of TUF delegations: `*` and `?` only, within one segment, the same on every system.
 *
 * - `*` stands for any run of characters without `/`, `?` for exactly one; every other character for itself, case and all.
 * - Linear in pattern times name, without backtracking beyond the last star: no pattern can burn the verifier's time.
 * - Source: TUF specification 1.0.34, section 4.5, PATHPATTERN.
 */

/** Whether `pattern` matches the whole of `name`. Both must have the same number of segments. */
export function matchesPathPattern(pattern: string, name: string): boolean {
  const patterns = pattern.split('/');
  const segments = name.split('/');
  return patterns.length === segments.length && patterns.every((part, i) => matchesSegment(part, segments[i] ?? ''));
}

/** Matches greedily and, on a mismatch, lets the last star take one character more. */
function matchesSegment(pattern: string, segment: string): boolean {
  let p = 0;
  let s = 0;
  let star = -1;
  let starred = 0;
  while (s < segment.length) {
    const wanted = pattern.charAt(p);
    if (wanted === '*') {
      star = p++;
      starred = s;
    } else if (wanted === '?' || wanted === segment.charAt(s)) {
      p++;
      s++;
    } else if (star >= 0) {
      p = star + 1;
      s = ++starred;
    } else {
      return false;
    }
  }
  while (pattern.charAt(p) === '*') p++;
  return p === pattern.length;
}
