/**
 * Text from outside as it may be shown to a person who decides by it.
 *
 * - What a terminal would obey or hide is written as a visible escape: control characters, marks that turn the direction of text,
 *   characters of no width, other spaces than the one, line ends. A backslash is doubled, so that no escape can be feigned.
 * - A text of many lines becomes lines of bounded length that the caller can set off: none begins at the margin.
 */

const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const LINE_LENGTH = 100;

/** `text` on one line, with nothing in it that is not seen. */
export function visible(text: string): string {
  return text.replaceAll('\\', '\\\\').replace(UNSEEN, (unseen) => `\\u{${(unseen.codePointAt(0) ?? 0).toString(16)}}`);
}

/** `text` as lines of at most 100 characters, each as `visible` shows it. */
export function visibleLines(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => chunks([...visible(line)]));
}

function chunks(characters: readonly string[]): readonly string[] {
  const count = Math.max(1, Math.ceil(characters.length / LINE_LENGTH));
  return Array.from({ length: count }, (_, i) => characters.slice(i * LINE_LENGTH, (i + 1) * LINE_LENGTH).join(''));
}
