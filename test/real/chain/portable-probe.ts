/** What is bundled into a page to compare engines: only `formats/`, and nothing of any host. */
import { concatBytes, encodeUtf8, parseHex } from '../../../formats/bytes.ts';
import { encodeCanonicalJson } from '../../../formats/canonical-json.ts';
import { verifyEd25519 } from '../../../formats/ed25519.ts';
import { parseJson } from '../../../formats/json.ts';
import { sha256Hex } from '../../../formats/sha256.ts';

const PUBLIC_KEY = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
const SIGNATURE =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';

/** SHA-256 of the canonical form of JSON `text`, or the code and the place with which it is refused. */
export function canonicalOf(text: string): string {
  const parsed = parseJson(encodeUtf8(text), { bytesMax: 100_000 });
  return parsed.ok ? sha256Hex(encodeCanonicalJson(parsed.value)) : `refused ${parsed.code} ${parsed.detail}`;
}

/** Whether the second vector of RFC 8032 section 7.1 is valid here. */
export function vectorHolds(): boolean {
  return verifyEd25519(bytesOf(SIGNATURE), Uint8Array.of(0x72), bytesOf(PUBLIC_KEY));
}

/** Whether one signature for every message, under the neutral point as key, is taken here. */
export function smallOrderForgeryHolds(): boolean {
  const neutral = bytesOf(`01${'00'.repeat(31)}`);
  return verifyEd25519(concatBytes(neutral, new Uint8Array(32)), encodeUtf8('any message'), neutral);
}

function bytesOf(hex: string): Uint8Array {
  return parseHex(hex) ?? new Uint8Array();
}
