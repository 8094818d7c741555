/** Lines of an image's output: whatever it prints, no more than one line of bounded length is ever held. */
import { expect, test } from 'vitest';
import * as fc from 'fast-check';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { outputLines } from '../../../bootloader-verifier/agent/output-lines.ts';

/** The lines that come out of `chunks`. */
function linesOf(lengthMax: number, chunks: readonly Uint8Array[]): readonly string[] {
  const lines: string[] = [];
  const output = outputLines(lengthMax, (line) => lines.push(new TextDecoder().decode(line)));
  for (const chunk of chunks) output.push(chunk);
  output.end();
  return lines;
}

test('lines come out whole, however the stream was cut into pieces', () => {
  const pieces = fc.array(fc.constantFrom('a', 'bc', '\n', 'é', ''), { maxLength: 40 });
  fc.assert(
    fc.property(pieces, (parts) => {
      const text = parts.join('');
      const expected = text.endsWith('\n') ? text.slice(0, -1).split('\n') : text === '' ? [] : text.split('\n');
      expect(linesOf(1_000, parts.map(encodeUtf8))).toEqual(expected);
      expect(
        linesOf(
          1_000,
          [...encodeUtf8(text)].map((byte) => Uint8Array.of(byte)),
        ),
      ).toEqual(expected);
    }),
  );
});

test('a line of the greatest length is whole, one byte more is cut off, and the next line is not touched', () => {
  expect(linesOf(4, [encodeUtf8('abcd\nabcde\nab\n')])).toEqual(['abcd', 'abcd', 'ab']);
  expect(linesOf(4, ['ab', 'cd', 'ef', 'gh\nxy'].map(encodeUtf8))).toEqual(['abcd', 'xy']);
});

test('a line that never ends is handed out once, at the end, and only its beginning', () => {
  const endless = Array.from({ length: 1_000 }, () => new Uint8Array(1_000).fill(0x61));
  expect(linesOf(4_096, endless)).toEqual(['a'.repeat(4_096)]);
});

test('the last line counts without a line end, and no output is no line', () => {
  expect(linesOf(100, [encodeUtf8('one\ntwo')])).toEqual(['one', 'two']);
  expect(linesOf(100, [])).toEqual([]);
  expect(linesOf(100, [encodeUtf8('\n')])).toEqual(['']);
});
