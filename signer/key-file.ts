/**
 * Private keys in files: an Ed25519 key as PKCS#8 PEM inside an age file with a passphrase (ADR 0004).
 *
 * - `age -d FILE | openssl pkey -text` reads it: no format here is ours.
 * - The public key stands beside it, as TUF metadata carry it.
 * - The library is loaded once a file is made or opened: a third of what a tool needs to start, and many verbs open none.
 * - Neither key nor passphrase ever reaches an error or a log; a new file never replaces one that is there.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Stanza } from 'age-encryption';
import { encodeCanonicalJson } from '../formats/canonical-json.ts';
import { concatBytes, encodeUtf8 } from '../formats/bytes.ts';
import { decodeJson } from '../formats/decode.ts';
import type { PublicKey } from '../formats/signature-check.ts';
import { keyToJson, publicKeyDecoder } from '../formats/tuf-key.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { ed25519Signer } from './ed25519-signer.ts';
import type { Signer } from './signer.ts';

/** Base-2 logarithm of scrypt's cost: a second or so, as age's own tools choose. */
export const WORK_FACTOR_DEFAULT = 18;
/** Above this the library refuses to open a file again. */
export const WORK_FACTOR_MAX = 20;
export const KEY_FILE_BYTES_MAX = 16_384;

/** A new key: the encrypted file, the file of its public part, and the signer. */
export type NewKey = { readonly file: Uint8Array; readonly publicFile: Uint8Array; readonly signer: Signer };

/** Generates a key and encrypts it under `passphrase`. @param workFactor base-2 logarithm of scrypt's cost. */
export async function generateKey(passphrase: string, workFactor: number): Promise<NewKey> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(workFactor);
  const signer = ed25519Signer(privateKey);
  const file = await encrypter.encrypt(String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  return { file, publicFile: encodePublicKeyFile(signer.key), signer };
}

/** Opens a key file. */
export async function openKeyFile(
  bytes: Uint8Array,
  passphrase: string,
): Promise<Verdict<Signer, 'KEY_FILE_MALFORMED' | 'KEY_PASSPHRASE_WRONG'>> {
  if (bytes.length > KEY_FILE_BYTES_MAX) return reject('KEY_FILE_MALFORMED', 'longer than a key file is');
  const pem = await decrypt(bytes, passphrase);
  if (!pem.ok) return pem;
  const key = parsePrivateKey(pem.value);
  return key === undefined
    ? reject('KEY_FILE_MALFORMED', 'what is encrypted is not an Ed25519 private key in PKCS#8')
    : accept(ed25519Signer(key));
}

/** The text in an age file. The second identity is asked only once the passphrase has not opened a well-formed header. */
async function decrypt(
  bytes: Uint8Array,
  passphrase: string,
): Promise<Verdict<string, 'KEY_FILE_MALFORMED' | 'KEY_PASSPHRASE_WRONG'>> {
  const { Decrypter } = await import('age-encryption');
  let isWrong = false;
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  decrypter.addIdentity({
    unwrapFileKey: (stanzas: readonly Stanza[]) => {
      isWrong = stanzas[0]?.args[0] === 'scrypt';
      return null;
    },
  });
  try {
    return accept(await decrypter.decrypt(bytes, 'text'));
  } catch {
    return isWrong
      ? reject('KEY_PASSPHRASE_WRONG', 'the passphrase does not open this key file')
      : reject('KEY_FILE_MALFORMED', 'not a whole age file with a passphrase');
  }
}

/** The Ed25519 private key in `pem`, or undefined; the parser's own message could quote it and is dropped. */
function parsePrivateKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** The file of a public key: its TUF JSON and a line's end. */
export function encodePublicKeyFile(key: PublicKey): Uint8Array {
  return concatBytes(encodeCanonicalJson(keyToJson(key)), encodeUtf8('\n'));
}

/** Parses the file of a public key. */
export function parsePublicKeyFile(bytes: Uint8Array): Verdict<PublicKey, 'KEY_MALFORMED'> {
  const key = decodeJson(bytes, KEY_FILE_BYTES_MAX, publicKeyDecoder);
  return key.ok ? key : reject('KEY_MALFORMED', `${key.code}: ${key.detail}`);
}
