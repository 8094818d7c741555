/** Signatures of a log's keys under a text: a checkpoint. */
import { encodeUtf8 } from '../formats/bytes.ts';
import { reach, type LogPolicy } from '../formats/root-part.ts';
import { encodeSignedNote, noteKeyId, type NoteSignature } from '../formats/signed-note.ts';
import { keyFingerprint } from '../formats/tuf-key.ts';
import type { Signer } from './signer.ts';

/** Those of `signers` whose signature counts for a tree of `size` entries under one of `policies`. */
export function logSigners(
  signers: readonly Signer[],
  policies: readonly LogPolicy[],
  size: number,
): readonly Signer[] {
  const counting = new Set(
    policies.flatMap(({ keys }) =>
      keys.filter(({ state }) => size <= reach(state)).map(({ key }) => keyFingerprint(key)),
    ),
  );
  return signers.filter(({ key }) => counting.has(keyFingerprint(key)));
}

/** The note of `text` with the signature of each of `signers`, under the log's name. */
export async function signNote(text: string, origin: string, signers: readonly Signer[]): Promise<Uint8Array> {
  const signatures: NoteSignature[] = [];
  for (const signer of signers) {
    const keyId = noteKeyId({ name: origin, type: 'signature', key: signer.key });
    if (keyId !== undefined) signatures.push({ name: origin, keyId, signature: await signer.sign(encodeUtf8(text)) });
  }
  return encodeSignedNote({ text, signatures });
}
