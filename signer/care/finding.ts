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

/** More are counted, not kept. */
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
  const counts = { damage: 0, warning: 0 };
  const add =
    (level: Finding['level']): Findings['damage'] =>
    (object, { code, detail }) => {
      const key = `${code} ${object}`;
      if (known.has(key)) return;
      counts[level]++;
      if (kept.length >= FINDINGS_MAX) return;
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
