/**
 * The credentials of an object store: a file of JSON, `{"accessKey":"…","secretKey":"…"}`, that only its owner can read.
 *
 * - Never from an argument or the environment: both are seen by others.
 * - A refusal never shows what stands in the file.
 */
import { lstat } from 'node:fs/promises';
import { decodeJson, object, text, type Decoder } from '../formats/decode.ts';
import { reject, type Verdict } from '../formats/verdict.ts';
import { readInput } from './files.ts';

export type StoreCredentials = { readonly accessKey: string; readonly secretKey: string };

const FILE_BYTES_MAX = 4_096;
const OTHERS = 0o077;
const WORD = /[\x21-\x7e]+/;
const credentialsDecoder: Decoder<StoreCredentials> = object('refused', {
  accessKey: text(128, WORD),
  secretKey: text(128, WORD),
});

/** The credentials in `file`, or `CREDENTIALS_REFUSED`. */
export async function readStoreCredentials(file: string): Promise<Verdict<StoreCredentials, 'CREDENTIALS_REFUSED'>> {
  const decoded = decodeJson(await readInput(file), FILE_BYTES_MAX, credentialsDecoder);
  const { mode } = await lstat(file);
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0)
    return refuse(`${file} can be read by others: chmod 600 it`);
  return decoded.ok ? decoded : refuse(`${file} is not {"accessKey":"…","secretKey":"…"} alone`);
}

function refuse(detail: string): ReturnType<typeof reject<'CREDENTIALS_REFUSED'>> {
  return reject('CREDENTIALS_REFUSED', detail);
}
