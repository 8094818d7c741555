/**
 * The digests by which TUF metadata name a file (TUF specification 1.0.34, sections 4.4 and 4.5).
 *
 * - SHA-256 and SHA-512 are known; every known one that is listed must fit. Others are ignored beside a known one.
 *   How an unknown one is written is its own affair.
 * - Where only unknown ones are listed, no file fits: a digest that cannot be checked vouches for nothing.
 */
import { mapOf, refine, shape, text, type Decoder, type ShapeCode } from './decode.ts';
import type { JsonValue } from './json.ts';
import { sha256Hex } from './sha256.ts';
import { sha512Hex } from './sha512.ts';
import { accept, type Verdict } from './verdict.ts';

/** Digests in lower-case hex. */
export type FileHashes = {
  readonly sha256: string | undefined;
  readonly sha512?: string | undefined;
  /** What is listed where none of it is by an algorithm that is known here. */
  readonly unknown?: ReadonlyMap<string, string>;
};

/** A member `hashes`: algorithms by name, at least one. */
export const hashesDecoder: Decoder<FileHashes> = refine(mapOf(text(64), text(256), 8), knownHashes);

const HEX = /^[0-9a-f]+$/;

function knownHashes(hashes: ReadonlyMap<string, string>): Verdict<FileHashes, ShapeCode> {
  const [sha256, sha512] = [hashes.get('sha256'), hashes.get('sha512')];
  if (hashes.size === 0) return shape('a hash is expected');
  for (const [name, hex, length] of [
    ['sha256', sha256, 64],
    ['sha512', sha512, 128],
  ] as const) {
    if (hex !== undefined && !(hex.length === length && HEX.test(hex))) {
      return shape(`.${name}: ${length} characters of lower-case hex are expected`);
    }
  }
  if (sha256 === undefined && sha512 === undefined) return accept({ sha256, unknown: hashes });
  return accept(sha512 === undefined ? { sha256 } : { sha256, sha512 });
}

/** Whether `bytes` has every digest that is listed; where none is, any bytes have. */
export function matchesHashes(bytes: Uint8Array, hashes: FileHashes): boolean {
  if (hashes.unknown !== undefined) return false;
  if (hashes.sha256 !== undefined && sha256Hex(bytes) !== hashes.sha256) return false;
  return hashes.sha512 === undefined || sha512Hex(bytes) === hashes.sha512;
}

/** The member `hashes`, or undefined where none is listed. */
export function hashesToJson({ sha256, sha512, unknown }: FileHashes): JsonValue | undefined {
  if (unknown !== undefined) return unknown;
  const members = Object.entries({ sha256, sha512 }).flatMap(([name, hex]) =>
    hex === undefined ? [] : [[name, hex] as const],
  );
  return members.length === 0 ? undefined : new Map(members);
}
