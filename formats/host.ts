/**
 * What Node brings along, where there is Node: compiled code for what is slow in JavaScript, with the same answers.
 *
 * - Looked for, never imported: on every other engine it is absent, and the portable code beside each use does the work.
 * - A test holds both to the same answers, on any input (ADR 0006).
 */

type Crypto = { readonly hash?: (algorithm: 'sha256', bytes: Uint8Array, form: 'hex') => string };
type Decoder = { readonly decode: (bytes: Uint8Array) => string };
type Encoder = { readonly encode: (text: string) => Uint8Array };
type Coders = {
  readonly TextDecoder: new (
    label: string,
    options: { readonly fatal: boolean; readonly ignoreBOM: boolean },
  ) => Decoder;
  readonly TextEncoder: new () => Encoder;
};
type Engine = { readonly process?: { readonly getBuiltinModule?: (name: string) => unknown } };

const builtin = (globalThis as Engine).process?.getBuiltinModule;
const crypto = builtin?.('node:crypto') as Crypto | undefined;
const coders = builtin?.('node:util') as Coders | undefined;

/** The digest of bytes in one call, of `node:crypto`. */
export const hostHash: Crypto['hash'] = crypto?.hash;
/** UTF-8 of `node:util`. The decoder throws on bytes that are not well formed, and keeps a mark at their start. */
export const hostDecoder: Decoder | undefined =
  coders && new coders.TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
export const hostEncoder: Encoder | undefined = coders && new coders.TextEncoder();
