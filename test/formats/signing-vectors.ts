/**
 * The vectors of `docs/formats/signing-event.md`: an event that one of two has signed and the other withdrawn, and its refused kin.
 *
 * - `node cli/node24.js test/formats/signing-vectors.ts --write` writes them; a test holds the files equal, byte for byte.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeUtf8, parseUtf8 } from '../../formats/bytes.ts';
import { channelPartToJson } from '../../formats/channel-part.ts';
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import { isJsonObject, parseJson, type JsonValue } from '../../formats/json.ts';
import { peopleToJson } from '../../formats/people.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { encodeSigningEvent, type SigningEvent } from '../../formats/signing-event.ts';
import { parseTargets, targetsToJson } from '../../formats/tuf-targets.ts';
import { encodeWithdrawal, WITHDRAWAL_PAYLOAD_TYPE, type Withdrawal } from '../../formats/withdrawal.ts';
import type { Signer } from '../../signer/signer.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { bound, SAMPLE_FILES, SAMPLE_ID, SAMPLE_SIGNERS, signedBy } from './sample-repository.ts';

/** Where the vectors stand. */
export const SIGNING_VECTORS: string = fileURLToPath(new URL('../vectors/signing/', import.meta.url));

const [dee = seededSigner('dee'), eli = seededSigner('eli')] = SAMPLE_SIGNERS.stable;
const WORKFLOW = { issuer: 'https://ci.example', subject: 'repo:gateway/firmware:ref:refs/heads/main' };
const key = ({ keyid }: Signer): { keyid: string; independent: boolean } => ({ keyid, independent: true });
export const SAMPLE_PEOPLE: Uint8Array = encodeJson(
  peopleToJson([
    { person: 'dee', keys: [key(dee)], subjects: [] },
    { person: 'eli', keys: [key(eli)], subjects: [] },
    { person: 'fay', keys: [], subjects: [WORKFLOW] },
  ]),
);

const former = SAMPLE_FILES['1.stable.json'];
const { signed } = accepted(parseTargets(former));
const part = {
  release: '1.0.0',
  minSecurityCounter: 1,
  revokedDigests: ['ab'.repeat(32)],
  event: { predecessor: sha256Hex(former), notAfter: Date.UTC(2026, 0, 8), authors: [WORKFLOW] },
};
const content = targetsToJson({ ...signed, version: 2, firmament: bound('stable', channelPartToJson(part)) });
const metadata = await signedBy(content, [dee]);

export const SAMPLE_WITHDRAWAL: Withdrawal = {
  repository: SAMPLE_ID,
  role: 'stable',
  event: sha256Hex(accepted(parseTargets(metadata)).signedBytes),
};
const payload = encodeWithdrawal(SAMPLE_WITHDRAWAL);
const sig = await eli.sign(preAuthEncoding(WITHDRAWAL_PAYLOAD_TYPE, payload));
const signatures = [{ keyid: eli.keyid, sig }];
const envelope = encodeEnvelope({ payloadType: WITHDRAWAL_PAYLOAD_TYPE, payload, signatures });

export const SAMPLE_EVENT: SigningEvent = {
  role: 'stable',
  metadata,
  roots: [SAMPLE_FILES['1.root.json']],
  delegatedBy: SAMPLE_FILES['1.targets.json'],
  former,
  evidence: [],
  notes: 'revokes the image that leaks its log',
  withdrawn: [envelope],
};

/** A history with a member more. */
function historyWith(name: string): JsonValue {
  return new Map([
    ['metadata', 'e30='],
    [name, 'e30='],
  ]);
}

/** Signing events that no tool reads. */
export const REFUSED_EVENTS: readonly { readonly says: string; readonly file: Uint8Array }[] = [
  { says: 'an event of a newer version', file: changed({ version: 2 }) },
  { says: 'an event with a member that is not known', file: changed({ approved: true }) },
  { says: 'an event without the channel', file: changed({ metadata: undefined }) },
  { says: 'an event without a root', file: changed({ roots: [] }) },
  { says: 'an event without the file that delegates', file: changed({ delegatedBy: undefined }) },
  { says: 'an event whose channel is no base64', file: changed({ metadata: '!' }) },
  { says: 'an event of a role whose name is none', file: changed({ role: '../stable' }) },
  { says: 'an event with a summary in place of evidence', file: changed({ evidence: [new Map([['ok', true]])] }) },
  {
    says: 'an event with a history that is not known to the letter',
    file: changed({ history: historyWith('approved') }),
  },
  { says: 'an event with a history that has no file', file: changed({ history: new Map() }) },
  { says: 'an event whose notes are empty, which is to leave them out', file: changed({ notes: '' }) },
  { says: 'an event without a list of withdrawals, as if nobody could have', file: changed({ withdrawn: undefined }) },
];

/** The event with other members; undefined takes one out. */
function changed(change: Readonly<Record<string, JsonValue | undefined>>): Uint8Array {
  const json = accepted(parseJson(encodeSigningEvent(SAMPLE_EVENT), { bytesMax: 100_000 }));
  const members = new Map(isJsonObject(json) ? json : []);
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) members.delete(name);
    else members.set(name, value);
  }
  return encodeJson(members);
}

/** Every vector file by its name. */
export function signingVectors(): ReadonlyMap<string, Uint8Array> {
  const refused = REFUSED_EVENTS.map(({ says, file }) => JSON.stringify({ says, text: parseUtf8(file) }));
  return new Map([
    ['2.stable.signing.json', encodeSigningEvent(SAMPLE_EVENT)],
    ['people.json', SAMPLE_PEOPLE],
    ['withdrawal.json', envelope],
    ['refused.json', encodeUtf8(`[\n${refused.join(',\n')}\n]\n`)],
  ]);
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(SIGNING_VECTORS, { recursive: true });
  for (const [name, bytes] of signingVectors()) writeFileSync(`${SIGNING_VECTORS}${name}`, bytes);
}
