/** What is handed to the signer arrives as it was sent, or not at all. */
import { expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '../../formats/bytes.ts';
import {
  encodePublishRequest,
  parsePublishRequest,
  PARTS_MAX,
  type RequestPart,
} from '../../formats/publish-request.ts';

const part = (kind: RequestPart['kind'], bytes: string, name?: string): RequestPart => ({
  kind,
  name,
  bytes: encodeUtf8(bytes),
});
const refused = { ok: false, code: 'REQUEST_MALFORMED' };
const withHead = (head: string, rest = ''): Uint8Array =>
  concatBytes(Uint8Array.of(0, 0, 0, head.length), encodeUtf8(head), encodeUtf8(rest));

test('every part arrives with its kind, name and bytes', () => {
  const parts = [part('root', 'r'), part('targets', ''), part('channel', 'c', 'stable'), part('file', 'image')];
  parts.push(part('event', 'draft'), part('withdrawn', 'other'));
  expect(parsePublishRequest(encodePublishRequest(parts))).toEqual({ ok: true, value: parts });
  expect(parsePublishRequest(encodePublishRequest([]))).toEqual({ ok: true, value: [] });
});

test('a body that is cut off anywhere, or goes on after its parts, is refused', () => {
  const body = encodePublishRequest([part('channel', 'content', 'stable')]);
  for (let length = 0; length < body.length; length++) {
    expect(parsePublishRequest(body.subarray(0, length))).toMatchObject(refused);
  }
  expect(parsePublishRequest(concatBytes(body, Uint8Array.of(0)))).toMatchObject(refused);
});

test('a head that names other parts than it may is refused', () => {
  expect(parsePublishRequest(withHead('{"version":1,"parts":[]}')).ok).toBe(true);
  for (const head of [
    '{"version":2,"parts":[]}',
    '{"version":1,"parts":[{"kind":"state","length":0}]}',
    '{"version":1,"parts":[{"kind":"channel","length":0}]}',
    '{"version":1,"parts":[{"kind":"file","name":"stable","length":0}]}',
    '{"version":1,"parts":[{"kind":"event","name":"stable","length":0}]}',
    '{"version":1,"parts":[{"kind":"withdrawn","name":"stable","length":0}]}',
    '{"version":1,"parts":[{"kind":"file","length":-1}]}',
    '{"version":1,"parts":[],"force":true}',
  ]) {
    expect(parsePublishRequest(withHead(head)), head).toMatchObject(refused);
  }
});

test('a request has at most 256 parts', () => {
  const parts = (count: number): readonly RequestPart[] => Array.from({ length: count }, () => part('file', ''));
  expect(parsePublishRequest(encodePublishRequest(parts(PARTS_MAX))).ok).toBe(true);
  expect(parsePublishRequest(encodePublishRequest(parts(PARTS_MAX + 1)))).toMatchObject(refused);
});
