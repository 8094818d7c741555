/** Key files: other people's tools read them, their passphrase alone opens them, and nothing about them leaks. */
import { createHash, createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { inspect } from 'node:util';
import { Decrypter, Encrypter } from 'age-encryption';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseHex } from '../../formats/bytes.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import {
  generateKey,
  KEY_FILE_BYTES_MAX,
  openKeyFile,
  parsePublicKeyFile,
  type NewKey,
} from '../../signer/key-file.ts';
import { accepted } from '../accepted.ts';

const PASSPHRASE = 'correct horse battery staple';
/** Low, for tests alone: the cost of guessing is not what they are about. */
const WORK_FACTOR = 2;
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const MESSAGE = new TextEncoder().encode('message');

let made: NewKey;
beforeAll(async () => {
  made = await generateKey(PASSPHRASE, WORK_FACTOR);
});

/** An age file with `content` under our passphrase. */
async function ageFile(content: string, passphrase = PASSPHRASE): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(WORK_FACTOR);
  return encrypter.encrypt(content);
}

test('what the age file holds is a PKCS#8 key that the host reads without any code of ours', async () => {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(PASSPHRASE);
  const pem = await decrypter.decrypt(made.file, 'text');
  const privateKey = createPrivateKey(pem);
  expect(privateKey.asymmetricKeyType).toBe('ed25519');
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  expect(spki.equals(Buffer.concat([SPKI_HEAD, parseHex(made.signer.key.public) ?? new Uint8Array()]))).toBe(true);
});

test('a key opened again signs, and both the portable check and the host accept the signature', async () => {
  const signer = accepted(await openKeyFile(made.file, PASSPHRASE));
  expect(signer.keyid).toBe(made.signer.keyid);
  const signature = await signer.sign(MESSAGE);
  expect(checkSignaturePortable(signer.key, MESSAGE, signature)).toBe(true);
  const spki = Buffer.concat([SPKI_HEAD, parseHex(signer.key.public) ?? new Uint8Array()]);
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  expect(verify(undefined, MESSAGE, publicKey, signature)).toBe(true);
});

test('the key id is the SHA-256 of the key as python-tuf writes it in canonical JSON', () => {
  const { key, keyid } = made.signer;
  const canonical = `{"keytype":"ed25519","keyval":{"public":"${key.public}"},"scheme":"ed25519"}`;
  expect(keyid).toBe(createHash('sha256').update(canonical).digest('hex'));
});

test('the public file holds the public key as metadata carry it, and nothing else', () => {
  expect(accepted(parsePublicKeyFile(made.publicFile))).toEqual(made.signer.key);
  expect(JSON.parse(new TextDecoder().decode(made.publicFile))).toEqual({
    keytype: 'ed25519',
    keyval: { public: made.signer.key.public },
    scheme: 'ed25519',
  });
  expect(parsePublicKeyFile(new TextEncoder().encode('{"keytype":"ed25519"}'))).toMatchObject({
    code: 'KEY_MALFORMED',
  });
});

describe('files that open no key', () => {
  test.each(['', 'correct horse battery stapl', `${PASSPHRASE} `, PASSPHRASE.toUpperCase()])(
    'the passphrase %j opens nothing',
    async (passphrase) => {
      expect(await openKeyFile(made.file, passphrase)).toMatchObject({ ok: false, code: 'KEY_PASSPHRASE_WRONG' });
    },
  );

  test('every file with one bit flipped is refused, and never as another key', async () => {
    for (let at = 0; at < made.file.length; at++) {
      const damaged = made.file.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      const opened = await openKeyFile(damaged, PASSPHRASE);
      expect(opened.ok ? opened.value.keyid : opened.code).toMatch(/^KEY_/);
    }
  });

  test.each([0, 1, 21, 100, 180])('a file cut after %i bytes is malformed', async (length) => {
    expect(await openKeyFile(made.file.slice(0, length), PASSPHRASE)).toMatchObject({ code: 'KEY_FILE_MALFORMED' });
  });

  test('a work factor that would take the machine down is refused before it is tried', async () => {
    const text = Buffer.from(made.file)
      .toString('latin1')
      .replace(/^(-> scrypt \S+) 2$/m, '$1 30');
    expect(text).toContain(' 30\n');
    expect(await openKeyFile(Buffer.from(text, 'latin1'), PASSPHRASE)).toMatchObject({ code: 'KEY_FILE_MALFORMED' });
  });

  test('a file longer than any key file is not read', async () => {
    const long = new Uint8Array(KEY_FILE_BYTES_MAX + 1);
    long.set(made.file);
    expect(await openKeyFile(long, PASSPHRASE)).toMatchObject({ ok: false, code: 'KEY_FILE_MALFORMED' });
  });

  test.each([
    ['no key', 'hello'],
    [
      'a public key',
      '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n',
    ],
  ])('an age file with %s inside opens nothing', async (_, content) => {
    expect(await openKeyFile(await ageFile(content), PASSPHRASE)).toMatchObject({ code: 'KEY_FILE_MALFORMED' });
  });

  test('an age file for a recipient instead of a passphrase is not a wrong passphrase', async () => {
    const encrypter = new Encrypter();
    encrypter.addRecipient('age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p');
    const file = await encrypter.encrypt('content');
    expect(await openKeyFile(file, PASSPHRASE)).toMatchObject({ ok: false, code: 'KEY_FILE_MALFORMED' });
  });
});

test('neither passphrase nor private key shows in a signer, in its JSON or in a refusal', async () => {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(PASSPHRASE);
  const pem = await decrypter.decrypt(made.file, 'text');
  const secret = pem.split('\n')[1] ?? pem;
  const refusal = await openKeyFile(await ageFile(`${pem.slice(0, 60)}broken`), PASSPHRASE);
  const signer = accepted(await openKeyFile(made.file, PASSPHRASE));
  for (const shown of [
    inspect(signer, { depth: 9, showHidden: true }),
    JSON.stringify(signer),
    JSON.stringify(refusal),
  ]) {
    expect(shown).not.toContain(PASSPHRASE);
    expect(shown).not.toContain(secret.slice(-20));
    expect(shown).not.toContain(secret.slice(0, 60));
  }
});
