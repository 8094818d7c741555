/** python-tuf's canonical JSON, key ids and signatures beside ours: what one signs, the other checks over the same bytes. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeHex, encodeUtf8, parseHex } from '../../../formats/bytes.ts';
import { encodeCanonicalJson } from '../../../formats/canonical-json.ts';
import { parseJson } from '../../../formats/json.ts';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import { keyIdOf } from '../../../formats/tuf-key.ts';
import { jsonValues, toPlain } from '../../formats/json-values.ts';
import { python } from './python.ts';

const SAMPLES = 500;
const BYTES_MAX = 1_000_000;

/** Of each of `texts` the canonical bytes in hex, or null where python refuses to read or to sign it. */
async function canonicalByPython(texts: readonly string[]): Promise<readonly (string | null)[]> {
  const program = `
from securesystemslib.exceptions import FormatError
from securesystemslib.formats import encode_canonical
def canonical(text):
    try:
        return encode_canonical(json.loads(text)).encode("utf-8").hex()
    except (FormatError, ValueError, RecursionError):
        return None
print(json.dumps([canonical(text) for text in given]))
`;
  return (await python(program, texts)) as readonly (string | null)[];
}

/** Our canonical bytes of `text` in hex, or null where we refuse to read it. */
function canonicalByUs(text: string): string | null {
  const parsed = parseJson(encodeUtf8(text), { bytesMax: BYTES_MAX });
  return parsed.ok ? encodeHex(encodeCanonicalJson(parsed.value)) : null;
}

/** Random samples; the seed stands in each failure. */
function samples<T>(arbitrary: fc.Arbitrary<T>): { readonly values: readonly T[]; readonly seed: string } {
  const seed = Math.floor(Math.random() * 2 ** 31);
  return { values: fc.sample(arbitrary, { seed, numRuns: SAMPLES }), seed: `seed ${seed}` };
}

test('python-tuf signs the same bytes as we do, for astral names, control characters and nested values', async () => {
  const { values, seed } = samples(jsonValues);
  const fixed = [
    '{"\\ud83d\\ude00":1,"\\uffff":2,"a":3}',
    '"\\u0000\\u001f\\"\\\\\\/"',
    '[[[{"":{"":[]}}]]]',
    '{"B":1,"a":2,"":3}',
  ];
  const texts = [...fixed, ...values.map((value) => JSON.stringify(toPlain(value)))];
  const ours = texts.map(canonicalByUs);
  expect(ours).not.toContain(null);
  expect(ours, seed).toEqual(await canonicalByPython(texts));
});

test('of a text with one character changed we either refuse, or sign what python-tuf signs', async () => {
  const change = fc.record({
    value: jsonValues,
    at: fc.nat(),
    put: fc.constantFrom('', '"', ',', '}', '0', '-', '.', '\\', ' '),
  });
  const { values, seed } = samples(change);
  const texts = values.map(({ value, at, put }) => {
    const text = JSON.stringify(toPlain(value));
    const start = at % text.length;
    return `${text.slice(0, start)}${put}${text.slice(start + 1)}`.toWellFormed();
  });
  const theirs = await canonicalByPython(texts);
  const ours = texts.map(canonicalByUs);
  expect(
    ours.map((bytes, index) => (bytes === null ? null : theirs[index])),
    seed,
  ).toEqual(ours);
  expect(ours.filter((bytes) => bytes !== null).length).toBeGreaterThan(SAMPLES / 10);
});

test('texts on which parsers disagree are refused here, whatever python-tuf makes of them', async () => {
  const texts = ['{"a":1,"a":2}', '[-0]', '[9007199254740993]', '[1.0]', '[1e3]', '[NaN]', '[Infinity]', '["\\ud800"]'];
  expect(texts.map(canonicalByUs)).toEqual(texts.map(() => null));
  // What makes the refusal worth having: python reads the first three, and another reader may read them otherwise.
  expect((await canonicalByPython(texts)).map((bytes) => bytes !== null)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

test('a key that python-tuf makes has the key id that we compute, and its signature is valid here', async () => {
  const program = `
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner
signer = CryptoSigner.generate_ed25519()
key = signer.public_key
signature = signer.sign(encode_canonical(given).encode("utf-8"))
print(json.dumps({"keyid": key.keyid, "signature": signature.signature, "key": key.to_dict()}))
`;
  const message = { name: 'é😀', list: [1, { b: null, a: true }] };
  const made = (await python(program, message)) as { keyid: string; signature: string; key: Record<'keytype' | 'scheme', string> & { keyval: { public: string } } }; // prettier-ignore
  const key = { keytype: made.key.keytype, scheme: made.key.scheme, public: made.key.keyval.public };
  const bytes = parseHex(canonicalByUs(JSON.stringify(message)) ?? '') ?? new Uint8Array();
  const signature = parseHex(made.signature) ?? new Uint8Array();
  expect(keyIdOf(key)).toBe(made.keyid);
  expect(checkSignaturePortable(key, bytes, signature)).toBe(true);
  expect(checkSignaturePortable(key, bytes.subarray(1), signature)).toBe(false);
});
