/**
 * The proof that something was logged, as one file that is checked offline (C2SP tlog-proof, `c2sp.org/tlog-proof@v1`).
 *
 * - It holds the index, the hashes of the inclusion proof from the leaf up, and the checkpoint exactly as signed.
 * - The leaf is not in it: whoever checks it computes the leaf from what he acts on.
 * - `extra` is authenticated by nothing; ours has none, and one that is there is refused rather than carried along.
 */
import { concatBytes, encodeBase64, encodeUtf8, parseBase64, parseUtf8 } from './bytes.ts';
import { decimalValue } from './checkpoint.ts';
import { HASH_BYTES, PROOF_HASHES_MAX } from './merkle.ts';
import { NOTE_BYTES_MAX } from './signed-note.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type LogProof = {
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  /** The file of the signed checkpoint. */
  readonly checkpoint: Uint8Array;
};

const HEADER = 'c2sp.org/tlog-proof@v1';
/** Header, index and hashes with their newlines; base64 of a hash has 44 characters. */
const HEAD_BYTES_MAX = 64 + PROOF_HASHES_MAX * 45;
export const LOG_PROOF_BYTES_MAX: number = HEAD_BYTES_MAX + NOTE_BYTES_MAX;

/** Parses a proof; its checkpoint stays bytes. */
export function parseLogProof(bytes: Uint8Array): Verdict<LogProof, 'LOG_PROOF_MALFORMED'> {
  if (bytes.length > LOG_PROOF_BYTES_MAX) return malformed(`more than ${LOG_PROOF_BYTES_MAX} bytes`);
  const split = endOfHead(bytes);
  const head = split === undefined ? undefined : parseUtf8(bytes.subarray(0, split));
  if (split === undefined || head === undefined)
    return malformed('a head, an empty line and a checkpoint are expected');
  const [header, indexLine = '', ...lines] = head.split('\n');
  const index = indexLine.startsWith('index ') ? decimalValue(indexLine.slice(6)) : undefined;
  if (header !== HEADER || index === undefined) return malformed(`${HEADER} and the line of the index are expected`);
  if (lines.length > PROOF_HASHES_MAX) return malformed(`more than ${PROOF_HASHES_MAX} hashes`);
  const hashes: Uint8Array[] = [];
  for (const line of lines) {
    const hash = parseBase64(line);
    if (hash?.length !== HASH_BYTES) return malformed('a line with the base64 of 32 bytes is expected');
    hashes.push(hash);
  }
  return accept({ index, hashes, checkpoint: bytes.slice(split + 2) });
}

/** Where the first empty line begins, within the longest head. */
function endOfHead(bytes: Uint8Array): number | undefined {
  for (let i = 0; i + 1 < bytes.length && i <= HEAD_BYTES_MAX; i++) {
    if (bytes[i] === 0x0a && bytes[i + 1] === 0x0a) return i;
  }
  return undefined;
}

/** The bytes of a proof. */
export function encodeLogProof({ index, hashes, checkpoint }: LogProof): Uint8Array {
  const lines = [HEADER, `index ${index}`, ...hashes.map(encodeBase64)];
  return concatBytes(encodeUtf8(`${lines.join('\n')}\n\n`), checkpoint);
}

function malformed(detail: string): Verdict<never, 'LOG_PROOF_MALFORMED'> {
  return reject('LOG_PROOF_MALFORMED', detail);
}
