/** Signed fields in two's complement, as the sensors send them. */

/** The number that a signed field stands for. */
export function fromTwosComplement(unsigned: number, size: number): number {
  const sign = 2 ** (8 * size - 1);
  return unsigned < sign ? unsigned : unsigned - 2 * sign;
}
