/**
 * Evidence of a boot: an Entity Attestation Token (RFC 9711) in a COSE_Sign1 (RFC 9052), signed by the key of the boot statement.
 *
 * - Fresh by the signer's nonce; bound to its boot statement by digest; of this device by its universal entity id.
 * - `measurements` says once more what the statement says, in the form that other verifiers of EATs look for.
 * - EdDSA alone; no header but the algorithm; every claim known, or refused: what is judged is understood whole.
 * - Specified in `docs/formats/identity.md`. Source: RFC 9711 sections 4 and 7, RFC 8392, RFC 9052 section 4.
 */
import { concatBytes, encodeHex, encodeUtf8 } from './bytes.ts';
import { parseCbor, type CborMap, type CborValue } from './cbor.ts';
import { nameDecoder } from './names.ts';
import { COMPONENTS_MAX } from './release.ts';
import { accept, reject, type Rejected, type Verdict } from './verdict.ts';

export type Evidence = {
  /** The signer's nonce. */
  readonly nonce: Uint8Array;
  readonly deviceId: string;
  /** SHA-256 of the boot statement's envelope, in hex. */
  readonly statementSha256: string;
  /** The system's word that the release which runs has passed its self-test. */
  readonly confirmed: boolean;
  /** Image digest, in hex, and security counter by component. */
  readonly measurements: ReadonlyMap<string, { readonly image: string; readonly securityCounter: number }>;
};
/** Evidence as read, with what its signature covers. */
export type SignedEvidence = {
  readonly evidence: Evidence;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
};

export const EVIDENCE_BYTES_MAX = 4_096;
/** Claims by their numbers: registered ones of RFC 9711, and ours of the private range. */
export const CLAIM = {
  nonce: 10,
  ueid: 256,
  profile: 265,
  measurements: 273,
  statement: -70_001,
  confirmed: -70_002,
} as const;
/** The profile's name: an OID of ours as a URI. */
export const EVIDENCE_PROFILE = 'urn:oid:1.2.840.113556.1.8000.2554.8876.1923.47594.17181.48978.12257483.6227247.2';
/** A content format of the experimental range (RFC 7252 section 12.3): a map from component to digest and counter. */
export const MEASUREMENTS_FORMAT = 65_001;
/** The type octet of a random universal entity id, whose 32 bytes are the device id. */
export const UEID_RANDOM = 0x01;
/** `{1: -8}`: the algorithm is EdDSA, and nothing else is said. */
export const PROTECTED_HEADER: Uint8Array = Uint8Array.of(0xa1, 0x01, 0x27);
export const COSE_SIGN1_TAG = 18;
const NONCE_BYTES_MIN = 8;
const NONCE_BYTES_MAX = 64;
const DIGEST_BYTES = 32;

/** Parses evidence without judging its signature. */
export function parseEvidence(bytes: Uint8Array): Verdict<SignedEvidence, 'EVIDENCE_MALFORMED'> {
  const outer = parseCbor(bytes, { bytesMax: EVIDENCE_BYTES_MAX });
  if (!outer.ok) return malformed(outer.detail);
  const parts = isTag(outer.value) && outer.value.tag === COSE_SIGN1_TAG ? outer.value.value : undefined;
  if (!isArray(parts) || parts.length !== 4) return malformed('it is no COSE_Sign1');
  const [header, unprotected, payload, signature] = parts;
  if (!(header instanceof Uint8Array) || encodeHex(header) !== encodeHex(PROTECTED_HEADER)) {
    return malformed('its header names another algorithm than EdDSA');
  }
  if (!(unprotected instanceof Map) || unprotected.size > 0) return malformed('it has unprotected headers');
  if (!(payload instanceof Uint8Array) || !(signature instanceof Uint8Array)) return malformed('a part is missing');
  const claims = parseCbor(payload, { bytesMax: EVIDENCE_BYTES_MAX });
  if (!claims.ok) return malformed(claims.detail);
  const evidence = claims.value instanceof Map ? readClaims(claims.value) : malformed('its payload is no map');
  return evidence.ok ? accept({ evidence: evidence.value, message: evidenceMessage(payload), signature }) : evidence;
}

/** What a COSE_Sign1 signature over `payload` covers (RFC 9052 section 4.4). */
export function evidenceMessage(payload: Uint8Array): Uint8Array {
  const context = encodeUtf8('Signature1');
  return concatBytes(
    Uint8Array.of(0x84, 0x60 + context.length),
    context,
    byteString(PROTECTED_HEADER),
    byteString(new Uint8Array()),
    byteString(payload),
  );
}

/** A byte string of at most 65,535 bytes. */
function byteString(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length < 24) return concatBytes(Uint8Array.of(0x40 + length), bytes);
  const head = length < 256 ? [0x58, length] : [0x59, length >> 8, length & 255];
  return concatBytes(Uint8Array.of(...head), bytes);
}

function readClaims(claims: CborMap): Verdict<Evidence, 'EVIDENCE_MALFORMED'> {
  const known: readonly (number | string)[] = Object.values(CLAIM);
  for (const name of claims.keys()) if (!known.includes(name)) return malformed('it has a claim that is not known');
  if (claims.get(CLAIM.profile) !== EVIDENCE_PROFILE) return malformed('it is of another profile');
  const nonce = claims.get(CLAIM.nonce);
  if (!(nonce instanceof Uint8Array) || nonce.length < NONCE_BYTES_MIN || nonce.length > NONCE_BYTES_MAX) {
    return malformed(`a nonce of ${NONCE_BYTES_MIN} to ${NONCE_BYTES_MAX} bytes is expected`);
  }
  const ueid = claims.get(CLAIM.ueid);
  if (!(ueid instanceof Uint8Array) || ueid.length !== 1 + DIGEST_BYTES || ueid[0] !== UEID_RANDOM) {
    return malformed('a random entity id of 32 bytes is expected');
  }
  const statement = claims.get(CLAIM.statement);
  const confirmed = claims.get(CLAIM.confirmed);
  if (!isDigest(statement) || typeof confirmed !== 'boolean') return malformed('a claim of ours is missing');
  const measurements = readMeasurements(claims.get(CLAIM.measurements));
  if (!measurements.ok) return measurements;
  return accept({
    nonce,
    deviceId: encodeHex(ueid.subarray(1)),
    statementSha256: encodeHex(statement),
    confirmed,
    measurements: measurements.value,
  });
}

/** `[[format, bytes]]`, the bytes being a map from component to `[digest, counter]`. */
function readMeasurements(claim: CborValue | undefined): Verdict<Evidence['measurements'], 'EVIDENCE_MALFORMED'> {
  const [entry, ...more] = isArray(claim) ? claim : [];
  const [format, bytes, ...rest] = isArray(entry) ? entry : [];
  if (format !== MEASUREMENTS_FORMAT || !(bytes instanceof Uint8Array) || more.length + rest.length > 0) {
    return malformed('measurements of our form are expected, once');
  }
  const map = parseCbor(bytes, { bytesMax: EVIDENCE_BYTES_MAX });
  if (!map.ok || !(map.value instanceof Map) || map.value.size === 0 || map.value.size > COMPONENTS_MAX) {
    return malformed('measurements are no map of components');
  }
  const measurements = new Map<string, { readonly image: string; readonly securityCounter: number }>();
  for (const [name, value] of map.value as CborMap) {
    const component = nameDecoder(name);
    const [image, counter, ...others] = isArray(value) ? value : [];
    if (!component.ok || !isDigest(image) || typeof counter !== 'number' || counter < 0 || others.length > 0) {
      return malformed('a component is measured by digest and counter');
    }
    measurements.set(component.value, { image: encodeHex(image), securityCounter: counter });
  }
  return accept(measurements);
}

function isArray(value: CborValue | undefined): value is readonly CborValue[] {
  return Array.isArray(value);
}

function isDigest(value: CborValue | undefined): value is Uint8Array {
  return value instanceof Uint8Array && value.length === DIGEST_BYTES;
}

function isTag(value: CborValue): value is { readonly tag: number; readonly value: CborValue } {
  return typeof value === 'object' && value !== null && 'tag' in value;
}

function malformed(detail: string): Rejected<'EVIDENCE_MALFORMED'> {
  return reject('EVIDENCE_MALFORMED', `evidence: ${detail}`);
}
