/**
 * Signed notes: a text, and lines of signatures under it (C2SP signed-note 1.0.0).
 *
 * - What is signed is the text with its last newline, exactly as it stands.
 * - Name and key id together say which key signed; a signature of an unknown pair is ignored, as the specification demands.
 * - A signature of a known key that fails spoils the whole note: somebody has tampered with it.
 * - One text for one note: base64 has one spelling here, and there is no white space to vary.
 * - Types: 1 is Ed25519 over the text, 4 an Ed25519 cosignature with a time (C2SP tlog-cosignature 1.1.0, `cosignature/v1`).
 */
import { concatBytes, encodeBase64, encodeHex, encodeUtf8, parseBase64, parseHex, parseUtf8 } from './bytes.ts';
import { sha256Bytes } from './sha256.ts';
import type { PublicKey, SignatureCheck } from './signature-check.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export const NOTE_SIGNATURES_MAX = 32;
/** Room for as many post-quantum signatures as the specification demands: 16 of nearly 5 kB each. */
export const NOTE_BYTES_MAX = 131_072;
const NAME_LENGTH_MAX = 255;
const KEY_ID_BYTES = 4;
const ED25519_KEY_BYTES = 32;
const TIME_BYTES = 8;

export type NoteSignature = {
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Uint8Array;
  /** What the key's type says: 64 bytes for type 1, 8 of time and 64 for type 4. */
  readonly signature: Uint8Array;
};
export type SignedNote = {
  /** Ends with a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
};
/** What a signature is over: the text itself, or the text under a time. */
export type NoteKeyType = 'signature' | 'cosignature';
export type NoteKey = { readonly name: string; readonly type: NoteKeyType; readonly key: PublicKey };

const TYPE_BYTE: Readonly<Record<NoteKeyType, number>> = { signature: 1, cosignature: 4 };
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const SPACE_OR_PLUS = /[\s\u0085+]/;

/** Parses a note; nothing in it is believed before `verifyNote` has found a signature of a known key. */
export function parseSignedNote(bytes: Uint8Array): Verdict<SignedNote, 'NOTE_MALFORMED'> {
  if (bytes.length > NOTE_BYTES_MAX) return malformed(`more than ${NOTE_BYTES_MAX} bytes`);
  const whole = parseUtf8(bytes);
  if (whole === undefined || CONTROL.test(whole)) return malformed('text without control characters is expected');
  const split = whole.lastIndexOf('\n\n');
  if (split < 0 || !whole.endsWith('\n')) return malformed('a text, an empty line and signatures are expected');
  const lines = whole.slice(split + 2, -1).split('\n');
  if (lines.length > NOTE_SIGNATURES_MAX) return malformed(`more than ${NOTE_SIGNATURES_MAX} signatures`);
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignatureLine(line);
    if (signature === undefined) return malformed('a line like "— NAME BASE64" is expected');
    signatures.push(signature);
  }
  return accept({ text: whole.slice(0, split + 1), signatures });
}

function parseSignatureLine(line: string): NoteSignature | undefined {
  const [dash, name, base64, ...more] = line.split(' ');
  const bytes = parseBase64(base64 ?? '');
  if (dash !== '—' || name === undefined || more.length > 0 || !isKeyName(name)) return undefined;
  if (bytes === undefined || bytes.length <= KEY_ID_BYTES) return undefined;
  return { name, keyId: bytes.slice(0, KEY_ID_BYTES), signature: bytes.slice(KEY_ID_BYTES) };
}

function isKeyName(name: string): boolean {
  return name.length > 0 && name.length <= NAME_LENGTH_MAX && !SPACE_OR_PLUS.test(name);
}

/** The bytes of a note. */
export function encodeSignedNote({ text, signatures }: SignedNote): Uint8Array {
  const lines = signatures.map(
    ({ name, keyId, signature }) => `— ${name} ${encodeBase64(concatBytes(keyId, signature))}\n`,
  );
  return encodeUtf8(`${text}\n${lines.join('')}`);
}

/** The key's id in signature lines, 4 bytes; undefined unless it is an Ed25519 key. */
export function noteKeyId(noteKey: NoteKey): Uint8Array | undefined {
  const material = typedKey(noteKey);
  return material && sha256Bytes(concatBytes(encodeUtf8(`${noteKey.name}\n`), material)).slice(0, KEY_ID_BYTES);
}

function typedKey({ type, key }: NoteKey): Uint8Array | undefined {
  const bytes = key.keytype === 'ed25519' && key.scheme === 'ed25519' ? parseHex(key.public) : undefined;
  return bytes?.length === ED25519_KEY_BYTES ? concatBytes(Uint8Array.of(TYPE_BYTE[type]), bytes) : undefined;
}

/** The text of a verifier key, `NAME+ID+BASE64`, for other tools; undefined unless it is an Ed25519 key. */
export function encodeVerifierKey(noteKey: NoteKey): string | undefined {
  const id = noteKeyId(noteKey);
  const material = typedKey(noteKey);
  return id && material && `${noteKey.name}+${encodeHex(id)}+${encodeBase64(material)}`;
}

/** The key that a verifier key's text stands for, or undefined unless its id is that of its name and key. */
export function parseVerifierKey(text: string): NoteKey | undefined {
  const [name = '', , ...base64] = text.split('+');
  const material = parseBase64(base64.join('+'));
  const type = material?.[0] === TYPE_BYTE.signature ? 'signature' : 'cosignature';
  if (material === undefined || !isKeyName(name)) return undefined;
  const noteKey: NoteKey = {
    name,
    type,
    key: { keytype: 'ed25519', scheme: 'ed25519', public: encodeHex(material.slice(1)) },
  };
  return encodeVerifierKey(noteKey) === text ? noteKey : undefined;
}

/** A signature of a key that is known, found valid. */
export type KnownSignature = {
  readonly by: NoteKey;
  /** When a cosignature was made, in seconds since 1970. */
  readonly timeSeconds: number | undefined;
};

/**
 * The valid signatures among those of `known`, each key once.
 * @returns `LOG_SIGNATURE_INVALID` if a signature that names a known key is not of that key; an empty list where none names one.
 */
export function verifyNote(
  note: SignedNote,
  known: readonly NoteKey[],
  check: SignatureCheck,
): Verdict<readonly KnownSignature[], 'LOG_SIGNATURE_INVALID'> {
  const found = new Map<NoteKey, KnownSignature>();
  for (const signature of note.signatures) {
    const by = known.find((key) => names(signature, key));
    if (by === undefined || found.has(by)) continue;
    const timeSeconds = by.type === 'cosignature' ? cosignatureTime(signature.signature) : undefined;
    const raw = by.type === 'cosignature' ? signature.signature.slice(TIME_BYTES) : signature.signature;
    const message = by.type === 'cosignature' ? cosignedText(note.text, timeSeconds ?? 0) : encodeUtf8(note.text);
    const timed = by.type === 'signature' || timeSeconds !== undefined;
    if (!timed || !check(by.key, message, raw)) {
      return reject('LOG_SIGNATURE_INVALID', `${by.name}: a signature that names its key is not of it`);
    }
    found.set(by, { by, timeSeconds });
  }
  return accept([...found.values()]);
}

function names({ name, keyId }: NoteSignature, key: NoteKey): boolean {
  const id = name === key.name ? noteKeyId(key) : undefined;
  return id !== undefined && encodeHex(id) === encodeHex(keyId);
}

/** The time at the head of a cosignature, or undefined beyond 2^53-1 seconds: no witness lives then. */
function cosignatureTime(signature: Uint8Array): number | undefined {
  let time = 0;
  for (const byte of signature.subarray(0, TIME_BYTES)) time = time * 256 + byte;
  return signature.length > TIME_BYTES && Number.isSafeInteger(time) ? time : undefined;
}

/** What an Ed25519 cosigner signs over a checkpoint's text at `timeSeconds`. */
export function cosignedText(text: string, timeSeconds: number): Uint8Array {
  return encodeUtf8(`cosignature/v1\ntime ${timeSeconds}\n${text}`);
}

/** A cosignature as it stands in a note: the time in 8 bytes, big-endian, then the signature. */
export function encodeCosignature(timeSeconds: number, signature: Uint8Array): Uint8Array {
  const time = Array.from(
    { length: TIME_BYTES },
    (_, i) => Math.floor(timeSeconds / 256 ** (TIME_BYTES - 1 - i)) % 256,
  );
  return concatBytes(Uint8Array.from(time), signature);
}

function malformed(detail: string): Verdict<never, 'NOTE_MALFORMED'> {
  return reject('NOTE_MALFORMED', detail);
}
