/**
 * Lines of a stream of bytes from outside, without ever holding more than one line of bounded length.
 *
 * - A line longer than the limit is cut: its beginning is handed out once, the rest up to the next line end is dropped.
 * - The last line counts also without a line end.
 */
import { concatBytes } from '../../formats/bytes.ts';

const LINE_END = 0x0a;

export type OutputLines = {
  /** Takes the next bytes of the stream. */
  readonly push: (chunk: Uint8Array) => void;
  /** The stream has ended. */
  readonly end: () => void;
};

/** Splits what is pushed, and hands each line without its end to `take`, at most `lengthMax` bytes of it. */
export function outputLines(lengthMax: number, take: (line: Uint8Array) => void): OutputLines {
  let held: Uint8Array = new Uint8Array(0);
  let isOpen = false;
  const hold = (part: Uint8Array): void => {
    held = concatBytes(held, part.subarray(0, lengthMax - held.length));
    isOpen = true;
  };
  const finish = (): void => {
    const line = held;
    held = new Uint8Array(0);
    isOpen = false;
    take(line);
  };
  return {
    push: (chunk) => {
      let from = 0;
      for (let to = chunk.indexOf(LINE_END); to >= 0; to = chunk.indexOf(LINE_END, from)) {
        hold(chunk.subarray(from, to));
        finish();
        from = to + 1;
      }
      if (from < chunk.length) hold(chunk.subarray(from));
    },
    end: () => {
      if (isOpen) finish();
    },
  };
}
