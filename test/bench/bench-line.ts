/**
 * One line of a bench: a figure of ours beside a peer's, measured in the same run.
 *
 * - `ratio` is above 1 where we are better, whichever direction of the unit is the better one.
 * - The line passes when `ratio >= goal`.
 */
export type BenchLine = {
  readonly group: string;
  readonly metric: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: string;
  readonly peerValue: number;
  readonly ratio: number;
  readonly goal: number;
};
