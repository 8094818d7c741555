/** DSSE envelopes: the specification's vector, its parsing rules, limits, and what altered envelopes may not do. */
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBase64, encodeUtf8, equalBytes } from '../../formats/bytes.ts';
import {
  encodeEnvelope,
  ENVELOPE_BYTES_MAX,
  ENVELOPE_KEYID_LENGTH_MAX,
  ENVELOPE_SIGNATURE_BYTES_MAX,
  ENVELOPE_SIGNATURES_MAX,
  parseEnvelope,
  PAYLOAD_BYTES_MAX,
  preAuthEncoding,
  type Envelope,
} from '../../formats/dsse.ts';
import { encodeProvenance } from '../../formats/provenance.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { STATEMENT_PAYLOAD_TYPE } from '../../formats/statement.ts';
import { tryMutants } from '../mutations.ts';
import { tinyProvenance } from '../tiny-release.ts';

const TYPE = 'application/example';
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function json(value: unknown): Uint8Array {
  return encodeUtf8(JSON.stringify(value));
}
function plain(changes: object = {}): object {
  return { payload: 'aGVsbG8=', payloadType: TYPE, signatures: [{ keyid: 'one', sig: 'AAAA' }], ...changes };
}

describe('the pre-authentication encoding', () => {
  test('is that of the specification', () => {
    expect(text(preAuthEncoding('http://example.com/HelloWorld', encodeUtf8('hello world')))).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
  });

  test('counts bytes and not characters', () => {
    expect(text(preAuthEncoding('é', encodeUtf8('€')))).toBe('DSSEv1 2 é 3 €');
  });

  test('is never the same for two pairs of type and payload', () => {
    const parts = fc.tuple(fc.string({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 }));
    fc.assert(
      fc.property(parts, parts, ([typeA, payloadA], [typeB, payloadB]) => {
        const same = typeA === typeB && equalBytes(payloadA, payloadB);
        expect(equalBytes(preAuthEncoding(typeA, payloadA), preAuthEncoding(typeB, payloadB))).toBe(same);
      }),
    );
  });
});

describe('an envelope', () => {
  test('of the specification is read, with an absent key id as an empty one', () => {
    const vector = `{"payload": "aGVsbG8gd29ybGQ=",
      "payloadType": "http://example.com/HelloWorld",
      "signatures": [{"sig": "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]}`;
    const envelope = parseEnvelope(encodeUtf8(vector), 'http://example.com/HelloWorld');
    if (!envelope.ok) throw new Error(envelope.detail);
    expect(text(envelope.value.payload)).toBe('hello world');
    expect(envelope.value.signatures.map(({ keyid, sig }) => [keyid, sig.length])).toEqual([['', 64]]);
  });

  test('is written and read back as it was', () => {
    const signature = fc.record({
      keyid: fc.string({ maxLength: 20, unit: 'grapheme' }),
      sig: fc.uint8Array({ maxLength: 64 }),
    });
    const signatures = fc.array(signature, { minLength: 1, maxLength: ENVELOPE_SIGNATURES_MAX });
    fc.assert(
      fc.property(fc.uint8Array(), signatures, (payload, signatures) => {
        const envelope: Envelope = { payloadType: TYPE, payload, signatures };
        expect(parseEnvelope(encodeEnvelope(envelope), TYPE)).toEqual({ ok: true, value: envelope });
      }),
    );
  });

  test('is read in either alphabet of base64, but not in a mixture, and not without its padding', () => {
    const read = (payload: string): unknown => parseEnvelope(json(plain({ payload })), TYPE);
    const value = { payload: Uint8Array.of(0xfb, 0xff, 0xbf, 0xfb) };
    expect(read('+/+/+w==')).toMatchObject({ ok: true, value });
    expect(read('-_-_-w==')).toMatchObject({ ok: true, value });
    for (const payload of ['+_+_+w==', '-_-_-w', '-_-_-x==', '+/+/ +w==', '+/+/+w==\n']) {
      expect(read(payload)).toMatchObject({ ok: false, code: 'ENVELOPE_MALFORMED' });
    }
  });

  test('is read with members that the specification does not know', () => {
    const signatures = [{ sig: 'AAAA', extra: [1] }];
    expect(parseEnvelope(json(plain({ signatures, more: null })), TYPE)).toMatchObject({ ok: true });
  });

  test.each([
    ['of another payload type', { payloadType: 'application/other' }],
    ['of a payload type that differs in case', { payloadType: TYPE.toUpperCase() }],
    ['without a payload type', { payloadType: undefined }],
    ['without a payload', { payload: undefined }],
    ['whose payload is not a string', { payload: [104] }],
    ['without signatures', { signatures: [] }],
    ['whose signatures are not a list', { signatures: { sig: 'AAAA' } }],
    ['with a signature without bytes', { signatures: [{ keyid: 'one' }] }],
    ['with a key id that is no string', { signatures: [{ keyid: 7, sig: 'AAAA' }] }],
  ])('%s is refused', (_, changes) => {
    expect(parseEnvelope(json(plain(changes)), TYPE)).toMatchObject({ ok: false, code: 'ENVELOPE_MALFORMED' });
  });

  test('with a member twice is refused, for parsers disagree about it', () => {
    const twice = JSON.stringify(plain()).replace('{', '{"payload":"AAAA",');
    expect(parseEnvelope(encodeUtf8(twice), TYPE)).toMatchObject({ ok: false, code: 'ENVELOPE_MALFORMED' });
  });

  test('is read at each limit and refused beyond it', () => {
    const ok = (changes: object): boolean => parseEnvelope(json(plain(changes)), TYPE).ok;
    const zeros = (size: number): string => encodeBase64(new Uint8Array(size));
    const signatures = (count: number): object => ({ signatures: Array.from({ length: count }, () => ({ sig: '' })) });
    expect(ok({ payload: zeros(PAYLOAD_BYTES_MAX) })).toBe(true);
    expect(ok({ payload: zeros(PAYLOAD_BYTES_MAX + 1) })).toBe(false);
    expect(ok(signatures(ENVELOPE_SIGNATURES_MAX))).toBe(true);
    expect(ok(signatures(ENVELOPE_SIGNATURES_MAX + 1))).toBe(false);
    expect(ok({ signatures: [{ sig: zeros(ENVELOPE_SIGNATURE_BYTES_MAX) }] })).toBe(true);
    expect(ok({ signatures: [{ sig: zeros(ENVELOPE_SIGNATURE_BYTES_MAX + 1) }] })).toBe(false);
    expect(ok({ signatures: [{ keyid: 'k'.repeat(ENVELOPE_KEYID_LENGTH_MAX), sig: '' }] })).toBe(true);
    expect(ok({ signatures: [{ keyid: 'k'.repeat(ENVELOPE_KEYID_LENGTH_MAX + 1), sig: '' }] })).toBe(false);
    const padded = (size: number): Uint8Array => encodeUtf8(JSON.stringify(plain()).padEnd(size));
    expect(parseEnvelope(padded(ENVELOPE_BYTES_MAX), TYPE).ok).toBe(true);
    expect(parseEnvelope(padded(ENVELOPE_BYTES_MAX + 1), TYPE).ok).toBe(false);
  });
});

describe('an altered envelope', () => {
  test('is refused, or fails its signature, or carries the very payload that was signed', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const payload = encodeProvenance(tinyProvenance('gateway.js', sha256Hex(encodeUtf8('the image'))));
    const sig = new Uint8Array(sign(undefined, preAuthEncoding(STATEMENT_PAYLOAD_TYPE, payload), privateKey));
    const original = encodeEnvelope({
      payloadType: STATEMENT_PAYLOAD_TYPE,
      payload,
      signatures: [{ keyid: 'builder', sig }],
    });
    let accepted = 0;
    const { made, wellFormed } = tryMutants(original, (mutant) => {
      const envelope = parseEnvelope(mutant, STATEMENT_PAYLOAD_TYPE);
      if (!envelope.ok) {
        expect(envelope.code).toBe('ENVELOPE_MALFORMED');
        return;
      }
      accepted++;
      const message = preAuthEncoding(envelope.value.payloadType, envelope.value.payload);
      const valid = envelope.value.signatures.some((signature) => verify(undefined, message, publicKey, signature.sig));
      expect(!valid || equalBytes(envelope.value.payload, payload)).toBe(true);
    });
    expect(wellFormed * 3).toBeGreaterThanOrEqual(made);
    expect(accepted).toBeGreaterThan(0);
  });

  test('of any bytes at all never makes the parser throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseEnvelope(bytes, TYPE)));
  });
});
