/**
 * What people have signed, on its way to the signer that publishes it: files with their kinds, in one body.
 *
 * - Four bytes, big endian, say how long the head is; the head is JSON, `{"version":1,"parts":[{"kind":K,"name"?:N,"length":L}]}`; then
 *   the bytes of each part in that order, and nothing after them.
 * - Nothing here says anything about trust: each file speaks for itself, by its signatures.
 * - Specified in `docs/formats/signer.md`.
 */
import { concatBytes } from './bytes.ts';
import { decodeJson, integer, list, literal, object, oneOf, optional, refine, shape, type Decoder } from './decode.ts';
import { encodeJson } from './encode-json.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import { accept, reject, type Verdict } from './verdict.ts';

/**
 * A root, the targets role, a channel or a role beside one, a file that a channel names; a signing event to publish with its evidence
 * and withdrawals, or one of which the withdrawals alone are to be remembered.
 */
export type PartKind = (typeof KINDS)[number];
export type RequestPart = {
  readonly kind: PartKind;
  /** The role of a channel; others have none. */
  readonly name: string | undefined;
  readonly bytes: Uint8Array;
};

const KINDS = ['root', 'targets', 'channel', 'file', 'event', 'withdrawn'] as const;
export const REQUEST_BYTES_MAX = 134_217_728;
export const PARTS_MAX = 256;
const HEAD_BYTES_MAX = 65_536;
const LENGTH_BYTES = 4;

type Described = Omit<RequestPart, 'bytes'> & { readonly length: number };
const partDecoder: Decoder<Described> = refine(
  object('refused', {
    kind: oneOf(...KINDS),
    name: optional(nameDecoder),
    length: integer(0, REQUEST_BYTES_MAX),
  }),
  (part) =>
    (part.kind === 'channel') === (part.name !== undefined) ? accept(part) : shape('.name: of a channel only'),
);
const headDecoder = object('refused', { version: literal(1), parts: list(partDecoder, PARTS_MAX) });

/** Parses the body of a request. */
export function parsePublishRequest(body: Uint8Array): Verdict<readonly RequestPart[], 'REQUEST_MALFORMED'> {
  const headLength = body.subarray(0, LENGTH_BYTES).reduce((value, byte) => value * 256 + byte, 0);
  const start = LENGTH_BYTES + headLength;
  if (body.length < LENGTH_BYTES || start > body.length) return reject('REQUEST_MALFORMED', 'the head is cut off');
  const head = decodeJson(body.subarray(LENGTH_BYTES, start), HEAD_BYTES_MAX, headDecoder);
  if (!head.ok) return reject('REQUEST_MALFORMED', `${head.code}: ${head.detail}`);
  const parts: RequestPart[] = [];
  let at = start;
  for (const { kind, name, length } of head.value.parts) {
    parts.push({ kind, name, bytes: body.subarray(at, at + length) });
    at += length;
  }
  return at === body.length
    ? accept(parts)
    : reject('REQUEST_MALFORMED', `the parts have ${at - start} bytes, ${body.length - start} follow the head`);
}

/** The body of a request. */
export function encodePublishRequest(parts: readonly RequestPart[]): Uint8Array {
  const described = parts.map(({ kind, name, bytes }) => {
    const members = new Map<string, JsonValue>([['kind', kind]]);
    if (name !== undefined) members.set('name', name);
    return members.set('length', bytes.length);
  });
  const head = encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['parts', described],
    ]),
  );
  const length = Uint8Array.from({ length: LENGTH_BYTES }, (_, i) => (head.length >>> (24 - 8 * i)) & 255);
  return concatBytes(length, head, ...parts.map(({ bytes }) => bytes));
}
