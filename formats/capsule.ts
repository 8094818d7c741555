/**
 * The capsule: one file that carries a release to a device without network (promise P7).
 *
 * - It is files of the published repository under the names that they have there, one after the other; a device reads them as it
 *   reads its server, and judges them by the same code.
 * - The head only says where each file lies. Nothing in it is trusted, nothing in it can be: it is under no signature.
 * - One content has one form: names rise, nothing lies between the files, behind them or beyond them.
 * - Specified in `docs/formats/capsule.md`.
 */
import { concatBytes, encodeUtf8, equalBytes } from './bytes.ts';
import { encodeCanonicalJson } from './canonical-json.ts';
import { decodeJson, integer, list, object, refine, shape, text, type Decoder } from './decode.ts';
import { accept, reject, type Verdict } from './verdict.ts';

/** A file of the repository: its name below the product's address, its length in bytes. */
export type CapsuleFile = { readonly name: string; readonly length: number };
/** A file, and where its first byte lies in the capsule. */
export type PlacedFile = CapsuleFile & { readonly offset: number };

export const CAPSULE_FILES_MAX = 512;
/** At most this much is read before anything is known of a capsule. */
export const CAPSULE_HEAD_BYTES_MAX = 131_072;
export const CAPSULE_BYTES_MAX = 4_294_967_296;

const MAGIC = encodeUtf8('firmament-capsule 1\n');
const NEWLINE = 0x0a;
const NAME = /(?:metadata|targets|log)(?:\/[A-Za-z0-9_-](?:[A-Za-z0-9._-]|%2F)*){1,8}/;

const headDecoder: Decoder<readonly CapsuleFile[]> = refine(
  object('refused', {
    files: list(
      object('refused', { name: text(1024, NAME), length: integer(0, CAPSULE_BYTES_MAX) }),
      CAPSULE_FILES_MAX,
      1,
    ),
  }),
  ({ files }) => {
    const rising = files.every(({ name }, index) => index === 0 || (files[index - 1]?.name ?? '') < name);
    return rising ? accept(files) : shape('.files: names rise, and each stands once');
  },
);

/** The head of a capsule of `files`, which follow it in the order of their names. */
export function encodeCapsuleHead(files: readonly CapsuleFile[]): Uint8Array {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  const entries = sorted.map(
    ({ name, length }) =>
      new Map<string, string | number>([
        ['name', name],
        ['length', length],
      ]),
  );
  return concatBytes(MAGIC, encodeCanonicalJson(new Map([['files', entries]])), Uint8Array.of(NEWLINE));
}

/**
 * Reads the head of a capsule.
 * @param start the first `CAPSULE_HEAD_BYTES_MAX` bytes of it, or all of it.
 * @param capsuleLength its whole length in bytes, which must be exactly that of head and files.
 * @returns where each file lies, or `CAPSULE_MALFORMED`. Never throws.
 */
export function parseCapsuleHead(
  start: Uint8Array,
  capsuleLength: number,
): Verdict<readonly PlacedFile[], 'CAPSULE_MALFORMED'> {
  if (!equalBytes(start.subarray(0, MAGIC.length), MAGIC)) return malformed('it does not begin as a capsule does');
  const end = start.subarray(0, CAPSULE_HEAD_BYTES_MAX).indexOf(NEWLINE, MAGIC.length);
  if (end < 0) return malformed(`its head has no end within ${CAPSULE_HEAD_BYTES_MAX} bytes`);
  const files = decodeJson(start.subarray(MAGIC.length, end), CAPSULE_HEAD_BYTES_MAX, headDecoder);
  if (!files.ok) return malformed(`its head: ${files.code}: ${files.detail}`);
  if (!equalBytes(encodeCapsuleHead(files.value), start.subarray(0, end + 1)))
    return malformed('its head is not in the one form');
  let offset = end + 1;
  const placed = files.value.map((file) => {
    const at = offset;
    offset += file.length;
    return { ...file, offset: at };
  });
  return offset === capsuleLength
    ? accept(placed)
    : malformed(`its head and files have ${offset} bytes, the capsule has ${capsuleLength}`);
}

function malformed(detail: string): Verdict<never, 'CAPSULE_MALFORMED'> {
  return reject('CAPSULE_MALFORMED', detail);
}
