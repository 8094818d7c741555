/** The work of the strict parser, counted in reads of bytes and of characters: it grows with the text, whatever its shape. */
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { parseJson } from '../../formats/json.ts';
import { countSteps } from '../counted-steps.ts';

/** `bytes` with every read of an element counted, in the views taken from it too. */
function counted(bytes: Uint8Array, count: { reads: number }): Uint8Array {
  return new Proxy(bytes, {
    get(target, name) {
      if (name === 'subarray') return (from: number, to: number) => counted(target.subarray(from, to), count);
      if (typeof name === 'string' && /^\d+$/.test(name)) count.reads++;
      return Reflect.get(target, name, target) as unknown;
    },
  });
}

/** How often the parser reads a byte of `text`, or a character of what it decoded, divided by the length of `text` in bytes. */
function readsPerByte(text: string): number {
  const bytes = encodeUtf8(text);
  const count = { reads: 0 };
  const steps = countSteps(() => {
    parseJson(counted(bytes, count), { bytesMax: bytes.length, depthMax: 100_000 });
  });
  return (count.reads + steps) / bytes.length;
}

/** Texts of a size, each the worst of its kind; the broken ones make the parser give up late. */
const SHAPES: Readonly<Record<string, (size: number) => string>> = {
  'one long string': (size) => `"${'a'.repeat(size)}"`,
  'a string of escapes': (size) => `"${'\\n'.repeat(size)}"`,
  'a string of surrogate pairs': (size) => `"${'\\ud83d\\ude00'.repeat(size)}"`,
  'a string of long characters': (size) => `"${'😀'.repeat(size)}"`,
  'a string without end': (size) => `["${'é'.repeat(size)}`,
  'many members': (size) => `{${Array.from({ length: size }, (_, i) => `"${i}":${i}`).join()}}`,
  'a list of lists': (size) => `[${'[],'.repeat(size)}[]]`,
  'deep nesting': (size) => `${'['.repeat(size)}${']'.repeat(size)}`,
  'deep nesting without end': (size) => '{"":'.repeat(size),
  'white space': (size) => `[${' '.repeat(size)}1${'\n'.repeat(size)}]`,
  'a number that is too long': (size) => `[${'9'.repeat(size)}]`,
  zeros: (size) => `[${'0'.repeat(size)}]`,
};

test('no text makes the parser read a byte more than a few times, and twice the text is twice the work', () => {
  for (const [name, shapeOf] of Object.entries(SHAPES)) {
    const small = readsPerByte(shapeOf(500));
    const large = readsPerByte(shapeOf(1000));
    // Decoding and parsing together.
    expect(large, name).toBeLessThanOrEqual(10);
    expect(large, name).toBeLessThan(small * 1.1 + 0.1);
  }
});
