/**
 * What a device's certificate says beyond X.509: what was proven when it was issued (rules R24 and R25).
 *
 * - The value of an extension of ours, not critical: a UTF8String that holds JSON.
 * - It names product and root 1, release, image digests and counters, the class of the device, and the certificate before.
 * - Unknown members are refused. Specified in `docs/formats/identity.md`.
 */
import { concatBytes } from './bytes.ts';
import {
  decodeJson,
  hexText,
  integer,
  literal,
  mapOf,
  object,
  oneOf,
  optional,
  refine,
  type Decoder,
} from './decode.ts';
import { encodeJson } from './encode-json.ts';
import type { DeviceClass } from './factory-manifest.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder, segmentDecoder } from './names.ts';
import { COMPONENTS_MAX } from './release.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type IdentityExtension = {
  readonly product: string;
  /** SHA-256 of the file of root version 1, in hex. */
  readonly root: string;
  readonly class: DeviceClass;
  readonly release: string;
  /** Image digest, in hex, and security counter by component. */
  readonly components: ReadonlyMap<string, { readonly image: string; readonly securityCounter: number }>;
  /** SHA-256 of the certificate before, in DER, in hex; undefined for a first one. */
  readonly predecessor: string | undefined;
};

/** Its OID, below an arc that anybody may use with a UUID of their own. */
export const IDENTITY_EXTENSION_OID = '1.2.840.113556.1.8000.2554.8876.1923.47594.17181.48978.12257483.6227247.1';
const EXTENSION_BYTES_MAX = 2_048;
const UTF8_STRING = 0x0c;

const extensionDecoder: Decoder<IdentityExtension> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    root: hexText(32),
    class: oneOf('claimed', 'proven'),
    release: segmentDecoder,
    components: mapOf(
      nameDecoder,
      object('refused', { image: hexText(32), securityCounter: integer(0) }),
      COMPONENTS_MAX,
    ),
    predecessor: optional(hexText(32)),
  }),
  ({ version: _, ...extension }) => accept(extension),
);

/** Parses the extension's value. */
export function parseIdentityExtension(der: Uint8Array): Verdict<IdentityExtension, 'CERTIFICATE_REFUSED'> {
  const head = utf8Head(der);
  if (head === undefined) return reject('CERTIFICATE_REFUSED', 'the extension is no UTF8String');
  const extension = decodeJson(der.slice(head), EXTENSION_BYTES_MAX, extensionDecoder);
  return extension.ok
    ? extension
    : reject('CERTIFICATE_REFUSED', `the extension: ${extension.code}: ${extension.detail}`);
}

/** The extension's value. */
export function encodeIdentityExtension(extension: IdentityExtension): Uint8Array {
  const { product, root, class: deviceClass, release, components, predecessor } = extension;
  const json = new Map<string, JsonValue>([
    ['version', 1],
    ['product', product],
    ['root', root],
    ['class', deviceClass],
    ['release', release],
    [
      'components',
      new Map([...components].map(([name, part]) => [name, new Map<string, JsonValue>(Object.entries(part))])),
    ],
  ]);
  if (predecessor !== undefined) json.set('predecessor', predecessor);
  const text = encodeJson(json);
  return concatBytes(lengthHead(text.length), text);
}

function lengthHead(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(UTF8_STRING, length);
  return length <= 0xff
    ? Uint8Array.of(UTF8_STRING, 0x81, length)
    : Uint8Array.of(UTF8_STRING, 0x82, length >> 8, length & 0xff);
}

/** Length of the head, if `der` is one UTF8String of DER's only spelling. */
function utf8Head(der: Uint8Array): number | undefined {
  for (const size of [2, 3, 4]) {
    const head = lengthHead(Math.max(0, der.length - size));
    if (head.length === size && head.every((byte, i) => der[i] === byte)) return size;
  }
  return undefined;
}
