/** What the engine brings along answers as the portable code does, on any input. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeHex } from '../../formats/bytes.ts';
import { hostDecoder, hostEncoder, hostHash } from '../../formats/host.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { encodeUtf8, parseUtf8 } from '../../formats/utf8.ts';

const PORTABLE = fileURLToPath(new URL('./portable-answers.ts', import.meta.url));
const COUNT = 3000;
const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
/** Long enough for the engine's encoder, and short enough for ours; half of them have lone surrogates. */
const anyText = fc.oneof(fc.string({ unit, maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 200 }));
const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), anyText.map(encodeUtf8));
const ODD = [
  [0x80],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x82],
  [0xef, 0xbb, 0xbf, 0x61],
];

test('digests, texts and bytes are those of the portable code', () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const bytes = [...ODD.map((each) => Uint8Array.from(each)), ...fc.sample(anyBytes, { seed, numRuns: COUNT })];
  const texts = fc.sample(anyText, { seed, numRuns: COUNT });
  const input = JSON.stringify({ bytes: bytes.map(encodeHex), texts });
  const ran = spawnSync(process.execPath, [PORTABLE], { input, encoding: 'utf8', maxBuffer: 64_000_000 });
  expect(ran.status, ran.stderr).toBe(0);
  const portable = JSON.parse(ran.stdout) as Record<'digests' | 'texts' | 'bytes', readonly (string | null)[]>;
  expect([hostDecoder, hostEncoder, hostHash]).not.toContain(undefined);
  expect(portable, `seed ${seed}`).toEqual({
    isBare: true,
    digests: bytes.map(sha256Hex),
    texts: bytes.map((each) => parseUtf8(each) ?? null),
    bytes: texts.map((text) => encodeHex(encodeUtf8(text))),
  });
});
