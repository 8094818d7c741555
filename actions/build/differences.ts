/**
 * Names each difference between the outputs of two runs: where, in which module, what stands there, and why.
 *
 * - Lines are aligned first, then the words of lines that differ: one stamp in a long line is found as that stamp.
 * - Work and memory are bounded (`alignment.ts`); what differs too much to be aligned is shown as one difference.
 * - What is shown is clipped and printable; at most `DIFFERENCES_MAX` are named, the rest is counted.
 */
import { parseUtf8 } from '../../formats/bytes.ts';
import { align, type Hunk } from './alignment.ts';
import { explain, hull, tracesOf, type Cause, type Clues, type Place, type Traces } from './difference-cause.ts';
import type { Span } from './moments.ts';

export const DIFFERENCES_MAX = 50;
const SHOWN_LENGTH_MAX = 120;
const CONTEXT_LENGTH = 200;
const EXPLAINED_LENGTH_MAX = 2_000;
const ALIGNED_LENGTH_MAX = 4_000_000;
/** Differences of one cause this near to each other are shown as one. */
const GAP_MAX = 12;

/** One difference. Line and column count from 1, the column in UTF-16 units; both are of the first output. */
export type Difference = {
  readonly cause: Cause;
  readonly line: number;
  readonly column: number;
  /** The module that the bundler's nearest comment above names. */
  readonly module: string | undefined;
  readonly first: string;
  readonly second: string;
};
/** `more` counts places that are not named. */
export type DifferenceReport = { readonly differences: readonly Difference[]; readonly more: number };

/** What a run wrote, with what it could have left in it. */
export type Output = { readonly image: Uint8Array; readonly clues: Clues };

/** Compares two outputs; there is no difference exactly when their bytes are equal. */
export function compareOutputs(first: Output, second: Output): DifferenceReport {
  const texts = textsOf(first.image, second.image);
  const a = sideOf(texts.first, first.clues);
  const b = sideOf(texts.second, second.clues);
  const found: Found[] = [];
  let more = 0;
  for (const hunk of align(a.lines, b.lines) ?? [wholeOf(a.lines, b.lines)]) {
    if (found.length > DIFFERENCES_MAX) {
      more++;
      continue;
    }
    for (const pair of refine(a, b, hunk)) {
      if (found.length > DIFFERENCES_MAX) more++;
      else append(found, explained(a, b, pair), a.text);
    }
  }
  const named = withFileOrder(found, a, b).slice(0, DIFFERENCES_MAX);
  more += found.length - named.length;
  return { differences: named.map((difference) => shownOf(difference, a, b)), more };
}

type Pair = { readonly first: Span; readonly second: Span };
type Found = Pair & { readonly cause: Cause };
type Side = {
  readonly text: string;
  readonly lines: readonly string[];
  /** Offset of each line, and of the end. */
  readonly starts: readonly number[];
  readonly traces: Traces;
};

/** Both as UTF-8, or both one byte to a character where one of them is not: then every byte has a place. */
function textsOf(first: Uint8Array, second: Uint8Array): { readonly first: string; readonly second: string } {
  const utf8 = { first: parseUtf8(first), second: parseUtf8(second) };
  if (utf8.first !== undefined && utf8.second !== undefined) return { first: utf8.first, second: utf8.second };
  const latin1 = new TextDecoder('latin1');
  return { first: latin1.decode(first), second: latin1.decode(second) };
}

function sideOf(text: string, clues: Clues): Side {
  const lines = text.split(/(?<=\n)/);
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length);
  return { text, lines, starts, traces: tracesOf(clues) };
}

function wholeOf(first: readonly string[], second: readonly string[]): Hunk {
  return { firstStart: 0, firstEnd: first.length, secondStart: 0, secondEnd: second.length };
}

/** The differing words within a hunk of lines. */
function refine(a: Side, b: Side, hunk: Hunk): readonly Pair[] {
  const firstStart = a.starts[hunk.firstStart] ?? 0;
  const secondStart = b.starts[hunk.secondStart] ?? 0;
  const first = a.text.slice(firstStart, a.starts[hunk.firstEnd]);
  const second = b.text.slice(secondStart, b.starts[hunk.secondEnd]);
  const whole = {
    first: { start: firstStart, end: firstStart + first.length },
    second: { start: secondStart, end: secondStart + second.length },
  };
  if (first.length + second.length > ALIGNED_LENGTH_MAX) return [whole];
  const firstWords = wordsOf(first, firstStart);
  const secondWords = wordsOf(second, secondStart);
  const words = align(firstWords.words, secondWords.words);
  if (words === undefined) return [whole];
  return words.map((pair) => ({
    first: { start: firstWords.starts[pair.firstStart] ?? 0, end: firstWords.starts[pair.firstEnd] ?? 0 },
    second: { start: secondWords.starts[pair.secondStart] ?? 0, end: secondWords.starts[pair.secondEnd] ?? 0 },
  }));
}

/** Runs of letters and digits, runs of space, and every other character by itself; with their offsets and the end. */
function wordsOf(
  text: string,
  offset: number,
): { readonly words: readonly string[]; readonly starts: readonly number[] } {
  const words = text.match(/[\p{L}\p{N}_$]+|\s+|[^]/gu) ?? [];
  const starts = [offset];
  for (const word of words) starts.push((starts.at(-1) ?? 0) + word.length);
  return { words, starts };
}

function contextStart(span: Span): number {
  return Math.max(0, span.start - CONTEXT_LENGTH);
}

function placeOf(side: Side, span: Span): Place {
  const start = contextStart(span);
  const end = Math.min(span.end, span.start + EXPLAINED_LENGTH_MAX);
  const text = side.text.slice(start, end + CONTEXT_LENGTH);
  return { text, span: { start: span.start - start, end: end - start }, traces: side.traces };
}

/** The cause of a differing pair, and the pair widened to what shows it, in offsets of the outputs. */
function explained(a: Side, b: Side, pair: Pair): Found {
  const { cause, first, second } = explain(placeOf(a, pair.first), placeOf(b, pair.second));
  const back = (span: Span, original: Span): Span => ({
    start: span.start + contextStart(original),
    end: Math.max(span.end + contextStart(original), original.end),
  });
  return { cause, first: back(first, pair.first), second: back(second, pair.second) };
}

/**
 * Adds a difference, or widens the last one where it goes on: the same cause close by, or what lies within a stretch that is
 * explained already. An alignment may tear one date or path into many words.
 */
function append(found: Found[], next: Found, text: string): void {
  const last = found.at(-1);
  if (last === undefined || !goesOn(last, next, text)) {
    found.push(next);
    return;
  }
  const cause = last.cause === 'random' ? next.cause : last.cause;
  const first = hull(last.first, next.first);
  found[found.length - 1] = { cause, first, second: hull(last.second, next.second) };
}

function goesOn(last: Found, next: Found, text: string): boolean {
  const gap = { first: next.first.start - last.first.end, second: next.second.start - last.second.end };
  if (gap.first < 0 || gap.second < 0) return true;
  const near = gap.first <= GAP_MAX && gap.second <= GAP_MAX;
  return near && last.cause === next.cause && !text.slice(last.first.end, next.first.start).includes('\n');
}

/** The same items in another order, in one place or gone from one place and found in another, are a matter of order. */
function withFileOrder(found: readonly Found[], a: Side, b: Side): readonly Found[] {
  const firstOf = ({ first }: Found): string => itemsOf(a.text.slice(first.start, first.end));
  const secondOf = ({ second }: Found): string => itemsOf(b.text.slice(second.start, second.end));
  const unexplained = found.filter(({ cause }) => cause === 'random');
  const firsts = new Set(unexplained.map(firstOf));
  const seconds = new Set(unexplained.map(secondOf));
  return found.map((difference) => {
    const first = firstOf(difference);
    const second = secondOf(difference);
    const elsewhere = (first === '' || seconds.has(first)) && (second === '' || firsts.has(second));
    return difference.cause === 'random' && elsewhere && first + second !== ''
      ? { ...difference, cause: 'file-order' }
      : difference;
  });
}

/** What a list holds, without its separators and in one order. */
function itemsOf(text: string): string {
  const items = text.split(/[\s,;"'[\]]+/).filter((item) => item !== '');
  return items.sort().join(' ');
}

function shownOf({ cause, first, second }: Found, a: Side, b: Side): Difference {
  const line = lineAt(a.starts, first.start);
  return {
    cause,
    line: line + 1,
    column: first.start - (a.starts[line] ?? 0) + 1,
    module: moduleAbove(a.lines, line),
    first: printable(a.text.slice(first.start, first.end)),
    second: printable(b.text.slice(second.start, second.end)),
  };
}

/** Index of the line that holds offset `at`. */
function lineAt(starts: readonly number[], at: number): number {
  let low = 0;
  let high = starts.length - 2;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** esbuild writes `// path` above each module when it does not minify. */
function moduleAbove(lines: readonly string[], line: number): string | undefined {
  for (let at = line; at >= 0; at--) {
    const [, module] = /^\/\/ (\S+\.(?:[cm]?[jt]sx?|json))\s*$/.exec(lines[at] ?? '') ?? [];
    if (module !== undefined) return printable(module);
  }
  return undefined;
}

function printable(text: string): string {
  const clipped = text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}…`;
  return clipped.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
