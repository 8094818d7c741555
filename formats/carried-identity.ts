/**
 * Names of the files in which an identity travels between the signer and a device without network (`docs/formats/identity.md`).
 *
 * - A name says which device, and the digest of the very request that is answered: what lies there from another time answers nothing.
 */
import { sha256Hex } from './sha256.ts';

const SHOWN = 16;

/** What is carried beside the nonce: the device's request, the answer to it, the word that an identity is used. */
export type CarriedKind = 'enrolment' | 'identity' | 'use';

/** The signer's nonce for the device `deviceId`. */
export function carriedNonce(deviceId: string): string {
  return `${deviceId.slice(0, SHOWN)}.nonce`;
}

/** The request `content`, or the answer to it; or the word of a use. */
export function carriedFile(deviceId: string, kind: CarriedKind, content: Uint8Array): string {
  return `${deviceId.slice(0, SHOWN)}-${sha256Hex(content).slice(0, SHOWN)}.${kind}`;
}

/** Whether `name` is a file of that kind about the device. */
export function isCarried(name: string, deviceId: string, kind: CarriedKind): boolean {
  const [start, end] = [`${deviceId.slice(0, SHOWN)}-`, `.${kind}`];
  const middle = name.slice(start.length, name.length - end.length);
  return name.startsWith(start) && name.endsWith(end) && /^[0-9a-f]{16}$/.test(middle);
}
