/**
 * What every holder of a private key must do, be it a file, a token or a chip; each adapter's test runs it.
 *
 * - Nothing here asks for one scheme: the check that fits the key comes with the adapter, and a signature need not repeat.
 */
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '../../formats/bytes.ts';
import { encodeCanonicalJson } from '../../formats/canonical-json.ts';
import { decodeJson } from '../../formats/decode.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { keyToJson, publicKeyDecoder } from '../../formats/tuf-key.ts';
import type { Verdict } from '../../formats/verdict.ts';
import type { Signer } from '../../signer/signer.ts';
import { accepted } from '../accepted.ts';

export type SignerUnderTest = {
  /** Opens one and the same key, each time as after a restart. */
  readonly open: () => Promise<Signer>;
  /** The check of signatures under keys of this kind. */
  readonly check: SignatureCheck;
  /** Ways in which the key must not open: a wrong PIN or passphrase, a holder that was altered. Each says its code. */
  readonly refused: readonly RefusedOpening[];
  /** What must show nowhere: the private key in every spelling that there is, and what opens it. */
  readonly secrets: readonly string[];
};
export type RefusedOpening = {
  readonly says: string;
  readonly code: string;
  readonly open: () => Promise<Verdict<unknown>>;
};

const MESSAGES: readonly Uint8Array[] = [new Uint8Array(), encodeUtf8('m'), new Uint8Array(1_000_000).fill(7)];

/** `bytes` as they could show in a text. */
export function spellingsOf(bytes: Uint8Array): readonly string[] {
  const buffer = Buffer.from(bytes);
  return [buffer.toString('hex'), buffer.toString('base64'), buffer.toString('base64url'), [...bytes].join(', ')];
}

/** Runs the contract. @param make the key, once for each test. */
export function testSigner(make: () => Promise<SignerUnderTest>): void {
  test('contract: what it signs is valid under the key that it names, for these bytes and no others', async () => {
    const { open, check } = await make();
    const { key, sign } = await open();
    for (const message of MESSAGES) {
      const signature = await sign(message);
      expect(check(key, message, signature), `${message.length} bytes`).toBe(true);
      expect(check(key, concatBytes(message, Uint8Array.of(0)), signature)).toBe(false);
      expect(signature.constructor).toBe(Uint8Array);
    }
  });

  test('contract: its key is one that metadata carry, and its key id the SHA-256 of that key as they list it', async () => {
    const { key, keyid } = await (await make()).open();
    const canonical = encodeCanonicalJson(keyToJson(key));
    expect(keyid).toBe(createHash('sha256').update(canonical).digest('hex'));
    expect(accepted(decodeJson(canonical, 16_384, publicKeyDecoder))).toEqual(key);
  });

  test('contract: opened again it is the same key, and both openings sign for it', async () => {
    const { open, check } = await make();
    const [one, two] = [await open(), await open()];
    expect([two.key, two.keyid]).toEqual([one.key, one.keyid]);
    const message = encodeUtf8('after a restart');
    for (const { sign } of [one, two, one]) expect(check(one.key, message, await sign(message))).toBe(true);
  });

  test('contract: of many at once each gets the signature over its own message', async () => {
    const { open, check } = await make();
    const { key, sign } = await open();
    const messages = Array.from({ length: 50 }, (_, i) => encodeUtf8(`message ${i}`));
    const signatures = await Promise.all(messages.map((message) => sign(message)));
    for (const [i, message] of messages.entries()) {
      expect(check(key, message, signatures[i] ?? new Uint8Array()), String(i)).toBe(true);
      expect(check(key, message, signatures[(i + 1) % 50] ?? new Uint8Array()), String(i)).toBe(false);
    }
  });

  test('contract: it signs the bytes as they are at the call, wherever they lie, and hands out bytes that are the own of its caller', async () => {
    const { open, check } = await make();
    const { key, sign } = await open();
    const whole = encodeUtf8('before|the message|after');
    const message = whole.subarray(7, 18);
    const before = message.slice();
    const asked = sign(message);
    expect(whole).toEqual(encodeUtf8('before|the message|after'));
    whole.fill(0);
    const signature = await asked;
    expect(check(key, before, signature)).toBe(true);
    signature.fill(0);
    expect(check(key, before, await sign(before))).toBe(true);
  });

  test('contract: a key that must not open is refused with its code, as a value', async () => {
    for (const { says, code, open } of (await make()).refused) {
      expect(await open(), says).toMatchObject({ ok: false, code });
    }
  });

  test('contract: no secret shows in the signer, in its JSON or in a refusal, however closely they are looked at', async () => {
    const { open, refused, secrets } = await make();
    const signer = await open();
    const shown = [
      signer,
      signer.sign,
      await signer.sign(encodeUtf8('m')),
      ...(await Promise.all(refused.map((each) => each.open()))),
    ];
    expect(secrets.length).toBeGreaterThan(0);
    for (const value of shown) {
      for (const text of [inspect(value, { depth: 9, showHidden: true }), JSON.stringify(value) ?? '', String(value)]) {
        for (const secret of secrets) expect(text).not.toContain(secret);
      }
    }
  });
}
