/** Alignment and comparison of outputs, on generated ones. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { align, EDITS_MAX } from '../../actions/build/alignment.ts';
import { compareOutputs, DIFFERENCES_MAX, type DifferenceReport } from '../../actions/build/differences.ts';
import { FIRST_SURROUNDINGS, SECOND_SURROUNDINGS } from '../../actions/build/varied-surroundings.ts';
import { encodeUtf8, equalBytes } from '../../formats/bytes.ts';

const FIRST_CLOCK = { from: Date.UTC(2030, 0, 31, 10), to: Date.UTC(2030, 0, 31, 10, 0, 1) };
const SECOND_CLOCK = { from: Date.UTC(2031, 2, 7, 17), to: Date.UTC(2031, 2, 7, 17, 0, 1) };

function compare(first: string | Uint8Array, second: string | Uint8Array): DifferenceReport {
  const bytes = (text: string | Uint8Array): Uint8Array => (typeof text === 'string' ? encodeUtf8(text) : text);
  return compareOutputs(
    {
      image: bytes(first),
      clues: { surroundings: FIRST_SURROUNDINGS, moments: [FIRST_CLOCK], root: '/build/one', home: '/build/one/home' },
    },
    {
      image: bytes(second),
      clues: {
        surroundings: SECOND_SURROUNDINGS,
        moments: [SECOND_CLOCK],
        root: '/build/two',
        home: '/build/two/home',
      },
    },
  );
}

describe('an alignment', () => {
  const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 60 });

  test('of any two sequences turns the first into the second, and is empty only if they are equal', () => {
    fc.assert(
      fc.property(words, words, (first, second) => {
        const hunks = align(first, second) ?? [];
        const rebuilt: string[] = [];
        let at = 0;
        for (const hunk of hunks) {
          rebuilt.push(...first.slice(at, hunk.firstStart), ...second.slice(hunk.secondStart, hunk.secondEnd));
          at = hunk.firstEnd;
        }
        rebuilt.push(...first.slice(at));
        expect(rebuilt).toEqual(second);
        expect(hunks.length === 0).toBe(first.join() === second.join());
      }),
    );
  });

  test('is given up, and not attempted without end, where more differs than is looked for', () => {
    const distinct = (count: number, mark: string): string[] => Array.from({ length: count }, (_, i) => `${mark}${i}`);
    expect(align(distinct(EDITS_MAX / 2, 'a'), distinct(EDITS_MAX / 2, 'b'))).toHaveLength(1);
    expect(align(distinct(EDITS_MAX / 2 + 1, 'a'), distinct(EDITS_MAX / 2, 'b'))).toBeUndefined();
    const alternating: string[] = Array.from({ length: 100_000 }, (_, i) => (i % 3 === 0 ? 'x' : 'y'));
    expect(align(alternating, alternating.toReversed().concat(distinct(3_000, 'z')))).toBeUndefined();
  });
});

describe('a comparison', () => {
  test('takes no long stretch of random text for a time because each holds by chance what looks like its year', () => {
    const word = (i: number): string => String(i).replace(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)));
    const random = (mark: string, year: string): string =>
      Array.from({ length: EDITS_MAX }, (_, i) => (i === 20 ? year : mark + word(i))).join('-');
    const [difference] = compare(random('x', '2030'), random('y', '2031')).differences;
    expect(difference?.cause).toBe('random');
    const [short] = compare('built in 2030', 'built in 2031').differences;
    expect(short?.cause).toBe('time');
  });

  test('of outputs finds a difference exactly where the bytes differ, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (first, second) => {
        const { differences } = compare(first, second);
        expect(differences.length === 0).toBe(equalBytes(first, second));
        for (const { line, column } of differences) expect(Math.min(line, column)).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test('tells apart bytes that would read as the same text in two encodings', () => {
    expect(compare(Uint8Array.of(0xc3, 0xa9), Uint8Array.of(0xe9)).differences).toHaveLength(1);
  });

  test('finds one time stamp in a line of a megabyte, at its column and in full', () => {
    const padding = 'var a=1;'.repeat(65_536);
    const line = (stamp: string): string => `// src/entry.ts\n${padding}on="${stamp}";${padding}`;
    expect(compare(line('2030-01-31T10:00:00.500Z'), line('2031-03-07T17:00:00.250Z'))).toEqual({
      differences: [
        {
          cause: 'time',
          line: 2,
          column: padding.length + 5,
          module: 'src/entry.ts',
          first: '2030-01-31T10:00:00.500Z',
          second: '2031-03-07T17:00:00.250Z',
        },
      ],
      more: 0,
    });
  });

  test('takes a date for a stamp only where each run could have seen it', () => {
    const causeOf = (first: string, second: string): string | undefined => compare(first, second).differences[0]?.cause;
    expect(causeOf('built 2030-01-31', 'built 2031-03-07')).toBe('time');
    expect(causeOf('built 1999-01-31', 'built 2031-03-07')).toBe('random');
    expect(causeOf('built 2031-03-07', 'built 2030-01-31')).toBe('random');
    expect(causeOf(String(FIRST_CLOCK.from + 1), String(SECOND_CLOCK.to + 1))).toBe('random');
    expect(causeOf(String(FIRST_CLOCK.from + 1), String(SECOND_CLOCK.to - 1))).toBe('time');
    expect(causeOf('31.1.2030, 12:00', '07/03/2031 17:00')).toBe('time');
    expect(causeOf('Jan 31, 2030', 'Mar 7, 2031')).toBe('time');
    expect(causeOf('20300131', '20310307')).toBe('time');
  });

  test('shows control characters as escapes and clips what is long', () => {
    const [difference] = compare(`"${'\u001b[31m\u2028'.repeat(100)}"`, '""').differences;
    expect(difference?.first).toMatch(/^\\u\{1b\}\[31m\\u\{2028\}/);
    expect(difference?.first).not.toMatch(/[\p{Cc}\u2028]/u);
    expect(difference?.first.length).toBeLessThan(1_000);
  });

  test('names only so many differences, and counts the rest', () => {
    const output = (word: string): string => Array.from({ length: 200 }, (_, i) => `line ${i}\n${word}${i}\n`).join('');
    const { differences, more } = compare(output('x'), output('y'));
    expect(differences).toHaveLength(DIFFERENCES_MAX);
    expect(differences.length + more).toBe(200);
  });
});
