/**
 * Verdicts: what a check of outside data answers, as a value.
 *
 * - A refusal carries a stable code and a detail for people; it is returned, never thrown.
 * - `detail` may name values, never secrets or raw input of unbounded length.
 * - `Verified<T>` marks what a verifier has accepted. Only files named `verify-*.ts` may call `markVerified`;
 *   whatever has an effect (write a slot, start an image, publish) demands the mark, so a forgotten check does not compile.
 */
import type { Code } from './codes.ts';

export type Accepted<T> = { readonly ok: true; readonly value: T };
export type Rejected<C extends Code = Code> = { readonly ok: false; readonly code: C; readonly detail: string };
export type Verdict<T, C extends Code = Code> = Accepted<T> | Rejected<C>;

declare const verified: unique symbol;
/** A value that a verifier has accepted. It can be made by `markVerified` alone. */
export type Verified<T> = T & { readonly [verified]: true };

/** The verdict that accepts and hands on `value`. */
export function accept<T>(value: T): Accepted<T> {
  return { ok: true, value };
}

/** The verdict that refuses, with the code that operators look up and a sentence with the values at hand. */
export function reject<C extends Code>(code: C, detail: string): Rejected<C> {
  return { ok: false, code, detail };
}

/** Brands `value` as accepted by the calling verifier. */
export function markVerified<T>(value: T): Verified<T> {
  return value as Verified<T>;
}
