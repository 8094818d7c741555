/**
 * Seeded randomness for the simulator: the same seed gives the same numbers, on every machine.
 *
 * - SplitMix32; good for choosing faults, for no secret whatsoever.
 * - Whoever draws prints the seed when something fails, so that the failure can be run again.
 */

/** A whole number from 0 to `below` - 1. */
export type Random = (below: number) => number;

/** The numbers of `seed`, a whole number. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return Math.floor(((mixed >>> 0) / 2 ** 32) * below);
  };
}
