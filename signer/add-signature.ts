/**
 * Signing metadata: all at once as it is made, or one signature added to a file that people pass on.
 *
 * - What is signed is the canonical JSON of `signed`, as every TUF client computes it; the file is written compactly again.
 * - A key signs once; an entry of the same key id that does not verify is replaced, because clients refuse a key id that stands twice.
 * - A key signs only what its role lets it sign (`signing-keys.ts`), and nothing that the device's parser does not read.
 * - Source: TUF specification 1.0.34, section 4.2.1.
 */
import { encodeUtf8 } from '../formats/bytes.ts';
import { canonicalText } from '../formats/canonical-json.ts';
import type { JsonValue } from '../formats/json.ts';
import { encodeMetadata, openMetadata } from '../formats/tuf-metadata.ts';
import { TARGETS_BYTES_MAX } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { checkSignature } from './signature-check-node.ts';
import type { Signer } from './signer.ts';
import { signingKeys, type SigningKeysCode, type Unsigned } from './signing-keys.ts';

/** The file of `signed` with the signature of each of `signers`. */
export async function signMetadata(signed: JsonValue, signers: readonly Signer[]): Promise<Uint8Array> {
  const canonical = canonicalText(signed);
  const message = encodeUtf8(canonical);
  const signatures = await Promise.all(signers.map(async ({ keyid, sign }) => ({ keyid, sig: await sign(message) })));
  return encodeMetadata(signed, signatures, canonical);
}

/** The file `unsigned.metadata` with one signature more. */
export async function addSignature(
  unsigned: Unsigned,
  signer: Signer,
): Promise<Verdict<Uint8Array, SigningKeysCode | 'ALREADY_SIGNED'>> {
  const keyids = signingKeys(unsigned);
  if (!keyids.ok) return keyids;
  if (!keyids.value.includes(signer.keyid)) {
    return reject(
      'KEY_NOT_OF_ROLE',
      `key ${signer.keyid.slice(0, 12)}… is not among the ${keyids.value.length} of the role`,
    );
  }
  const opened = openMetadata(unsigned.metadata, TARGETS_BYTES_MAX);
  if (!opened.ok) return opened;
  const { signed, signatures } = opened.value;
  const canonical = canonicalText(signed);
  const message = encodeUtf8(canonical);
  const kept: { keyid: string; sig: Uint8Array }[] = [];
  for (const { keyid, sig } of signatures) {
    if (keyid === signer.keyid && sig !== undefined && checkSignature(signer.key, message, sig)) {
      return reject('ALREADY_SIGNED', `key ${keyid.slice(0, 12)}… has signed this version`);
    }
    if (keyid !== signer.keyid && sig !== undefined) kept.push({ keyid, sig });
  }
  return accept(encodeMetadata(signed, [...kept, { keyid: signer.keyid, sig: await signer.sign(message) }], canonical));
}
