/**
 * The answers of the portable code, in a process whose engine seems to bring nothing along: JSON in, JSON out.
 *
 * - It reads `{ bytes: hex[], texts: string[] }` and prints a digest and a text for each of the bytes, and bytes for each text.
 */
import { readFileSync } from 'node:fs';

Object.defineProperty(process, 'getBuiltinModule', { value: undefined });
const { encodeUtf8, parseUtf8 } = await import('../../formats/utf8.ts');
const { sha256Hex } = await import('../../formats/sha256.ts');
const { hostDecoder, hostEncoder, hostHash } = await import('../../formats/host.ts');

const given = JSON.parse(readFileSync(0, 'utf8')) as {
  readonly bytes: readonly string[];
  readonly texts: readonly string[];
};
const bytes = given.bytes.map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));
process.stdout.write(
  JSON.stringify({
    isBare: [hostDecoder, hostEncoder, hostHash].every((part) => part === undefined),
    digests: bytes.map(sha256Hex),
    texts: bytes.map((each) => parseUtf8(each) ?? null),
    bytes: given.texts.map((text) => Buffer.from(encodeUtf8(text)).toString('hex')),
  }),
);
