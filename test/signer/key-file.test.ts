/** Key files: other people's tools read them, their passphrase alone opens them, and nothing about them leaks. */
import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
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
import { spellingsOf, testSigner, type RefusedOpening } from './signer-contract.ts';

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

/** `file` with one bit of the byte `at` turned. */
function altered(file: Uint8Array, at: number): Uint8Array {
  return file.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte));
}

/** The key as PEM, which only the passphrase opens. */
async function secretPem(): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(PASSPHRASE);
  return decrypter.decrypt(made.file, 'text');
}

testSigner(async () => {
  const pem = await secretPem();
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  const seed = der.subarray(-32);
  const opening = (code: string, says: string, ...of: Parameters<typeof openKeyFile>): RefusedOpening => ({
    ...{ says, code },
    open: () => openKeyFile(...of),
  });
  const wrong = 'KEY_PASSPHRASE_WRONG';
  const malformed = 'KEY_FILE_MALFORMED';
  return {
    open: async () => accepted(await openKeyFile(made.file, PASSPHRASE)),
    check: checkSignaturePortable,
    refused: [
      opening(wrong, 'another passphrase', made.file, 'correct horse'),
      opening(wrong, 'no passphrase', made.file, ''),
      opening(malformed, 'an altered end', altered(made.file, made.file.length - 1), PASSPHRASE),
      opening(malformed, 'half a file', made.file.slice(0, made.file.length / 2), PASSPHRASE),
      opening(malformed, 'no key within', await ageFile(`${pem.slice(0, 60)}broken`), PASSPHRASE),
    ],
    secrets: [PASSPHRASE, pem.split('\n')[1] ?? pem, ...spellingsOf(seed)],
  };
});

test('the key file of the vectors opens, as the key that stands beside it', async () => {
  const read = (name: string): Uint8Array => readFileSync(new URL(`../vectors/key-file/${name}`, import.meta.url));
  const signer = accepted(await openKeyFile(read('vector.age'), PASSPHRASE));
  expect(signer.key).toEqual(accepted(parsePublicKeyFile(read('vector.pub.json'))));
  expect(checkSignaturePortable(signer.key, MESSAGE, await signer.sign(MESSAGE))).toBe(true);
});

test('two keys are never the same', async () => {
  expect((await generateKey(PASSPHRASE, WORK_FACTOR)).signer.keyid).not.toBe(made.signer.keyid);
});

test('what the age file holds is a PKCS#8 key that the host reads without any code of ours', async () => {
  const privateKey = createPrivateKey(await secretPem());
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
      const opened = await openKeyFile(altered(made.file, at), PASSPHRASE);
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
