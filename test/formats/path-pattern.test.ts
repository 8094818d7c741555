/** Path patterns: two wildcards, within a segment, alike on every system, and cheap whatever the pattern. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesPathPattern } from '../../formats/path-pattern.ts';
import { countSteps } from '../counted-steps.ts';

function matching(pattern: string, ...names: readonly string[]): readonly string[] {
  return names.filter((name) => matchesPathPattern(pattern, name));
}

test('a star stands for any run within one segment, also an empty one, and never for a slash', () => {
  expect(matching('a/*', 'a/b', 'a/', 'a/b.js', 'a', 'a/b/c', 'b/a', '/a/b')).toEqual(['a/b', 'a/', 'a/b.js']);
  expect(matching('*', '', 'a', 'a/b', '/')).toEqual(['', 'a']);
  expect(matching('*.js', '.js', 'a.js', 'a.js.map', 'a/b.js', 'a.jsx')).toEqual(['.js', 'a.js']);
  expect(matching('a*b*c', 'abc', 'axxbyyc', 'abcbc', 'ab', 'abcb', 'a/b/c')).toEqual(['abc', 'axxbyyc', 'abcbc']);
  expect(matching('**', 'a', 'a/b')).toEqual(['a']);
  expect(matching('**/b', 'a/b', 'a/a/b', 'b')).toEqual(['a/b']);
});

test('a question mark stands for exactly one character of a segment', () => {
  expect(matching('a?c', 'abc', 'a?c', 'ac', 'abbc', 'a/c')).toEqual(['abc', 'a?c']);
  expect(matching('???', 'abc', 'ab', 'abcd')).toEqual(['abc']);
});

test('a star matches a name with a leading dot: hidden files exist in shells only', () => {
  expect(matching('*', '.hidden')).toEqual(['.hidden']);
  expect(matching('a/*', 'a/.hidden', 'a/..')).toEqual(['a/.hidden', 'a/..']);
});

test('case counts on every system', () => {
  expect(matching('Release/*', 'release/a', 'RELEASE/a', 'Release/a')).toEqual(['Release/a']);
});

test('what shells and other matchers expand stands for itself: no negation, braces, classes, groups, comments or escapes', () => {
  expect(matching('!foo', 'bar', 'foo', '!foo')).toEqual(['!foo']);
  expect(matching('{a,b}', 'a', 'b', '{a,b}')).toEqual(['{a,b}']);
  expect(matching('+(a)', 'a', 'aa', '+(a)')).toEqual(['+(a)']);
  expect(matching('[a]', 'a', '[a]')).toEqual(['[a]']);
  expect(matching('[!a]', 'b', '[!a]')).toEqual(['[!a]']);
  expect(matching('#x', 'x', '#x')).toEqual(['#x']);
  expect(matching('\\*', '*', 'a', '\\a', '\\')).toEqual(['\\a', '\\']);
  expect(matching('a.c', 'abc', 'a.c')).toEqual(['a.c']);
  expect(matching('(a|b)$', 'a', '(a|b)$')).toEqual(['(a|b)$']);
});

test('empty segments, dots and slashes at either end are segments like others: nothing is normalised', () => {
  expect(matching('a//b', 'a//b', 'a/b')).toEqual(['a//b']);
  expect(matching('a/*/c', 'a//c', 'a/../c', 'a/c')).toEqual(['a//c', 'a/../c']);
  expect(matching('', '', 'a')).toEqual(['']);
  expect(matching('/', '/', '')).toEqual(['/']);
});

/** The same rules as a regular expression: slow on evil patterns, right on small ones. */
function oracle(pattern: string, name: string): boolean {
  const source = pattern.replace(/[^*?]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return new RegExp(`^${source.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')}$`, 'u').test(name);
}

test('small patterns match exactly what the regular expression of the rules matches', () => {
  const texts = (letters: readonly string[]): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom(...letters), maxLength: 8 });
  let matched = 0;
  fc.assert(
    fc.property(texts(['*', '?', 'a', 'b', '/']), texts(['a', 'b', '/']), (pattern, name) => {
      const answer = matchesPathPattern(pattern, name);
      if (answer) matched++;
      expect(answer).toBe(oracle(pattern, name));
    }),
    { numRuns: 3000 },
  );
  expect(matched).toBeGreaterThan(20);
});

test('every name matches itself with any of its characters turned into a wildcard', () => {
  const segment = fc.string({
    unit: fc.constantFrom('a', 'B', '.', '-', '!', '[', '{', '+', '(', '#', '\\', '$'),
    maxLength: 6,
  });
  fc.assert(
    fc.property(
      fc.array(segment, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.constantFrom('*', '?'),
      (parts, at, wildcard) => {
        const name = parts.join('/');
        const place = at % (name.length + 1);
        expect(matchesPathPattern(name, name)).toBe(true);
        if (name.charAt(place) !== '/' && place < name.length) {
          expect(matchesPathPattern(name.slice(0, place) + wildcard + name.slice(place + 1), name)).toBe(true);
        }
      },
    ),
  );
});

/** Patterns that make a backtracking matcher try every way to share out the name, against a name that fails at its end. */
const EVIL: Readonly<Record<string, (stars: number) => string>> = {
  'stars alone': (stars) => `${'*'.repeat(stars)}b`,
  'stars between letters': (stars) => `${'*a'.repeat(stars)}*b`,
  'stars between question marks': (stars) => `${'*?'.repeat(stars)}b`,
  'a star before a long text': (stars) => `*${'a'.repeat(stars)}b`,
};

test('250 stars on the longest name end soon: the work is within the product of the two lengths, for every kind of pattern', () => {
  const name = 'a'.repeat(1024);
  for (const [kind, patternOf] of Object.entries(EVIL)) {
    const pattern = patternOf(250);
    let matched = true;
    const steps = countSteps(() => {
      matched = matchesPathPattern(pattern, name);
    });
    expect(matched, kind).toBe(false);
    expect(steps, kind).toBeGreaterThan(name.length);
    expect(steps, kind).toBeLessThan(4 * pattern.length * name.length);
  }
});

test('twice the stars and twice the name cost at most four times the steps', () => {
  for (const [kind, patternOf] of Object.entries(EVIL)) {
    const stepsOf = (stars: number): number =>
      countSteps(() => matchesPathPattern(patternOf(stars), 'a'.repeat(4 * stars)));
    expect(stepsOf(250) / stepsOf(125), kind).toBeLessThan(4.2);
  }
});
