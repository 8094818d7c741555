/**
 * Credentials: a file of JSON that only its owner can read; those of an object store are `{"accessKey":"…","secretKey":"…"}`.
 *
 * - Never from an argument or the environment: both are seen by others.
 * - A refusal never shows what stands in the file.
 */
import { decodeJson, object, text, type Decoder } from '../formats/decode.ts';
import { reject, type Verdict } from '../formats/verdict.ts';
import { isOpenToOthers, readInput } from './files.ts';

export type StoreCredentials = { readonly accessKey: string; readonly secretKey: string };

const FILE_BYTES_MAX = 4_096;
/** A part of credentials: printable, without spaces. */
export const CREDENTIAL: RegExp = /[\x21-\x7e]+/;
const credentialsDecoder: Decoder<StoreCredentials> = object('refused', {
  accessKey: text(128, CREDENTIAL),
  secretKey: text(128, CREDENTIAL),
});

/** The credentials in `file`, or `CREDENTIALS_REFUSED`. */
export function readStoreCredentials(file: string): Promise<Verdict<StoreCredentials, 'CREDENTIALS_REFUSED'>> {
  return readCredentials(file, credentialsDecoder, '{"accessKey":"…","secretKey":"…"}');
}

/** The credentials in `file`, which has them alone. @param form how they are written, for people. */
export async function readCredentials<T>(
  file: string,
  decoder: Decoder<T>,
  form: string,
): Promise<Verdict<T, 'CREDENTIALS_REFUSED'>> {
  const decoded = decodeJson(await readInput(file), FILE_BYTES_MAX, decoder);
  if (await isOpenToOthers(file)) return reject('CREDENTIALS_REFUSED', `${file} can be read by others: chmod 600 it`);
  return decoded.ok ? decoded : reject('CREDENTIALS_REFUSED', `${file} is not ${form} alone`);
}
