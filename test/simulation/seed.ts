/**
 * The seed of a random test: fixed, so that a run repeats, unless the environment names another one to try.
 *
 * - A test that draws shows the seed when it fails: `FIRMAMENT_SEED=7 npm test` runs it again.
 */

/** The seed that FIRMAMENT_SEED names, or 1. */
export const SEED: number = Number(process.env['FIRMAMENT_SEED'] ?? 1);
