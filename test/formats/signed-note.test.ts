/** Signed notes: the specification's example, one spelling for each, and signatures that count only for their own key. */
import { expect, test } from 'vitest';
import { encodeUtf8, parseUtf8 } from '../../formats/bytes.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import {
  cosignedText,
  encodeCosignature,
  encodeSignedNote,
  encodeVerifierKey,
  NOTE_BYTES_MAX,
  NOTE_SIGNATURES_MAX,
  noteKeyId,
  parseSignedNote,
  parseVerifierKey,
  verifyNote,
  type NoteKey,
  type NoteSignature,
  type SignedNote,
} from '../../formats/signed-note.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { noteSignature } from '../tiny-log.ts';

/** The example of C2SP signed-note 1.0.0, and its verifier key. */
const EXAMPLE_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const EXAMPLE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;
const TEXT = 'what is said\n\nin two paragraphs\n';
const ALICE: NoteKey = { name: 'alice.example', type: 'signature', key: seededSigner('alice').key };
const WALTER: NoteKey = { name: 'walter.example', type: 'cosignature', key: seededSigner('walter').key };

const byAlice = (text = TEXT): Promise<NoteSignature> =>
  noteSignature(text, ALICE.name, { signer: seededSigner('alice'), type: 'signature' });
const byWalter = (text = TEXT): Promise<NoteSignature> =>
  noteSignature(text, WALTER.name, { signer: seededSigner('walter'), type: 'cosignature' });
const keysOf = (note: SignedNote, known: readonly NoteKey[]): readonly string[] =>
  accepted(verifyNote(note, known, checkSignaturePortable)).map(({ by }) => by.name);

test('the example of the specification is read, verified and written as it stands there', () => {
  const key = parseVerifierKey(EXAMPLE_KEY);
  const note = accepted(parseSignedNote(encodeUtf8(EXAMPLE)));
  expect(key && keysOf(note, [key])).toEqual(['example.com/foo']);
  expect(parseUtf8(encodeSignedNote(note))).toBe(EXAMPLE);
  expect(key && encodeVerifierKey(key)).toBe(EXAMPLE_KEY);
});

test('a verifier key whose id, type or key was altered is none', () => {
  for (const [from, to] of [
    ['530d903a', '530d903b'],
    ['foo', 'bar'],
    ['AekyeR', 'Aukyek'],
    ['U2k', 'U2l'],
    ['+AekyeRrm', '+BekyeRrm'],
    ['example.com', 'example com'],
    ['+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', ''],
  ] as const) {
    expect(parseVerifierKey(EXAMPLE_KEY.replace(from, to)), to).toBeUndefined();
  }
});

test('the text reaches to the last empty line: signatures are over all of it', async () => {
  const note = { text: TEXT, signatures: [await byAlice()] };
  const read = accepted(parseSignedNote(encodeSignedNote(note)));
  expect(read).toEqual(note);
  expect(keysOf(read, [ALICE])).toEqual([ALICE.name]);
  const shorter = { ...read, text: 'what is said\n' };
  expect(verifyNote(shorter, [ALICE], checkSignaturePortable)).toMatchObject({ code: 'LOG_SIGNATURE_INVALID' });
});

test('a signature of an unknown key is ignored, under whatever name it stands', async () => {
  const mallory = await noteSignature(TEXT, ALICE.name, { signer: seededSigner('mallory'), type: 'signature' });
  const note = { text: TEXT, signatures: [mallory, await byAlice()] };
  expect(keysOf(note, [ALICE])).toEqual([ALICE.name]);
  expect(keysOf({ ...note, signatures: [mallory] }, [ALICE])).toEqual([]);
});

test('a signature that names a known key and is not of it spoils the note, beside whatever valid ones', async () => {
  const other = await byAlice('something else\n');
  const note = { text: TEXT, signatures: [await byWalter(), other] };
  expect(verifyNote(note, [ALICE, WALTER], checkSignaturePortable)).toMatchObject({ code: 'LOG_SIGNATURE_INVALID' });
});

test('a key counts once, however often it has signed', async () => {
  const note = { text: TEXT, signatures: [await byAlice(), await byAlice(), await byWalter()] };
  expect(keysOf(note, [ALICE, WALTER])).toEqual([ALICE.name, WALTER.name]);
});

test('a cosignature tells its time, and another time makes it a forgery', async () => {
  const [signature] = [await byWalter()];
  const found = accepted(verifyNote({ text: TEXT, signatures: [signature] }, [WALTER], checkSignaturePortable));
  expect(found).toEqual([{ by: WALTER, timeSeconds: 1_893_456_000 }]);
  const later = { ...signature, signature: encodeCosignature(1_893_456_001, signature.signature.slice(8)) };
  expect(verifyNote({ text: TEXT, signatures: [later] }, [WALTER], checkSignaturePortable)).toMatchObject({
    code: 'LOG_SIGNATURE_INVALID',
  });
  const never = { ...signature, signature: signature.signature.map((byte, i) => (i < 8 ? 255 : byte)) };
  expect(verifyNote({ text: TEXT, signatures: [never] }, [WALTER], checkSignaturePortable)).toMatchObject({
    code: 'LOG_SIGNATURE_INVALID',
  });
});

test('a cosignature is no signature, and a signature no cosignature, even by one key', async () => {
  const signer = seededSigner('walter');
  const asSignature: NoteKey = { ...WALTER, type: 'signature' };
  const cosigned = { text: TEXT, signatures: [await byWalter()] };
  expect(keysOf(cosigned, [asSignature])).toEqual([]);
  expect(noteKeyId(asSignature)).not.toEqual(noteKeyId(WALTER));
  const raw = await signer.sign(cosignedText(TEXT, 5));
  const keyId = noteKeyId(asSignature) ?? new Uint8Array();
  const disguised = { text: TEXT, signatures: [{ name: WALTER.name, keyId, signature: raw }] };
  expect(verifyNote(disguised, [asSignature], checkSignaturePortable)).toMatchObject({ code: 'LOG_SIGNATURE_INVALID' });
});

test('a key that is not Ed25519 signs no note', async () => {
  const other: NoteKey = { ...ALICE, key: { ...ALICE.key, keytype: 'ecdsa' } };
  expect(noteKeyId(other)).toBeUndefined();
  expect(encodeVerifierKey(other)).toBeUndefined();
  expect(keysOf({ text: TEXT, signatures: [await byAlice()] }, [other])).toEqual([]);
});

test('what is not exactly a note is none', async () => {
  const good = parseUtf8(encodeSignedNote({ text: TEXT, signatures: [await byAlice()] })) ?? '';
  const dash = good.indexOf('— ');
  const bad = [
    '',
    '\n',
    TEXT,
    good.slice(0, -1),
    `${good}\n`,
    `${good}trailing\n`,
    good.replace('— ', '- '),
    good.replace('alice.example', 'alice example'),
    good.replace('alice.example', 'alice+example'),
    good.replace('alice.example', 'alice\u00a0example'),
    good.replace('alice.example', ''),
    good.replace('said', 'said\r'),
    good.replace('said', 'said\t'),
    good.replace('=\n', '\n'),
    `${good.slice(0, dash)}— alice.example AAAA\n`,
    `${good.slice(0, dash)}— alice.example AAAAAA==\n`,
  ];
  for (const text of bad) {
    expect(parseSignedNote(encodeUtf8(text)), JSON.stringify(text)).toMatchObject({
      ok: false,
      code: 'NOTE_MALFORMED',
    });
  }
});

test('a note has at most the signatures and bytes of the limit', async () => {
  const signature = await byAlice();
  const many = (count: number): Uint8Array =>
    encodeSignedNote({ text: TEXT, signatures: Array.from({ length: count }, () => signature) });
  expect(parseSignedNote(many(NOTE_SIGNATURES_MAX)).ok).toBe(true);
  expect(parseSignedNote(many(NOTE_SIGNATURES_MAX + 1))).toMatchObject({ code: 'NOTE_MALFORMED' });
  const base = encodeSignedNote({ text: '\n', signatures: [signature] }).length;
  const long = (length: number): Uint8Array =>
    encodeSignedNote({ text: `${'x'.repeat(length - base)}\n`, signatures: [signature] });
  expect(parseSignedNote(long(NOTE_BYTES_MAX)).ok).toBe(true);
  expect(parseSignedNote(long(NOTE_BYTES_MAX + 1))).toMatchObject({ code: 'NOTE_MALFORMED' });
});
