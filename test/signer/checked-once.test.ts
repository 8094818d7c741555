/** What is remembered of signatures: that one is valid, under its own key, message and bytes alone, and no more than so many of them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PublicKey, SignatureCheck } from '../../formats/signature-check.ts';
import { checkedOnce } from '../../signer/checked-once.ts';

/** A check that takes what ends in an even byte for valid, and counts how often it was asked. */
function counting(): { readonly check: SignatureCheck; readonly asked: () => number } {
  let asked = 0;
  const check: SignatureCheck = (_, __, signature) => {
    asked++;
    return (signature.at(-1) ?? 1) % 2 === 0;
  };
  return { check, asked: () => asked };
}

const KEY: PublicKey = { keytype: 'ed25519', scheme: 'ed25519', public: 'aa' };

function bytes(...given: readonly number[]): Uint8Array {
  return Uint8Array.from(given);
}

test('a valid signature is looked at once, another one each time', () => {
  const { check, asked } = counting();
  const once = checkedOnce(check);
  for (let i = 0; i < 3; i++) expect(once(KEY, bytes(1), bytes(2))).toBe(true);
  expect(asked()).toBe(1);
  for (let i = 0; i < 3; i++) expect(once(KEY, bytes(1), bytes(3))).toBe(false);
  expect(asked()).toBe(4);
});

test('what was found of one key, message and signature says nothing of any other, wherever one ends and the next begins', () => {
  const text = fc.constantFrom('', '2', 'a', 'aa', 'a a', '"', '","', '04');
  const part = fc.uint8Array({ maxLength: 3 });
  const key = fc.record({ keytype: text, scheme: text, public: text });
  const asked = fc.tuple(key, part, part);
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 12 }), (questions) => {
      const { check } = counting();
      const valid: SignatureCheck = (of, message, signature) => of.public === 'aa' && check(of, message, signature);
      const once = checkedOnce(valid);
      for (const one of [...questions, ...questions]) expect(once(...one)).toBe(valid(...one));
    }),
  );
});

test('the memory is bounded: a flood of others pushes a signature out, and what is met again and again stays', () => {
  const { check, asked } = counting();
  const once = checkedOnce(check, 8);
  once(KEY, bytes(0), bytes(0));
  for (let i = 1; i < 100; i++) once(KEY, bytes(i), bytes(0));
  const before = asked();
  expect(before).toBe(100);
  once(KEY, bytes(0), bytes(0));
  expect(asked()).toBe(before + 1);
  for (let i = 1; i < 100; i++) {
    once(KEY, bytes(i, i), bytes(0));
    once(KEY, bytes(0), bytes(0));
  }
  expect(asked()).toBe(before + 100);
});
