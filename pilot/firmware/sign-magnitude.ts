/** Signed fields as sign and magnitude: the highest bit is the sign, the rest the size of the number. */

/** The number that a signed field stands for. */
export function fromSignMagnitude(unsigned: number, size: number): number {
  const sign = 2 ** (8 * size - 1);
  return unsigned < sign ? unsigned : -(unsigned - sign);
}
