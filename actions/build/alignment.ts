/**
 * Aligns two sequences: which stretches of one stand where other stretches stand in the other.
 *
 * - Greedy shortest edit script, forward (E. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986, section 3).
 * - Work and memory are bounded by `EDITS_MAX` and `STEPS_MAX`, whatever the input; beyond them there is no answer.
 */

/** `first[firstStart..firstEnd)` stands where `second[secondStart..secondEnd)` stands; one of them may be empty. */
export type Hunk = {
  readonly firstStart: number;
  readonly firstEnd: number;
  readonly secondStart: number;
  readonly secondEnd: number;
};

/** How many insertions and deletions are looked for; memory grows with the square: 16 MB here. */
export const EDITS_MAX = 2_000;
/** How many elements are compared. */
const STEPS_MAX = 10_000_000;

/**
 * Aligns `first` and `second`.
 * @returns the hunks in order, none if they are equal, or undefined if they differ by more than is looked for.
 */
export function align(first: readonly string[], second: readonly string[]): readonly Hunk[] | undefined {
  let steps = 0;
  const furthest = new Int32Array(2 * EDITS_MAX + 3);
  const middle = EDITS_MAX + 1;
  const history: Int32Array[] = [];
  for (let edits = 0; edits <= EDITS_MAX; edits++) {
    history.push(furthest.slice(middle - edits - 1, middle + edits + 2));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = cameDown(diagonal, edits, (k) => furthest[middle + k] ?? 0)
        ? (furthest[middle + diagonal + 1] ?? 0)
        : (furthest[middle + diagonal - 1] ?? 0) + 1;
      const start = x;
      while (x < first.length && x - diagonal < second.length && first[x] === second[x - diagonal]) x++;
      steps += x - start + 1;
      furthest[middle + diagonal] = x;
      if (x >= first.length && x - diagonal >= second.length) return hunksOf(history, { x, y: x - diagonal });
      if (steps > STEPS_MAX) return undefined;
    }
  }
  return undefined;
}

/** Whether the path to `diagonal` with `edits` edits came by an insertion (down) and not by a deletion (right). */
function cameDown(diagonal: number, edits: number, furthest: (diagonal: number) => number): boolean {
  if (diagonal === -edits) return true;
  return diagonal !== edits && furthest(diagonal - 1) < furthest(diagonal + 1);
}

/** Walks the path back from its end and gathers its edits; edits that touch become one hunk. */
function hunksOf(history: readonly Int32Array[], end: { readonly x: number; readonly y: number }): readonly Hunk[] {
  const hunks: Hunk[] = [];
  let { x, y } = end;
  for (let edits = history.length - 1; edits > 0; edits--) {
    const row = history[edits];
    const furthest = (k: number): number => row?.[k + edits + 1] ?? 0;
    const down = cameDown(x - y, edits, furthest);
    const fromX = furthest(x - y + (down ? 1 : -1));
    const fromY = fromX - (x - y) - (down ? 1 : -1);
    const edit = {
      firstStart: fromX,
      firstEnd: down ? fromX : fromX + 1,
      secondStart: fromY,
      secondEnd: down ? fromY + 1 : fromY,
    };
    const last = hunks.at(-1);
    const touches = last !== undefined && last.firstStart === edit.firstEnd && last.secondStart === edit.secondEnd;
    if (touches) hunks[hunks.length - 1] = { ...last, firstStart: edit.firstStart, secondStart: edit.secondStart };
    else hunks.push(edit);
    x = fromX;
    y = fromY;
  }
  return hunks.reverse();
}
