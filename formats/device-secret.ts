/**
 * The device's own secret, as the factory leaves it in the `identity` region: all its keys come from it.
 *
 * - Only the boot stage reads it; the system gets keys that are derived from it and from what was measured.
 * - Specified in `docs/formats/flash.md`.
 */
import { encodeHex, parseHex } from './bytes.ts';
import { decodeJson, hexText, literal, object } from './decode.ts';
import { DICE_SECRET_BYTES } from './dice.ts';
import { encodeJson } from './encode-json.ts';
import type { JsonValue } from './json.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export const DEVICE_SECRET_BYTES_MAX = 256;

const secretDecoder = object('refused', { version: literal(1), secret: hexText(DICE_SECRET_BYTES) });

/** Parses the payload of the `identity` record. @returns the 32 bytes; a refusal never quotes what was read. */
export function parseDeviceSecret(bytes: Uint8Array): Verdict<Uint8Array, 'DEVICE_SECRET_MISSING'> {
  const record = decodeJson(bytes, DEVICE_SECRET_BYTES_MAX, secretDecoder);
  const secret = record.ok ? parseHex(record.value.secret) : undefined;
  return secret === undefined ? reject('DEVICE_SECRET_MISSING', 'the identity record is not one') : accept(secret);
}

/** The payload of the `identity` record. @param secret 32 random bytes. */
export function encodeDeviceSecret(secret: Uint8Array): Uint8Array {
  return encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['secret', encodeHex(secret)],
    ]),
  );
}
