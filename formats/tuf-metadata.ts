/**
 * What all TUF metadata files share: the envelope with signatures, and the common part of `signed`.
 *
 * - Unknown members are ignored, as the specification demands; ours stand under `firmament`.
 * - A key id signs once: a file in which one stands twice among the signatures is refused.
 * - The signed bytes are the canonical JSON of `signed`: the bytes as received where they stand in that form, elsewhere computed
 *   once a file from the very value that is decoded.
 * - Parsing decides nothing about trust: `verify-signatures.ts` does.
 * - Source: TUF specification 1.0.34, sections 4.2.1 and 4.2.2.
 */
import { canonicalText, encodeCanonicalJson } from './canonical-json.ts';
import {
  anyObject,
  integer,
  list,
  object,
  optional,
  refine,
  shape,
  text,
  type DecodeCode,
  type Decoded,
  type Decoder,
} from './decode.ts';
import { encodeHex, encodeUtf8, parseHex } from './bytes.ts';
import { jsonText } from './encode-json.ts';
import { instantDecoder, encodeInstant, type Instant } from './instant.ts';
import { parseJson, parseJsonWithForm, type JsonObject, type JsonValue } from './json.ts';
import { keyIdDecoder } from './tuf-key.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type MetadataType = 'root' | 'targets' | 'snapshot' | 'timestamp';
export type MetadataParseCode = DecodeCode | 'METADATA_TYPE_MISMATCH';

/** A signature as found; `sig` is undefined where it is not hex, and then never counts. */
export type SignatureEntry = { readonly keyid: string; readonly sig: Uint8Array | undefined };

/** The common part of every `signed` object. */
export type SignedHead = {
  readonly type: MetadataType;
  readonly version: number;
  readonly expires: Instant;
  /** Our own members, if any; read by `formats/binding.ts` and the formats that build on it. */
  readonly firmament: JsonObject | undefined;
};

/** A parsed, not yet trusted, metadata file. */
export type Metadata<T> = {
  readonly signatures: readonly SignatureEntry[];
  /** Canonical JSON of `signed`: what the signatures are over. */
  readonly signedBytes: Uint8Array;
  readonly signed: SignedHead & T;
};

export const SIGNATURES_MAX = 64;
const SIGNATURE_LENGTH_MAX = 16_384;

/** A signature as found, also where the signer is still awaited: some tools write an empty text there. */
const signatureDecoder: Decoder<SignatureEntry> = refine(
  object('ignored', { keyid: keyIdDecoder, sig: signatureText }),
  ({ keyid, sig }) => accept({ keyid, sig: sig === '' ? undefined : parseHex(sig) }),
);

const envelopeDecoder = object('ignored', {
  signatures: refine(list(signatureDecoder, SIGNATURES_MAX), (signatures) =>
    new Set(signatures.map(({ keyid }) => keyid)).size === signatures.length
      ? accept(signatures)
      : shape('a key id stands twice'),
  ),
  signed: anyObject,
});

const headDecoder = object('ignored', {
  _type: text(32),
  spec_version: text(32, /^1\.[0-9]+(\.[0-9]+)?$/),
  version: integer(1),
  expires: instantDecoder,
  firmament: optional(anyObject),
});

/** Any text: what is not hex is kept out of every count, and spoils no other signature. */
function signatureText(json: JsonValue): Verdict<string, 'SHAPE_MALFORMED'> {
  return typeof json === 'string' && json.length <= SIGNATURE_LENGTH_MAX
    ? accept(json)
    : reject('SHAPE_MALFORMED', 'a signature in hex is expected');
}

/**
 * Parses one metadata file.
 * @param bytes the file as received.
 * @param expected the type it must have, the longest text that is read, and the decoder of the type's own members.
 */
export function parseMetadata<T>(
  bytes: Uint8Array,
  expected: { readonly type: MetadataType; readonly bytesMax: number; readonly decoder: Decoder<T> },
): Verdict<Metadata<T>, MetadataParseCode> {
  const json = parseJsonWithForm(bytes, { bytesMax: expected.bytesMax }, 'signed');
  if (!json.ok) return json;
  const envelope = envelopeDecoder(json.value.value);
  if (!envelope.ok) return envelope;
  const head = headDecoder(envelope.value.signed);
  if (!head.ok) return reject(head.code, `.signed${head.detail}`);
  if (head.value._type !== expected.type) {
    return reject('METADATA_TYPE_MISMATCH', `${expected.type} metadata is expected here, not another type`);
  }
  const own = expected.decoder(envelope.value.signed);
  if (!own.ok) return reject(own.code, `.signed${own.detail}`);
  return accept({
    signatures: envelope.value.signatures,
    signedBytes: json.value.canonical ?? encodeCanonicalJson(envelope.value.signed),
    signed: { ...own.value, ...signedHead(head.value, expected.type) },
  });
}

function signedHead(head: Decoded<typeof headDecoder>, type: MetadataType): SignedHead {
  return { type, version: head.version, expires: head.expires, firmament: head.firmament };
}

/** The common members of `signed`, as JSON, ready for a type's own members to be added. */
export function headToJson(head: SignedHead): Map<string, JsonValue> {
  const members = new Map<string, JsonValue>([
    ['_type', head.type],
    ['spec_version', '1.0.34'],
    ['version', head.version],
    ['expires', encodeInstant(head.expires)],
  ]);
  if (head.firmament !== undefined) members.set('firmament', head.firmament);
  return members;
}

/**
 * The file of `signed` with its signatures, ready to publish. It is JSON, which the canonical form that is signed need not be.
 * @param canonical the canonical form of `signed`, where it is known already.
 */
export function encodeMetadata(
  signed: JsonValue,
  signatures: readonly { readonly keyid: string; readonly sig: Uint8Array }[],
  canonical: string = canonicalText(signed),
): Uint8Array {
  const entries = signatures.map(
    ({ keyid, sig }) =>
      new Map([
        ['keyid', keyid],
        ['sig', encodeHex(sig)],
      ]),
  );
  return encodeUtf8(`{"signatures":${jsonText(entries)},"signed":${jsonText(signed, canonical)}}`);
}

/** The `signed` value of a metadata file and the signatures it has, for tools that add one. */
export function openMetadata(
  bytes: Uint8Array,
  bytesMax: number,
): Verdict<{ readonly signed: JsonObject; readonly signatures: readonly SignatureEntry[] }, DecodeCode> {
  const json = parseJson(bytes, { bytesMax });
  if (!json.ok) return json;
  return envelopeDecoder(json.value);
}
