/**
 * What a check of a published repository finds: each an object by its name, with a code, and whether it is damage or a warning.
 */
import type { Code } from '../../formats/codes.ts';

export type Finding = {
  readonly level: 'damage' | 'warning';
  readonly code: Code;
  /** Its name in the store; where it is about the signer's own memory, `state`. */
  readonly object: string;
  readonly detail: string;
};

/** More of a code are counted, not kept: many of one kind hide none of another. */
const FINDINGS_MAX = 1000;

export type Findings = {
  readonly damage: (object: string, refusal: { readonly code: Code; readonly detail: string }) => void;
  readonly warning: (object: string, refusal: { readonly code: Code; readonly detail: string }) => void;
  readonly all: () => readonly Finding[];
  /** How many there are, kept or not. */
  readonly count: (level: Finding['level']) => number;
};

/** None yet. One object is named once a code. */
export function findings(): Findings {
  const kept: Finding[] = [];
  const known = new Set<string>();
  const keptOf = new Map<Code, number>();
  const counts = { damage: 0, warning: 0 };
  const add =
    (level: Finding['level']): Findings['damage'] =>
    (object, { code, detail }) => {
      const key = `${code} ${object}`;
      if (known.has(key)) return;
      counts[level]++;
      const before = keptOf.get(code) ?? 0;
      if (before >= FINDINGS_MAX) return;
      keptOf.set(code, before + 1);
      known.add(key);
      kept.push({ level, code, object, detail });
    };
  return {
    damage: add('damage'),
    warning: add('warning'),
    all: () => kept,
    count: (level) => counts[level],
  };
}
