/** How the verbs that draft end: the unsigned file is written, and the next command is named. */
import { accept, type Verdict } from '../formats/verdict.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { parsePublicKeyFile } from '../signer/key-file.ts';
import type { Quorum } from '../signer/quorum.ts';
import { readInput, writeNew } from './files.ts';
import type { Answer } from './verb.ts';

/** Writes an accepted draft to `out`. */
export async function concludeDraft(draft: Verdict<Uint8Array>, out: string, next: string): Promise<Verdict<Answer>> {
  if (!draft.ok) return draft;
  await writeNew(out, draft.value);
  const text = `${out}: a draft without signatures\n  next: ${next}`;
  return accept({ facts: { file: out, sha256: sha256Hex(draft.value), next }, text });
}

/** The quorum of the keys in `files`. */
export async function readQuorum(
  files: readonly string[],
  threshold: number,
): Promise<Verdict<Quorum, 'KEY_MALFORMED'>> {
  const keys = [];
  for (const file of files) {
    const key = parsePublicKeyFile(await readInput(file));
    if (!key.ok) return { ...key, detail: `${file}: ${key.detail}` };
    keys.push(key.value);
  }
  return accept({ keys, threshold });
}
