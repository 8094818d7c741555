/** Verdicts: their form, and what the compiler refuses. The lines marked as errors fail `npm run check` if they ever compile. */
import { expect, test } from 'vitest';
import { accept, reject, type Verdict, type Verified } from '../../formats/verdict.ts';

type Image = { readonly digest: string };

/** Stands for every effect: it demands the mark. */
function start(image: Verified<Image>): string {
  return image.digest;
}

function judge(good: boolean): Verdict<Image, 'IMAGE_ROLLBACK'> {
  return good ? accept({ digest: 'd' }) : reject('IMAGE_ROLLBACK', '4 < 5');
}

test('a refusal is a value with a stable code and a sentence, an acceptance holds the value', () => {
  expect(judge(true)).toEqual({ ok: true, value: { digest: 'd' } });
  expect(judge(false)).toEqual({ ok: false, code: 'IMAGE_ROLLBACK', detail: '4 < 5' });
});

test('what no verifier has marked does not compile where the mark is demanded', () => {
  const verdict = judge(true);
  // @ts-expect-error: parsed is not verified.
  const attempt = (image: Image): string => start(image);
  // @ts-expect-error: a verdict that nobody looked at is not its value.
  const ignored = (): string => start(verdict);
  // @ts-expect-error: a code outside the table is no code.
  const invented = (): unknown => reject('LOOKS_BAD', 'a code that no table explains');
  expect([attempt, ignored, invented]).toHaveLength(3);
});
