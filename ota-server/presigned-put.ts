/**
 * The address at which an object may be put into a bucket once, with these very bytes: AWS Signature Version 4 in the query.
 *
 * - Signed with the address are the fields Content-Length, If-None-Match and x-amz-checksum-sha256: the store refuses other lengths
 *   before the body, other bytes after it, and leaves alone what stands there. Clients of S3 sign none of these by themselves.
 * - The secret signs and is never part of the address.
 * - Source: Amazon S3 API reference, "Authenticating requests: using query parameters (AWS Signature Version 4)".
 */
import assert from 'node:assert';
import { createHmac } from 'node:crypto';
import { encodeHex, encodeUtf8 } from '../formats/bytes.ts';
import type { Instant } from '../formats/instant.ts';
import { sha256Hex } from '../formats/sha256.ts';

export type PresignAccess = {
  /** `http://HOST:PORT` or `https://HOST`, as the client will say it in Host. */
  readonly origin: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
};
export type SignedAddress = {
  readonly method: string;
  /** From the root of the origin. */
  readonly path: string;
  /** Fields that must be sent, by names in lower case; Host is added. */
  readonly fields: ReadonlyMap<string, string>;
  readonly expiresSeconds: number;
};

const ALGORITHM = 'AWS4-HMAC-SHA256';
/** What needs no encoding in a path. */
const PATH = /^(\/[A-Za-z0-9._-]+)+$/;
const EXPIRES_SECONDS_MAX = 604_800;

/** The address of an object, good for one method with these fields, from `now` on. */
export function presignAddress(access: PresignAccess, signed: SignedAddress, now: Instant): string {
  const { method, path, expiresSeconds } = signed;
  assert(PATH.test(path) && expiresSeconds > 0 && expiresSeconds <= EXPIRES_SECONDS_MAX, 'a path of ours, for a while');
  const time = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${time.slice(0, 8)}/${access.region}/s3/aws4_request`;
  const fields = new Map([...signed.fields, ['host', new URL(access.origin).host] as const]);
  const names = [...fields.keys()].sort();
  const query = [
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${access.accessKey}/${scope}`],
    ['X-Amz-Date', time],
    ['X-Amz-Expires', String(expiresSeconds)],
    ['X-Amz-SignedHeaders', names.join(';')],
  ]
    .map(([key = '', value = '']) => `${key}=${encodeURIComponent(value)}`)
    .join('&');
  const lines = names.map((field) => `${field}:${fields.get(field) ?? ''}`);
  const request = [method, path, query, ...lines, '', names.join(';'), 'UNSIGNED-PAYLOAD'].join('\n');
  const text = [ALGORITHM, time, scope, sha256Hex(encodeUtf8(request))].join('\n');
  return `${access.origin}${path}?${query}&X-Amz-Signature=${encodeHex(hmac(signingKey(access, scope), text))}`;
}

function signingKey({ secretKey }: PresignAccess, scope: string): Uint8Array {
  return scope.split('/').reduce((key, part) => hmac(key, part), encodeUtf8(`AWS4${secretKey}`));
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return Uint8Array.from(createHmac('sha256', key).update(encodeUtf8(text)).digest());
}
