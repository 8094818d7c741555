/** The derivations of Open DICE: the published vectors, and node:crypto as a second opinion. */
import { createHash, createPrivateKey, createPublicKey, hkdfSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { concatBytes, encodeHex, encodeUtf8, parseHex } from '../../formats/bytes.ts';
import { deviceIdOf } from '../../formats/device-id.ts';
import { DEVICE_SECRET_BYTES_MAX, encodeDeviceSecret, parseDeviceSecret } from '../../formats/device-secret.ts';
import { deriveAttestSecret, deriveKeySeed, type DiceInput, type DiceMode } from '../../formats/dice.ts';
import { ed25519PublicKey, signEd25519 } from '../../formats/ed25519-key.ts';
import { verifyEd25519 } from '../../formats/ed25519.ts';
import { hkdfSha512, sha512Bytes } from '../../formats/sha512.ts';

const zeros = (count: number): Uint8Array => new Uint8Array(count);
const ZERO_INPUT: DiceInput = {
  code: zeros(64),
  configuration: zeros(64),
  authority: zeros(64),
  mode: 'unconfigured',
  hidden: zeros(64),
};

/** The input values that open-dice derives from a name: for up to 64 bytes, twice SHA-512 of it, cut. */
function fakeInput(seed: string, length: number): Uint8Array {
  return sha512Bytes(sha512Bytes(encodeUtf8(seed))).slice(0, length);
}

/** What google/open-dice publishes in `include/dice/known_test_values.h`: secret and input, next secret, its public key. */
const VECTORS = [
  {
    says: 'of zeros',
    secret: zeros(32),
    input: ZERO_INPUT,
    next: 'fbfc679771342eeacb908659ce49d6b63b4535da2c51433d7f04efa6319e0c19',
    publicKey: '0d14e5de292eb1c8b31beae43ab55d8e9dc014b73eaa83b925a0788cc62e5c8d',
  },
  {
    says: 'of hashes',
    secret: fakeInput('cdi_attest', 32),
    input: {
      ...ZERO_INPUT,
      code: fakeInput('code_hash', 64),
      configuration: fakeInput('inline_config', 64),
      authority: fakeInput('authority_hash', 64),
    },
    next: '084ef406c69ba74b1e24d062f9ab8a8d89da6e03e4c6b122857cf74fd6a4bee5',
    publicKey: '5a394967 8cd30e88 ab1cddf7 1555d5bf d3f0b847 25a958e1 b9da4eb5 f1389a5a'.replaceAll(' ', ''),
  },
];

test.each(VECTORS)('the published vector $says comes out: the next secret and its key', (vector) => {
  const next = deriveAttestSecret(vector.secret, vector.input);
  expect(encodeHex(next)).toBe(vector.next);
  expect(encodeHex(ed25519PublicKey(deriveKeySeed(next)))).toBe(vector.publicKey);
});

test('whatever is measured differently gives another secret, and so does another device', () => {
  const modes: readonly DiceMode[] = ['normal', 'debug', 'recovery'];
  const changed = [
    ...(['code', 'configuration', 'authority', 'hidden'] as const).map((part) => ({
      ...ZERO_INPUT,
      [part]: concatBytes(Uint8Array.of(1), zeros(63)),
    })),
    ...modes.map((mode) => ({ ...ZERO_INPUT, mode })),
    ZERO_INPUT,
  ];
  const secrets = changed.map((input) => encodeHex(deriveAttestSecret(zeros(32), input)));
  secrets.push(encodeHex(deriveAttestSecret(zeros(32).fill(1), ZERO_INPUT)));
  expect(new Set(secrets).size).toBe(secrets.length);
});

test('SHA-512 and HKDF are those of node:crypto', () => {
  for (const length of [0, 1, 63, 64, 200]) {
    const bytes = zeros(length).fill(length);
    expect(encodeHex(sha512Bytes(bytes))).toBe(createHash('sha512').update(bytes).digest('hex'));
    const made = hkdfSha512(bytes, { salt: bytes, info: encodeUtf8('info') }, 50);
    expect(encodeHex(made)).toBe(encodeHex(new Uint8Array(hkdfSync('sha512', bytes, bytes, 'info', 50))));
  }
});

test('a derived key signs as node:crypto does, and has the id that its SPKI has', () => {
  const seed = fakeInput('seed', 32);
  const head = parseHex('302e020100300506032b657004220420') ?? zeros(0);
  const key = createPrivateKey({ key: Buffer.from(concatBytes(head, seed)), format: 'der', type: 'pkcs8' });
  const message = encodeUtf8('message');
  const signature = signEd25519(message, seed);
  expect(encodeHex(signature)).toBe(sign(undefined, message, key).toString('hex'));
  expect(verifyEd25519(signature, message, ed25519PublicKey(seed))).toBe(true);
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  expect(deviceIdOf(ed25519PublicKey(seed))).toBe(createHash('sha256').update(spki).digest('hex'));
});

test('a secret of another form, length or version is none, and is not quoted', () => {
  const good = encodeDeviceSecret(fakeInput('uds', 32));
  expect(parseDeviceSecret(good)).toEqual({ ok: true, value: fakeInput('uds', 32) });
  const bad = [
    encodeUtf8('{}'),
    encodeUtf8(`{"secret":"${'ab'.repeat(31)}","version":1}`),
    encodeUtf8(`{"secret":"${'ab'.repeat(32)}","version":2}`),
    concatBytes(good, encodeUtf8(' '.repeat(DEVICE_SECRET_BYTES_MAX))),
  ];
  for (const bytes of bad) {
    const verdict = parseDeviceSecret(bytes);
    expect(verdict).toMatchObject({ ok: false, code: 'DEVICE_SECRET_MISSING' });
    expect(JSON.stringify(verdict)).not.toContain('abab');
  }
});
