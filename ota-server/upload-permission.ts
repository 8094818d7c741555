/**
 * The permission in the address of an upload to the control plane itself: an HMAC over what may be put there.
 *
 * - It binds name, length, SHA-256 and expiry together; none of them can be changed alone, nor one taken for part of another.
 * - The key is made when the process starts, never leaves it, and opens nothing else: with it one could write what a proposal
 *   names by digest already. No device and no relying party trusts it.
 * - Compared in constant time.
 * - Source: RFC 2104 (HMAC), with SHA-256.
 */
import { createHmac } from 'node:crypto';
import { encodeHex, encodeUtf8, equalBytes, parseHex } from '../formats/bytes.ts';
import type { Instant } from '../formats/instant.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import type { UploadOrder } from './upload-desk.ts';

/** Bytes of the key. */
export const UPLOAD_KEY_BYTES = 32;
const QUERY = /^length=([1-9][0-9]{0,15})&sha256=([0-9a-f]{64})&until=([1-9][0-9]{0,14})&permission=([0-9a-f]{64})$/;

/** The query of the address for `order`. */
export function encodePermission(key: Uint8Array, order: UploadOrder): string {
  const { length, sha256, until } = order;
  return `length=${length}&sha256=${sha256}&until=${until}&permission=${encodeHex(mac(key, order))}`;
}

/** What may be put at `name` by the permission in `query`, if it is one of ours and its time is not over. */
export function verifyPermission(
  key: Uint8Array,
  { name, query }: { readonly name: string; readonly query: string },
  now: Instant,
): Verdict<UploadOrder, 'UPLOAD_REFUSED' | 'UPLOAD_EXPIRED'> {
  const [, length = '', sha256 = '', until = '', permission = ''] = QUERY.exec(query) ?? [];
  const order = { name, length: Number(length), sha256, until: Number(until) };
  const given = parseHex(permission);
  if (given === undefined || !equalBytes(given, mac(key, order))) {
    return reject('UPLOAD_REFUSED', 'the permission is not of this address');
  }
  return order.until > now ? accept(order) : reject('UPLOAD_EXPIRED', 'the time of this address is over');
}

function mac(key: Uint8Array, { name, length, sha256, until }: UploadOrder): Uint8Array {
  const text = ['firmament-upload-v1', name, length, sha256, until].join('\n');
  return Uint8Array.from(createHmac('sha256', key).update(encodeUtf8(text)).digest());
}
