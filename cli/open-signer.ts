/** Opens a key file with the passphrase of its holder. */
import type { Verdict } from '../formats/verdict.ts';
import { openKeyFile } from '../signer/key-file.ts';
import type { Signer } from '../signer/signer.ts';
import { readPassphrase } from './passphrase.ts';
import type { Host } from './verb.ts';

/** The signer in `bytes`, the content of the key file `from.file`. */
export async function openSigner(
  bytes: Uint8Array,
  from: { readonly file: string; readonly passphraseFile: string | undefined },
  host: Host,
): Promise<Verdict<Signer, 'KEY_FILE_MALFORMED' | 'KEY_PASSPHRASE_WRONG' | 'PASSPHRASE_REFUSED'>> {
  const passphrase = await readPassphrase(from.passphraseFile, `Passphrase of ${from.file}: `, host);
  return passphrase.ok ? openKeyFile(bytes, passphrase.value) : passphrase;
}
