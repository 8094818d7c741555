/** Thresholds: distinct keys of the role count, once each, whatever else stands in the file. */
import { createPublicKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { encodeHex } from '../../formats/bytes.ts';
import { encodeCanonicalJson } from '../../formats/canonical-json.ts';
import { parseJson } from '../../formats/json.ts';
import { checkSignaturePortable, type PublicKey, type SignatureCheck } from '../../formats/signature-check.ts';
import type { SignatureEntry } from '../../formats/tuf-metadata.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import { roleKeysDecoder, verifyThreshold } from '../../formats/verify-signatures.ts';
import type { Verdict } from '../../formats/verdict.ts';
import type { Signer } from '../../signer/signer.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { edited, keysOf, SAMPLE_FILES } from './sample-repository.ts';

const SIGNED = encodeCanonicalJson(new Map([['says', 'release 1.0.0']]));
const [one, two, three, stranger] = ['quorum 1', 'quorum 2', 'quorum 3', 'stranger'].map(seededSigner) as [
  Signer,
  Signer,
  Signer,
  Signer,
];
const sigOf = new Map(
  await Promise.all([one, two, three, stranger].map(async (signer) => [signer, await signer.sign(SIGNED)] as const)),
);

function by(signer: Signer, keyid: string = signer.keyid): SignatureEntry {
  return { keyid, sig: sigOf.get(signer) };
}

type Demand = {
  readonly keys?: ReadonlyMap<string, PublicKey>;
  readonly keyids?: readonly string[];
  readonly threshold?: number;
};

/** Whether `signatures` meet a threshold of two among three keys, unless `demand` says otherwise. */
function judge(
  signatures: readonly SignatureEntry[],
  demand: Demand = {},
  check: SignatureCheck = checkSignaturePortable,
): Verdict<number, 'METADATA_THRESHOLD_UNMET'> {
  const { keys = keysOf([one, two, three]), threshold = 2 } = demand;
  const { keyids = [...keys.keys()] } = demand;
  return verifyThreshold({ signedBytes: SIGNED, signatures }, { name: 'targets', keys, keyids, threshold }, check);
}

function unmet(found: number, demanded = 2): object {
  return {
    ok: false,
    code: 'METADATA_THRESHOLD_UNMET',
    detail: `targets: ${found} of ${demanded} signatures by distinct keys of the role`,
  };
}

test('two signatures of distinct keys of the role meet a threshold of two, in any order and company', () => {
  expect(judge([by(one), by(two)])).toEqual({ ok: true, value: 2 });
  expect(judge([by(stranger), by(three), by(one)])).toEqual({ ok: true, value: 2 });
});

test('no signature, or fewer than the threshold, is refused', () => {
  expect(judge([])).toEqual(unmet(0));
  expect(judge([by(one)])).toEqual(unmet(1));
  expect(judge([by(one), by(two)], { threshold: 3 })).toEqual(unmet(2, 3));
});

test('the same signature twice counts once', () => {
  expect(judge([by(one), by(one)])).toEqual(unmet(1));
  expect(judge(Array.from({ length: 64 }, () => by(one)))).toEqual(unmet(1));
});

test('one key under two key ids counts once', () => {
  const keys = new Map([...keysOf([one, two]), ['another', one.key]]);
  expect(judge([by(one), by(one, 'another')], { keys })).toEqual(unmet(1));
  expect(judge([by(one), by(one, 'another'), by(two)], { keys })).toEqual({ ok: true, value: 2 });
});

/** A check that is laxer than ours: it takes hex in any letters, Ed25519 under two names, and keys as PEM. */
const laxCheck: SignatureCheck = (key, message, signature) => {
  const pem = key.public.startsWith('-----');
  const der = Buffer.from(`302a300506032b6570032100${key.public.toLowerCase()}`, 'hex');
  const publicKey = pem ? createPublicKey(key.public) : createPublicKey({ key: der, format: 'der', type: 'spki' });
  return verify(undefined, message, publicKey, signature);
};

test('one key in capitals, under another type, or as the same PEM in other lines counts once, even where the check takes them all', () => {
  const pem = createPublicKey({
    key: Buffer.from(`302a300506032b6570032100${one.key.public}`, 'hex'),
    format: 'der',
    type: 'spki',
  }).export({ type: 'spki', format: 'pem' }) as string;
  const spellings: readonly (readonly [PublicKey, PublicKey])[] = [
    [one.key, { ...one.key, public: one.key.public.toUpperCase() }],
    [one.key, { ...one.key, keytype: 'eddsa' }],
    [one.key, { ...one.key, scheme: 'ed25519ph' }],
    [
      { ...one.key, public: pem },
      { ...one.key, public: pem.replaceAll('\n', '\r\n') },
    ],
  ];
  for (const [key, again] of spellings) {
    const keys = new Map([
      ['a', key],
      ['b', again],
      ['c', two.key],
    ]);
    expect(judge([by(one, 'a'), by(one, 'b')], { keys }, laxCheck)).toEqual(unmet(1));
    expect(judge([by(one, 'a'), by(one, 'b'), by(two, 'c')], { keys }, laxCheck)).toEqual({ ok: true, value: 2 });
  }
});

test('a key in capitals verifies nothing in the portable check', () => {
  const keys = new Map([[one.keyid, { ...one.key, public: one.key.public.toUpperCase() }]]);
  expect(judge([by(one)], { keys, threshold: 1 })).toEqual(unmet(0, 1));
});

test('a signature by a key that the role does not list counts for nothing, though the file has the key', () => {
  const keys = keysOf([one, two, stranger]);
  expect(judge([by(one), by(stranger)], { keys, keyids: [one.keyid, two.keyid] })).toEqual(unmet(1));
});

test('a key id that the role lists and that has no key counts for nothing', () => {
  expect(judge([by(one), by(two)], { keys: keysOf([one]), keyids: [one.keyid, two.keyid] })).toEqual(unmet(1));
  expect(judge([by(one, '__proto__'), by(one, 'constructor')], { keyids: ['__proto__', 'constructor'] })).toEqual(
    unmet(0),
  );
});

test('a valid signature under the key id of somebody else counts for nobody', () => {
  expect(judge([by(one, two.keyid), by(two, one.keyid)])).toEqual(unmet(0));
});

test('a broken signature neither counts nor spoils a good one of the same key', () => {
  const broken: SignatureEntry = { keyid: one.keyid, sig: sigOf.get(two) };
  expect(judge([broken, by(two)])).toEqual(unmet(1));
  expect(judge([broken, by(one), by(two)])).toEqual({ ok: true, value: 2 });
  expect(judge([{ keyid: one.keyid, sig: undefined }, by(one), by(two)])).toEqual({ ok: true, value: 2 });
});

test('a signature of 0, 63, 65 or 128 bytes counts for nothing', () => {
  const whole = sigOf.get(one) ?? new Uint8Array();
  const lengths = [
    whole.slice(0, 0),
    whole.slice(0, 63),
    Uint8Array.of(...whole, 0),
    Uint8Array.of(...whole, ...whole),
  ];
  for (const sig of lengths) {
    expect(judge([{ keyid: one.keyid, sig }, by(two)]), `${sig.length} bytes`).toEqual(unmet(1));
  }
});

test('signatures over other bytes count for nothing', async () => {
  const other = await one.sign(encodeCanonicalJson(new Map([['says', 'release 1.0.1']])));
  expect(judge([{ keyid: one.keyid, sig: other }, by(two)])).toEqual(unmet(1));
});

test('a key of an unknown type or scheme is carried and verifies nothing', () => {
  for (const change of [{ keytype: 'ml-dsa-65' }, { scheme: 'ed25519ph' }, { keytype: '' }, { public: 'no hex' }]) {
    const keys = new Map([[one.keyid, { ...one.key, ...change }], ...keysOf([two])]);
    expect(judge([by(one), by(two)], { keys })).toEqual(unmet(1));
  }
});

test('no signature is checked once the threshold is met, and none of a key that has counted', () => {
  const checked: string[] = [];
  const counting: SignatureCheck = (key, message, signature) => {
    checked.push(key.public);
    return checkSignaturePortable(key, message, signature);
  };
  expect(judge([by(one), by(one), by(two), by(three), by(three)], {}, counting).ok).toBe(true);
  expect(checked).toEqual([one.key.public, two.key.public]);
});

test('a role needs a threshold of at least one and lists no key id twice', () => {
  const decode = (text: string): boolean =>
    roleKeysDecoder(accepted(parseJson(Buffer.from(text), { bytesMax: 1000 }))).ok;
  expect(decode('{"keyids":["a","b"],"threshold":1}')).toBe(true);
  expect(decode('{"keyids":[],"threshold":1}')).toBe(true);
  for (const text of [
    '{"keyids":["a"],"threshold":0}',
    '{"keyids":["a"],"threshold":-1}',
    '{"keyids":["a","a"],"threshold":1}',
  ])
    expect(decode(text), text).toBe(false);
});

test('signatures in capitals, of odd length or empty are read and never count', () => {
  const [first, second] = accepted(parseRoot(SAMPLE_FILES['1.root.json'])).signatures;
  const hex = encodeHex(first?.sig ?? new Uint8Array());
  for (const text of [hex.toUpperCase(), hex.slice(1), `${hex} `, `0x${hex}`, '', 'é'.repeat(64)]) {
    const file = edited(SAMPLE_FILES['1.root.json'], ['signatures', 0, 'sig'], text);
    const { signed, signedBytes, signatures } = accepted(parseRoot(file));
    expect(signatures).toEqual([{ keyid: first?.keyid, sig: undefined }, second]);
    const role = { name: 'root', keys: signed.keys, ...signed.roles.root };
    expect(verifyThreshold({ signedBytes, signatures }, role, checkSignaturePortable)).toMatchObject({
      ok: false,
      code: 'METADATA_THRESHOLD_UNMET',
    });
  }
});
