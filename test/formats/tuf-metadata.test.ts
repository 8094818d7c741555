/** What all metadata files share: the signed bytes, what is ignored, and what is read of the head. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { encodeHex, encodeUtf8, equalBytes, parseUtf8 } from '../../formats/bytes.ts';
import { encodeCanonicalJson } from '../../formats/canonical-json.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import { encodeMetadata, headToJson, openMetadata } from '../../formats/tuf-metadata.ts';
import { parseRoot, rootToJson, ROOT_BYTES_MAX } from '../../formats/tuf-root.ts';
import { parseTimestamp } from '../../formats/tuf-snapshot.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { verifyThreshold } from '../../formats/verify-signatures.ts';
import { accepted } from '../accepted.ts';
import {
  edited,
  headOf,
  SAMPLE_EXPIRES,
  SAMPLE_FILES,
  SAMPLE_ROOT,
  SAMPLE_SIGNERS,
  signedBy,
} from './sample-repository.ts';

const ROOT = SAMPLE_FILES['1.root.json'];
const TIMESTAMP = SAMPLE_FILES['timestamp.json'];

function textOf(bytes: Uint8Array): string {
  return parseUtf8(bytes) ?? '';
}

test('the signed bytes are the canonical JSON of the signed part, however the file is laid out', () => {
  const { signedBytes } = accepted(parseRoot(ROOT));
  expect(textOf(ROOT)).toContain(textOf(signedBytes));
  const plain = JSON.parse(textOf(ROOT)) as { signed: Record<string, unknown>; signatures: unknown };
  const reversed = Object.fromEntries(Object.entries(plain.signed).reverse());
  const laidOut = encodeUtf8(JSON.stringify({ signed: reversed, signatures: plain.signatures }, undefined, 2));
  expect(equalBytes(laidOut, ROOT)).toBe(false);
  expect(accepted(parseRoot(laidOut)).signedBytes).toEqual(signedBytes);
});

test('unknown members are ignored by the reader and covered by the signature, wherever they stand', () => {
  const { signed, signedBytes } = accepted(parseRoot(ROOT));
  const places = [
    ['signed'],
    ['signed', 'roles'],
    ['signed', 'roles', 'root'],
    ['signed', 'keys', [...signed.keys.keys()][0] ?? ''],
  ];
  for (const place of places) {
    const more = accepted(parseRoot(edited(ROOT, [...place, 'x-unknown'], { deep: [null, true, 'é', -1] })));
    expect(more.signed, place.join('.')).toEqual(signed);
    expect(equalBytes(more.signedBytes, signedBytes), place.join('.')).toBe(false);
    expect(textOf(more.signedBytes)).toContain('"x-unknown":{"deep":[null,true,"é",-1]}');
  }
});

test('members beside the signed part, and of a signature, are ignored and under no signature', () => {
  const { signed, signedBytes, signatures } = accepted(parseRoot(ROOT));
  for (const place of [['x-unknown'], ['signatures', 0, 'x-unknown']]) {
    expect(accepted(parseRoot(edited(ROOT, place, 1)))).toEqual({ signed, signedBytes, signatures });
  }
});

test('members sort by code point in the signed bytes: an astral name stands after every other', () => {
  const names = ['\u{1f600}', '\uffff', '\ue000', 'z', 'é', ''];
  const file = edited(ROOT, ['signed', 'firmament'], Object.fromEntries(names.map((name) => [name, 1])));
  expect(textOf(accepted(parseRoot(file)).signedBytes)).toContain(
    '"firmament":{"":1,"z":1,"é":1,"\ue000":1,"\uffff":1,"\u{1f600}":1}',
  );
});

test('the signed bytes escape quote and backslash alone: a line end stands as it is', () => {
  const file = edited(ROOT, ['signed', 'firmament'], { text: '"\\/\n\u007f' });
  expect(textOf(accepted(parseRoot(file)).signedBytes)).toContain('"text":"\\"\\\\/\n\u007f"');
});

test('integers are read exactly up to 2^53-1', () => {
  for (const version of [1, 2, Number.MAX_SAFE_INTEGER]) {
    expect(accepted(parseRoot(edited(ROOT, ['signed', 'version'], version))).signed.version).toBe(version);
  }
});

test('every version 1 of the specification is read', () => {
  for (const version of ['1.0', '1.0.34', '1.0.0', '1.99', '1.2.345']) {
    expect(parseRoot(edited(ROOT, ['signed', 'spec_version'], version)).ok, version).toBe(true);
  }
});

test('a part without a member firmament is read: whether it must be bound is decided elsewhere', () => {
  expect(accepted(parseRoot(edited(ROOT, ['signed', 'firmament'], undefined))).signed.firmament).toBeUndefined();
});

test('a file without signatures is read and trusted by nobody', () => {
  expect(accepted(parseRoot(edited(ROOT, ['signatures'], []))).signatures).toEqual([]);
});

test('metadata of one type is never read in place of another', () => {
  expect(parseTargets(ROOT)).toMatchObject({ ok: false, code: 'METADATA_TYPE_MISMATCH' });
  expect(parseRoot(SAMPLE_FILES['1.stable.json'])).toMatchObject({ ok: false, code: 'METADATA_TYPE_MISMATCH' });
  expect(parseTimestamp(SAMPLE_FILES['1.snapshot.json'])).toMatchObject({ ok: false, code: 'METADATA_TYPE_MISMATCH' });
});

test('a refusal names the place of the fault', () => {
  const threshold = parseRoot(edited(ROOT, ['signed', 'roles', 'root', 'threshold'], 0));
  expect(threshold).toMatchObject({
    detail: expect.stringMatching(/^\.signed\.roles\.root\.threshold: an integer/) as string,
  });
  const keyid = parseRoot(edited(ROOT, ['signatures', 1, 'keyid'], ''));
  expect(keyid).toMatchObject({ detail: expect.stringMatching(/^\.signatures\[1\]\.keyid: a string/) as string });
});

test('the head is written with the version of the specification that is followed', () => {
  expect(textOf(encodeCanonicalJson(headToJson(headOf('root'))))).toBe(
    '{"_type":"root","expires":"2030-01-01T00:00:00Z","spec_version":"1.0.34","version":1}',
  );
  expect(accepted(parseTimestamp(TIMESTAMP)).signed.expires).toBe(SAMPLE_EXPIRES);
});

test('a written file is compact, and holds the signed bytes as they were signed', () => {
  const signed = new Map([
    ['b', 1],
    ['a', 2],
  ]);
  const file = encodeMetadata(signed, [{ keyid: 'k', sig: Uint8Array.of(0, 255) }]);
  expect(textOf(file)).toBe('{"signatures":[{"keyid":"k","sig":"00ff"}],"signed":{"a":2,"b":1}}');
});

test('a key in PEM has line ends, which the signed bytes hold as they are and the file escapes: it is read back whole', async () => {
  const pem = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';
  const keys = new Map([
    ...SAMPLE_ROOT.keys,
    ['hsm', { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', public: pem }],
  ]);
  const root = { ...headOf('root'), ...SAMPLE_ROOT, keys };
  const parsed = accepted(parseRoot(await signedBy(rootToJson(root), SAMPLE_SIGNERS.root)));
  expect(parsed.signed).toEqual(root);
  expect(textOf(parsed.signedBytes)).toContain(pem);
  const role = { name: 'root', keys, ...root.roles.root };
  expect(verifyThreshold(parsed, role, checkSignaturePortable)).toEqual({ ok: true, value: 2 });
});

test('a file that is opened to sign it gives its signatures as parsers give them, and its signed part whole', () => {
  const file = edited(edited(ROOT, ['signed', 'x-unknown'], 1), ['signatures', 0, 'sig'], '');
  const opened = accepted(openMetadata(file, ROOT_BYTES_MAX));
  const parsed = accepted(parseRoot(file));
  expect(opened.signatures).toEqual(parsed.signatures);
  expect(opened.signatures[0]?.sig).toBeUndefined();
  expect(encodeCanonicalJson(opened.signed)).toEqual(parsed.signedBytes);
  expect(openMetadata(file, file.length - 1)).toMatchObject({ ok: false, code: 'JSON_TOO_LARGE' });
  expect(openMetadata(edited(ROOT, ['signed'], []), ROOT_BYTES_MAX)).toMatchObject({
    ok: false,
    code: 'SHAPE_MALFORMED',
  });
});

test('the repository is named by the digest of the first root as it is published', () => {
  const { firmament } = accepted(parseTimestamp(TIMESTAMP)).signed;
  expect(firmament?.get('root')).toBe(createHash('sha256').update(ROOT).digest('hex'));
  expect(encodeHex(accepted(parseRoot(ROOT)).signatures[0]?.sig ?? new Uint8Array())).toHaveLength(128);
});
