/**
 * What `firmament-device provision` tells a factory station of a device: the line that its manifest is made from.
 *
 * - It proves nothing; the factory's signature over the manifest does.
 */
import { decodeJson, flag, hexText, literal, object, type DecodeCode, type Decoder } from './decode.ts';
import { DEVICE_KEY_BYTES } from './device-id.ts';
import type { Verdict } from './verdict.ts';

export type Provisioned = {
  readonly deviceId: string;
  /** The factory key, Ed25519, in hex. */
  readonly publicKey: string;
};

const PROVISIONED_BYTES_MAX = 4_096;
const lineDecoder: Decoder<Provisioned> = object('ignored', {
  ok: flag,
  step: literal('provision'),
  deviceId: hexText(32),
  publicKey: hexText(DEVICE_KEY_BYTES),
});

/** Parses the line. */
export function parseProvisioned(bytes: Uint8Array): Verdict<Provisioned, DecodeCode> {
  const line = decodeJson(bytes, PROVISIONED_BYTES_MAX, lineDecoder);
  return line.ok ? { ok: true, value: { deviceId: line.value.deviceId, publicKey: line.value.publicKey } } : line;
}
