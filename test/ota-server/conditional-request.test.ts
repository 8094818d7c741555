/** Conditional requests, against RFC 9110, section 13. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgeConditions, matchesEntityTag } from '../../ota-server/conditional-request.ts';

const OBJECT = { etag: '"abc"', sizeBytes: 10 };

test('If-None-Match compares weakly, in lists and with the star', () => {
  for (const field of [
    '"abc"',
    'W/"abc"',
    '"x", "abc"',
    '"x","y" ,\tW/"abc",',
    ',, "abc"',
    '*',
    ' * ',
    '"a,b", "abc"',
  ]) {
    expect(judgeConditions('GET', { 'if-none-match': field }, OBJECT), field).toEqual({ kind: 'not-modified' });
    expect(judgeConditions('HEAD', { 'if-none-match': field }, OBJECT), field).toEqual({ kind: 'not-modified' });
  }
  for (const field of [
    '"ab"',
    '"x", "y"',
    '',
    'abc',
    "'abc'",
    'w/"abc"',
    '"x" "abc"',
    '"x, "abc"',
    '**',
    '"ABC"',
    '"abc',
    '*, "x"',
  ]) {
    expect(judgeConditions('GET', { 'if-none-match': field }, OBJECT), field).toEqual({ kind: 'whole' });
  }
});

test('If-Match compares strongly, and comes first', () => {
  expect(judgeConditions('GET', { 'if-match': '"x", "abc"' }, OBJECT)).toEqual({ kind: 'whole' });
  expect(judgeConditions('GET', { 'if-match': '*' }, OBJECT)).toEqual({ kind: 'whole' });
  for (const field of ['"x"', 'W/"abc"', '']) {
    expect(judgeConditions('GET', { 'if-match': field, 'if-none-match': '"abc"' }, OBJECT), field).toEqual({
      kind: 'precondition-failed',
    });
  }
});

test('a range is given under the very tag it was begun with, else the whole', () => {
  const range = 'bytes=1-2';
  const given = { kind: 'part', range: { start: 1, endExclusive: 3 } };
  expect(judgeConditions('GET', { range }, OBJECT)).toEqual(given);
  expect(judgeConditions('GET', { range, 'if-range': '"abc"' }, OBJECT)).toEqual(given);
  for (const field of ['"x"', 'W/"abc"', 'abc', '"abc", "abc"', '*', 'Sat, 21 Nov 2026 10:00:00 GMT', '']) {
    expect(judgeConditions('GET', { range, 'if-range': field }, OBJECT), field).toEqual({ kind: 'whole' });
  }
  expect(judgeConditions('GET', { range: 'bytes=10-' }, OBJECT)).toEqual({ kind: 'range-unsatisfiable' });
  expect(judgeConditions('GET', { range: 'bytes=10-', 'if-range': '"x"' }, OBJECT)).toEqual({ kind: 'whole' });
});

test('HEAD knows no ranges, and what is not modified none either', () => {
  expect(judgeConditions('HEAD', { range: 'bytes=1-2' }, OBJECT)).toEqual({ kind: 'whole' });
  expect(judgeConditions('GET', { range: 'bytes=1-2', 'if-none-match': '"abc"' }, OBJECT)).toEqual({
    kind: 'not-modified',
  });
});

test('only a well-formed list that holds the tag matches it', () => {
  const tag = fc
    .string({ unit: fc.constantFrom('a', 'b', ',', '*', '\\', '/', 'W'), maxLength: 3 })
    .map((text) => `"${text}"`);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), tag)), tag, (list, etag) => {
      const field = list.map(([weak, each]) => (weak ? `W/${each}` : each)).join(', ');
      expect(matchesEntityTag(field, etag, 'weak')).toBe(list.some(([, each]) => each === etag));
      expect(matchesEntityTag(field, etag, 'strong')).toBe(list.some(([weak, each]) => !weak && each === etag));
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)) }), (field) => {
      if (!field.includes('"abc"') && field.trim() !== '*')
        expect(matchesEntityTag(field, '"abc"', 'weak')).toBe(false);
    }),
  );
});
