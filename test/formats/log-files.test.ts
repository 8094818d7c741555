/** The static files of a log, byte by byte: names, tiles, bundles, entries, checkpoints and proofs. */
import { expect, test } from 'vitest';
import { encodeUtf8, parseUtf8 } from '../../formats/bytes.ts';
import { checkpointText, parseCheckpoint } from '../../formats/checkpoint.ts';
import { encodeLogLeaf, LEAF_BYTES_MAX, parseLogLeaf, type LogLeaf } from '../../formats/log-leaf.ts';
import { encodeLogProof, LOG_PROOF_BYTES_MAX, parseLogProof } from '../../formats/log-proof.ts';
import {
  BUNDLE_BYTES_MAX,
  edgeBundle,
  encodeEntryBundle,
  encodeTile,
  ENTRY_BYTES_MAX,
  parseEntryBundle,
  parseTile,
  TILE_BYTES_MAX,
  TILE_WIDTH,
  tileName,
} from '../../formats/log-tiles.ts';
import { emptyRoot, PROOF_HASHES_MAX } from '../../formats/merkle.ts';
import { accepted } from '../accepted.ts';
import { LOG_ORIGIN, logOf, signedCheckpoint, signedProof } from '../tiny-log.ts';

const SHA256 = 'ab'.repeat(32);
const ROOT: LogLeaf = { type: 'root', product: 'gateway', root: SHA256, version: 2, sha256: SHA256 };
const RELEASE: LogLeaf = {
  type: 'release',
  product: 'gateway',
  root: SHA256,
  channel: 'stable',
  version: 3,
  sha256: SHA256,
  release: '1.0.0',
};
const LOG = logOf([ROOT, RELEASE], 3);
const TEXT = new TextDecoder();
const edited = (bytes: Uint8Array, from: string, to: string): Uint8Array => {
  const text = parseUtf8(bytes) ?? '';
  expect(text).toContain(from);
  return encodeUtf8(text.replace(from, to));
};

test('tiles are named as C2SP tlog-tiles names them', () => {
  expect(tileName({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
  expect(tileName({ level: 5, index: 0, width: 7 })).toBe('tile/5/000.p/7');
  expect(tileName({ level: 'entries', index: 1000, width: 255 })).toBe('tile/entries/x001/000.p/255');
  expect(edgeBundle(512)).toBeUndefined();
  expect(edgeBundle(513)).toEqual({ level: 'entries', index: 2, width: 1 });
});

test('a tile has exactly the hashes that its name says, at most 256', () => {
  const hashes = Array.from({ length: TILE_WIDTH }, emptyRoot);
  expect(accepted(parseTile(encodeTile(hashes), TILE_WIDTH))).toEqual(hashes);
  const code = 'LOG_TILE_MALFORMED';
  expect(encodeTile(hashes).length).toBe(TILE_BYTES_MAX);
  expect(parseTile(encodeTile(hashes), 255)).toMatchObject({ ok: false, code });
  expect(parseTile(encodeTile([...hashes, emptyRoot()]), TILE_WIDTH + 1)).toMatchObject({ ok: false, code });
  expect(parseTile(new Uint8Array(), 0)).toMatchObject({ ok: false, code });
});

test('a bundle has exactly the entries that its name says, each of at most 65535 bytes', () => {
  const entries = [new Uint8Array(), new Uint8Array(ENTRY_BYTES_MAX).fill(7)];
  const bytes = encodeEntryBundle(entries);
  const [, longest = new Uint8Array()] = entries;
  expect(encodeEntryBundle(Array.from({ length: TILE_WIDTH }, () => longest)).length).toBe(BUNDLE_BYTES_MAX);
  expect(accepted(parseEntryBundle(bytes, 2))).toEqual(entries);
  const code = 'LOG_TILE_MALFORMED';
  for (const [cut, width] of [
    [bytes, 1],
    [bytes, 3],
    [bytes.slice(0, -1), 2],
    [new Uint8Array(), 0],
  ] as const) {
    expect(parseEntryBundle(cut, width)).toMatchObject({ ok: false, code });
  }
  expect(() => encodeEntryBundle([new Uint8Array(ENTRY_BYTES_MAX + 1)])).toThrow(RangeError);
});

test('entries are canonical JSON of a known type, and anything else is no entry', () => {
  for (const leaf of [ROOT, RELEASE]) expect(accepted(parseLogLeaf(encodeLogLeaf(leaf)))).toEqual(leaf);
  const release = encodeLogLeaf(RELEASE);
  expect(TEXT.decode(release)).toBe(
    `{"channel":"stable","product":"gateway","release":"1.0.0","root":"${SHA256}","sha256":"${SHA256}","type":"release","version":3}`,
  );
  for (const [from, to] of [
    ['"release",', '"plan",'],
    ['{', '{ '],
    ['"version":3', '"version":3,"z":1'],
    ['"channel":"stable",', ''],
    ['"version":3', '"version":0'],
    ['{"channel":"stable","product":"gateway"', '{"product":"gateway","channel":"stable"'],
  ] as const) {
    expect(parseLogLeaf(edited(release, from, to)), to).toMatchObject({ ok: false, code: 'LOG_LEAF_MALFORMED' });
  }
  expect(encodeLogLeaf({ ...RELEASE, version: Number.MAX_SAFE_INTEGER }).length).toBeLessThan(LEAF_BYTES_MAX);
});

test('a checkpoint is three lines over signatures, and nothing more', async () => {
  const bytes = await signedCheckpoint(LOG);
  const checkpoint = accepted(parseCheckpoint(bytes));
  expect(checkpoint).toMatchObject({ origin: LOG_ORIGIN, ...LOG.head });
  expect(checkpoint.note.text).toBe(checkpointText({ ...LOG.head, origin: LOG_ORIGIN }));
  for (const [from, to] of [
    ['\n5\n', '\n05\n'],
    ['\n5\n', '\n-5\n'],
    ['\n5\n', '\n9007199254740992\n'],
    ['\n5\n', '\n5\n\n'],
    ['\n5\n', '\n'],
    ['\n\n', '\nextension\n\n'],
    [LOG_ORIGIN, 'log example'],
    [LOG_ORIGIN, ''],
    ['\n\n', '\n'],
  ] as const) {
    expect(parseCheckpoint(edited(bytes, from, to)), to).toMatchObject({ ok: false, code: 'CHECKPOINT_MALFORMED' });
  }
});

test('a proof is header, index, hashes and the checkpoint as signed, and nothing more', async () => {
  const bytes = await signedProof(LOG, 4);
  const proof = accepted(parseLogProof(bytes));
  expect(proof).toMatchObject({ index: 4, checkpoint: await signedCheckpoint(LOG) });
  expect(TEXT.decode(bytes).split('\n').slice(0, 2)).toEqual(['c2sp.org/tlog-proof@v1', 'index 4']);
  for (const [from, to] of [
    ['proof@v1', 'proof@v2'],
    ['index 4', 'index 04'],
    ['index 4', 'extra AAAA\nindex 4'],
    ['index 4\n', 'index 4\nAAAA\n'],
    ['index 4\n', ''],
  ] as const) {
    expect(parseLogProof(edited(bytes, from, to)), to).toMatchObject({ ok: false, code: 'LOG_PROOF_MALFORMED' });
  }
  expect(parseLogProof(encodeUtf8('c2sp.org/tlog-proof@v1\nindex 4'))).toMatchObject({ code: 'LOG_PROOF_MALFORMED' });
});

test('a proof has as many hashes as the largest log needs, and no more', () => {
  const checkpoint = encodeUtf8('checkpoint');
  const proof = (count: number): Uint8Array =>
    encodeLogProof({
      index: Number.MAX_SAFE_INTEGER,
      hashes: Array.from({ length: count }, emptyRoot),
      checkpoint,
    });
  expect(accepted(parseLogProof(proof(PROOF_HASHES_MAX))).hashes.length).toBe(PROOF_HASHES_MAX);
  expect(parseLogProof(proof(PROOF_HASHES_MAX + 1))).toMatchObject({ code: 'LOG_PROOF_MALFORMED' });
  expect(parseLogProof(new Uint8Array(LOG_PROOF_BYTES_MAX + 1))).toMatchObject({ code: 'LOG_PROOF_MALFORMED' });
});
