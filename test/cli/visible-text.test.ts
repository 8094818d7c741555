/** What a person reads before deciding is what stands there: nothing moves the cursor, turns the text or hides. */
import { expect, test } from 'vitest';
import { visible, visibleLines } from '../../cli/visible-text.ts';

test('letters of every script pass as they are', () => {
  for (const text of ['release 1.2.3', 'Größe', 'выпуск', '版本', 'شركة', 'e\u0301', '😀'])
    expect(visible(text)).toBe(text);
});

test('each character that a terminal obeys or hides becomes an escape', () => {
  const unseen = [0x00, 0x07, 0x08, 0x09, 0x0a, 0x0d, 0x1b, 0x7f, 0x9b, 0xa0, 0xad, 0x200b, 0x200e, 0x202a, 0x202e];
  for (const point of [...unseen, 0x2028, 0x2029, 0x2066, 0x2069, 0x3000, 0xfeff, 0xe000, 0xe0041]) {
    expect(visible(`a${String.fromCodePoint(point)}b`)).toBe(`a\\u{${point.toString(16)}}b`);
  }
});

test('an escape cannot be feigned: a backslash of the text is doubled', () => {
  expect(visible('\\u{202e}')).toBe('\\\\u{202e}');
});

test('lines keep their ends, and a long one becomes several of at most 100 characters', () => {
  expect(visibleLines('one\n\ntwo')).toEqual(['one', '', 'two']);
  expect(visibleLines('😀'.repeat(100))).toEqual(['😀'.repeat(100)]);
  expect(visibleLines('😀'.repeat(101))).toEqual(['😀'.repeat(100), '😀']);
});
