/** The parsers of identities: each with a real file, as the table of all parsers holds them. */
import { encode, rfc8949EncodeOptions, Tagged } from 'cborg';
import { expect } from 'vitest';
import { encodeBootStatement, parseBootStatement } from '../../formats/boot-statement.ts';
import { equalBytes } from '../../formats/bytes.ts';
import { parseCbor, type CborValue } from '../../formats/cbor.ts';
import { encodeDeviceSecret, parseDeviceSecret } from '../../formats/device-secret.ts';
import { encodeEd25519Signed, parseEd25519Signed } from '../../formats/ed25519-der.ts';
import {
  encodeEnrolment,
  encodeIdentityProof,
  encodeIdentityUse,
  parseEnrolment,
  parseIdentityProof,
  parseIdentityUse,
} from '../../formats/enrolment.ts';
import { parseEvidence } from '../../formats/evidence.ts';
import { encodeFactoryManifest, parseFactoryManifest } from '../../formats/factory-manifest.ts';
import { encodeHeldIdentities, parseHeldIdentities } from '../../formats/held-identities.ts';
import { encodeIdentityExtension, parseIdentityExtension } from '../../formats/identity-extension.ts';
import { encodeIssueRequest, parseIssueRequest } from '../../formats/issue-request.ts';
import { accepted } from '../accepted.ts';
import { bytesRow, orUndefined, wholeRow, type ParserRow } from './parser-rows.ts';
import { SAMPLE_BOOT, SAMPLE_MANIFEST } from './sample-identity.ts';
import { SAMPLE_ENROLMENT, SAMPLE_EXTENSION, SAMPLE_PROOF } from './sample-proof.ts';

const USE = {
  product: 'gateway',
  root: 'ab'.repeat(32),
  deviceId: 'cd'.repeat(32),
  certificate: 'ef'.repeat(32),
};
const HELD = { seed: new Uint8Array(32).fill(1), certificate: new Uint8Array(400).fill(2) };
const { evidence: EVIDENCE } = accepted(parseIdentityProof(SAMPLE_PROOF));

/** Evidence is written by a library: what is accepted under the same signed bytes means the same. */
function holdsOfEvidence(mutant: Uint8Array): boolean {
  const parsed = parseEvidence(mutant);
  const original = accepted(parseEvidence(EVIDENCE));
  if (!parsed.ok) return false;
  if (equalBytes(parsed.value.message, original.message)) expect(parsed.value.evidence).toEqual(original.evidence);
  return true;
}

/** A value with its tags as the library writes them. */
function withTags(value: CborValue): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if ('tag' in value) return new Tagged(value.tag, withTags(value.value));
  return 'get' in value
    ? new Map([...value].map(([name, member]) => [name, withTags(member)]))
    : value.map((member) => withTags(member));
}

export const IDENTITY_ROWS: readonly ParserRow[] = [
  wholeRow('parseFactoryManifest', encodeFactoryManifest(SAMPLE_MANIFEST), {
    parse: orUndefined(parseFactoryManifest),
    encode: encodeFactoryManifest,
  }),
  wholeRow('parseBootStatement', encodeBootStatement({ ...SAMPLE_BOOT, evidenceKey: 'cd'.repeat(32) }), {
    parse: orUndefined(parseBootStatement),
    encode: encodeBootStatement,
  }),
  wholeRow('parseDeviceSecret', encodeDeviceSecret(new Uint8Array(32).fill(7)), {
    parse: orUndefined(parseDeviceSecret),
    encode: encodeDeviceSecret,
  }),
  wholeRow(
    'parseHeldIdentities',
    encodeHeldIdentities({ current: HELD, next: HELD, asked: new Uint8Array(32).fill(3) }),
    {
      parse: parseHeldIdentities,
      encode: encodeHeldIdentities,
    },
  ),
  wholeRow('parseEnrolment', encodeEnrolment(SAMPLE_ENROLMENT), {
    parse: orUndefined(parseEnrolment),
    encode: encodeEnrolment,
  }),
  wholeRow('parseIdentityProof', SAMPLE_PROOF, { parse: orUndefined(parseIdentityProof), encode: encodeIdentityProof }),
  wholeRow('parseIssueRequest', encodeIssueRequest({ purpose: 'enrol', csr: new Uint8Array(9), proof: SAMPLE_PROOF }), {
    parse: orUndefined(parseIssueRequest),
    encode: encodeIssueRequest,
  }),
  wholeRow('parseIdentityUse', encodeIdentityUse(USE), {
    parse: orUndefined(parseIdentityUse),
    encode: encodeIdentityUse,
  }),
  { parser: 'parseEvidence', isJson: false, file: EVIDENCE, holds: holdsOfEvidence },
  bytesRow('parseCbor', EVIDENCE.slice(1), {
    parse: orUndefined((bytes) => parseCbor(Uint8Array.from(bytes), { bytesMax: 4_096 })),
    encode: (value: CborValue) => encode(withTags(value), rfc8949EncodeOptions),
  }),
  bytesRow('parseIdentityExtension', encodeIdentityExtension(SAMPLE_EXTENSION), {
    parse: orUndefined(parseIdentityExtension),
    encode: encodeIdentityExtension,
  }),
  bytesRow(
    'parseEd25519Signed',
    encodeEd25519Signed({ body: new Uint8Array(70).fill(1), signature: new Uint8Array(64).fill(2) }),
    { parse: parseEd25519Signed, encode: encodeEd25519Signed },
  ),
];
