/**
 * The order of firmware versions: precedence as in SemVer 2.0.0, section 11.
 *
 * - Numbers are compared as numbers of any length, digit by digit: nothing is rounded.
 * - A pre-release comes before its version; its parts are compared one by one, numbers before words, and more parts come later.
 * - The work is linear in the longer of the two.
 */

/**
 * Compares two versions that `firmwareVersionDecoder` has accepted.
 * @returns below 0 if `a` comes before `b`, above 0 if after, 0 if neither does.
 */
export function compareFirmwareVersions(a: string, b: string): number {
  const [one, other] = [splitVersion(a), splitVersion(b)];
  const numbers = compareLists(one.numbers, other.numbers);
  if (numbers !== 0) return numbers;
  if (one.preRelease === undefined || other.preRelease === undefined) {
    return Number(one.preRelease === undefined) - Number(other.preRelease === undefined);
  }
  return compareLists(one.preRelease, other.preRelease);
}

type Split = { readonly numbers: readonly string[]; readonly preRelease: readonly string[] | undefined };

function splitVersion(version: string): Split {
  const dash = version.indexOf('-');
  return dash < 0
    ? { numbers: version.split('.'), preRelease: undefined }
    : { numbers: version.slice(0, dash).split('.'), preRelease: version.slice(dash + 1).split('.') };
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compareParts(part, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareParts(a: string, b: string): number {
  const [aIsNumber, bIsNumber] = [isNumber(a), isNumber(b)];
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  if (aIsNumber && a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Whether all of it are digits; such a part has no leading zero. */
function isNumber(part: string): boolean {
  for (const character of part) if (character < '0' || character > '9') return false;
  return true;
}
