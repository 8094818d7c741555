/** The order of strings by code point: that of Python and Go, and so of the canonical form of JSON. */

/** Orders by code point; JavaScript's own order is by UTF-16 unit and puts astral characters before U+E000. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return weight(x) - weight(y);
  }
  return a.length - b.length;
}

/** A UTF-16 unit's rank in code point order: surrogates stand for what lies above U+FFFF. */
function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
