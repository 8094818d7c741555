/**
 * Every parser of `formats/` with a real file for it, and what must hold of whatever it accepts.
 *
 * - A row's `holds` is given a mutant of the file; it calls the parser, which never throws, and checks what was accepted.
 * - Signed metadata: an accepted mutant has the very signed bytes of the file and then means the same, or its quorum is broken.
 * - Parts of ours: writing what was accepted and reading it again gives the same value; where nothing is ignored, also the same
 *   JSON as was read.
 * - Texts: what was accepted is written as the very text.
 */
import { expect } from 'vitest';
import { encodeBootBundle, parseBootBundle } from '../../formats/boot-bundle.ts';
import { encodeBootState, parseBootState } from '../../formats/boot-state.ts';
import { bindingToJson } from '../../formats/binding.ts';
import {
  encodeBase64,
  encodeHex,
  encodeUtf8,
  equalBytes,
  parseBase64,
  parseHex,
  parseUtf8,
} from '../../formats/bytes.ts';
import { encodeCapsuleHead, parseCapsuleHead } from '../../formats/capsule.ts';
import { parseComponentList, type ListedComponent } from '../../formats/component-list.ts';
import { channelPartToJson, parseChannelPart, type ChannelPart } from '../../formats/channel-part.ts';
import { encodeConfirmation, parseConfirmation } from '../../formats/confirmation.ts';
import { checkpointText, parseCheckpoint, type Checkpoint } from '../../formats/checkpoint.ts';
import { encodeDeviceStatus, parseDeviceStatus } from '../../formats/device-status.ts';
import { encodeEnvelope, parseEnvelope } from '../../formats/dsse.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import { encodeFactoryRecord, parseFactoryRecord } from '../../formats/factory-record.ts';
import { encodeRecord, parseRecord } from '../../formats/flash-record.ts';
import { encodeFloors, parseFloors } from '../../formats/floors.ts';
import { haltPartToJson, parseHaltPart, type HaltPart } from '../../formats/halt.ts';
import { encodeInstant, parseInstant } from '../../formats/instant.ts';
import { parseJson, parseJsonWithForm, type JsonObject, type JsonValue } from '../../formats/json.ts';
import { encodeLogLeaf, parseLogLeaf } from '../../formats/log-leaf.ts';
import { encodeLogProof, parseLogProof } from '../../formats/log-proof.ts';
import { encodeEntryBundle, encodeTile, parseEntryBundle, parseTile } from '../../formats/log-tiles.ts';
import {
  parseIssuerConfiguration,
  parseIssuerKeys,
  parseTokenClaims,
  type IssuerConfiguration,
  type IssuerKey,
} from '../../formats/oidc.ts';
import { parseProblemAnswer } from '../../formats/problem-answer.ts';
import { encodeProposalAnswer, parseProposalAnswer } from '../../formats/proposal-answer.ts';
import { encodeProposal, parseProposal } from '../../formats/proposal.ts';
import { encodeStoredProposal, parseStoredProposal } from '../../formats/stored-proposal.ts';
import { encodeTargetName, parseTargetName } from '../../formats/names.ts';
import { parsePeople, peopleToJson, type Person } from '../../formats/people.ts';
import { encodeProvenance, parseProvenance } from '../../formats/provenance.ts';
import { imagePartToCustom, parseRelease } from '../../formats/release.ts';
import { parseRootPart, rootPartToJson, type RootPart } from '../../formats/root-part.ts';
import { parseProvisioned, type Provisioned } from '../../formats/provisioned.ts';
import { parsePublishAnswer } from '../../formats/publish-answer.ts';
import { encodePublishRequest, parsePublishRequest } from '../../formats/publish-request.ts';
import { encodeReceipt, parseReceipt } from '../../formats/receipt.ts';
import { encodeReportRecord, parseReportRecord } from '../../formats/report-record.ts';
import { parseRolloutStatuses } from '../../formats/rollout-status.ts';
import { parseSignerAnswer, type SignerAnswer } from '../../formats/signer-answer.ts';
import { encodeSeenMetadata, parseSeenMetadata } from '../../formats/seen-metadata.ts';
import { checkSignaturePortable, type PublicKey } from '../../formats/signature-check.ts';
import { encodeSignedNote, encodeVerifierKey, parseSignedNote, parseVerifierKey } from '../../formats/signed-note.ts';
import { encodeSigningEvent, parseSigningEvent } from '../../formats/signing-event.ts';
import { parseStatement, STATEMENT_PAYLOAD_TYPE, statementToPlain, type Statement } from '../../formats/statement.ts';
import { parseTrustPart, trustPartToJson, type TrustPart } from '../../formats/trust-part.ts';
import {
  encodeMetadata,
  parseMetadata,
  type Metadata,
  type MetadataParseCode,
  type SignedHead,
} from '../../formats/tuf-metadata.ts';
import { anyObject } from '../../formats/decode.ts';
import { parsePublicKeyPem } from '../../formats/public-key-pem.ts';
import { parseRoot, rootToJson } from '../../formats/tuf-root.ts';
import { parseSnapshot, parseTimestamp, snapshotToJson, timestampToJson } from '../../formats/tuf-snapshot.ts';
import { parseTargets, targetsToJson, type TargetFile } from '../../formats/tuf-targets.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { encodeVsa, parseVsa } from '../../formats/vsa.ts';
import { verifyThreshold, type RoleKeys } from '../../formats/verify-signatures.ts';
import { parseWaveStep, waveStepToJson, type WaveStep } from '../../formats/wave-step.ts';
import { encodeWithdrawal, parseWithdrawal } from '../../formats/withdrawal.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { signedProvenance, tinyProvenance } from '../tiny-release.ts';
import { LOG_POLICY, logOf, signedCheckpoint, signedProof } from '../tiny-log.ts';
import { makeTinyRepository } from '../tiny-repository.ts';
import { SAMPLE_CONFIRMATION, SAMPLE_HALT, SAMPLE_PLAN, SAMPLE_STEP } from './sample-plan.ts';
import { encodeDeviceState, parseDeviceState } from '../../formats/device-state.ts';
import { sampleState } from '../ota-server/sample-state.ts';
import { IDENTITY_ROWS } from './identity-rows.ts';
import { bytesRow, ofBytes, orUndefined, partRow, textRow, wholeRow, type ParserRow } from './parser-rows.ts';
import { SAMPLE_ANCHOR, SAMPLE_FACTORY } from './sample-identity.ts';
import {
  encodeClaims,
  SAMPLE_ANSWER,
  SAMPLE_CLAIMS,
  SAMPLE_CONFIGURATION,
  SAMPLE_KEYS,
  SAMPLE_LIST,
  SAMPLE_PROPOSAL,
  SAMPLE_STORED,
} from './sample-proposal.ts';
import { tinyJudging } from '../tiny-vsa.ts';
import { bound, SAMPLE_FILES, SAMPLE_ID } from './sample-repository.ts';
import { sampleReceipt } from './receipt-vectors.ts';
import { SAMPLE_EVENT, SAMPLE_WITHDRAWAL } from './signing-vectors.ts';
import { SAMPLE_VSA } from './sample-vsa.ts';

type Quorum = RoleKeys & { readonly name: string; readonly keys: ReadonlyMap<string, PublicKey> };
const ROOT = accepted(parseRoot(SAMPLE_FILES['1.root.json'])).signed;
const quorumOf = (role: keyof typeof ROOT.roles): Quorum => ({ name: role, keys: ROOT.keys, ...ROOT.roles[role] });

/** A row for signed metadata, held to the quorum that signed it. */
function metadataRow<T>(
  parser: string,
  sample: { readonly file: Uint8Array; readonly quorum: Quorum },
  format: {
    readonly parse: (bytes: Uint8Array) => Verdict<Metadata<T>, MetadataParseCode>;
    readonly toJson: (signed: SignedHead & T) => JsonValue;
  },
): ParserRow {
  const { file, quorum } = sample;
  const original = accepted(format.parse(file));
  const meaning = encodeJson(format.toJson(original.signed));
  const holds = (mutant: Uint8Array): boolean => {
    const parsed = format.parse(mutant);
    if (!parsed.ok) return false;
    const { signed, signedBytes } = parsed.value;
    if (equalBytes(signedBytes, original.signedBytes)) {
      expect(equalBytes(encodeJson(format.toJson(signed)), meaning), 'the same signed bytes mean the same').toBe(true);
    } else {
      expect(verifyThreshold(parsed.value, quorum, checkSignaturePortable)).toMatchObject({
        code: 'METADATA_THRESHOLD_UNMET',
      });
    }
    expect(accepted(format.parse(encodeMetadata(format.toJson(signed), []))).signed).toEqual(signed);
    return true;
  };
  return { parser, isJson: true, file, holds };
}

/** The quorum that a targets file demands of its channel. */
function channelQuorum(targets: Uint8Array): Quorum {
  const { delegations } = accepted(parseTargets(targets)).signed;
  const [role] = delegations?.roles ?? [];
  return { name: 'stable', keyids: [], threshold: 64, ...role, keys: delegations?.keys ?? new Map() };
}

const STABLE = channelQuorum(SAMPLE_FILES['1.targets.json']);
const TINY = await makeTinyRepository();
const tinyStable = { file: TINY.newest('stable'), quorum: channelQuorum(TINY.newest('targets')) };

const TARGETS_FORMAT = { parse: parseTargets, toJson: targetsToJson };
const METADATA: readonly ParserRow[] = [
  metadataRow(
    'parseRoot',
    { file: SAMPLE_FILES['1.root.json'], quorum: quorumOf('root') },
    { parse: parseRoot, toJson: rootToJson },
  ),
  metadataRow('parseTargets', { file: SAMPLE_FILES['1.targets.json'], quorum: quorumOf('targets') }, TARGETS_FORMAT),
  metadataRow('parseTargets', { file: SAMPLE_FILES['1.stable.json'], quorum: STABLE }, TARGETS_FORMAT),
  metadataRow('parseTargets', tinyStable, TARGETS_FORMAT),
  metadataRow(
    'parseSnapshot',
    { file: SAMPLE_FILES['1.snapshot.json'], quorum: quorumOf('snapshot') },
    { parse: parseSnapshot, toJson: snapshotToJson },
  ),
  metadataRow(
    'parseTimestamp',
    { file: SAMPLE_FILES['timestamp.json'], quorum: quorumOf('timestamp') },
    { parse: parseTimestamp, toJson: timestampToJson },
  ),
  metadataRow(
    'parseMetadata',
    { file: SAMPLE_FILES['1.stable.json'], quorum: STABLE },
    {
      parse: (bytes) =>
        parseMetadata(bytes, {
          type: 'targets',
          bytesMax: 100_000,
          decoder: (json) => {
            const whole = anyObject(json);
            return whole.ok ? { ok: true, value: { whole: whole.value } } : whole;
          },
        }),
      toJson: ({ whole }) => whole,
    },
  ),
];

const FLOORS = {
  root: { version: 2, sha256: SAMPLE_ID.rootOneSha256 },
  channelVersions: new Map([['stable', 7]]),
  securityCounters: new Map([['gateway', 3]]),
};
const STATE = { good: 'a', trial: { slot: 'b', starts: 1 }, confirmed: 'b', failed: ['ab'.repeat(32)] } as const;
const BUILDER = {
  id: 'https://builder.example/two-runs',
  key: seededSigner('builder').key,
  source: 'git+https://source.example/x',
};
const PEOPLE: readonly Person[] = [
  { person: 'ada', keys: [{ keyid: 'ab'.repeat(32), independent: true }], subjects: [] },
  { person: 'ben', keys: [], subjects: [{ issuer: 'https://ci.example', subject: 'repo:gateway' }] },
];
const EVENT = {
  predecessor: 'cd'.repeat(32),
  notAfter: Date.UTC(2026, 0, 8),
  authors: [{ person: 'ada' }, { issuer: 'https://ci.example', subject: 'repo:gateway' }],
};
const TRUST = trustPartToJson({
  builders: [{ ...BUILDER, issuer: 'https://ci.example', administration: 'https://maker.example' }],
  judging: { ...tinyJudging(), policy: { sha256: 'ab'.repeat(32), stillAccepted: ['cd'.repeat(32)] } },
  people: PEOPLE,
  factories: [SAMPLE_FACTORY],
  identityAnchors: [SAMPLE_ANCHOR],
});
const APPROVAL = channelPartToJson({
  release: '1.0.0',
  minSecurityCounter: 1,
  revokedDigests: ['ab'.repeat(32)],
  event: EVENT,
});

const PUBLISHED_FACTS = {
  ...{ product: 'gateway', timestampVersion: 3, snapshotVersion: 2, snapshotSha256: 'ab'.repeat(32) },
  ...{ written: ['r/gateway/metadata/2.stable.json'], logSize: 7, logRoot: 'cd'.repeat(32) },
};
const ROLLOUT_STATUS = {
  ...{
    channel: 'stable',
    release: '2.0.0',
    plan: 'ab'.repeat(32),
    waves: 2,
    open: 1,
    did: 'nothing',
    because: 'soaking',
  },
  ...{ leaseEnds: '2030-01-01T00:00:00Z', votes: [{ expected: 2, confirmed: 1, failed: 0 }] },
};
const PLANNED = channelPartToJson({
  release: '2.0.0',
  minSecurityCounter: 1,
  revokedDigests: [],
  plan: SAMPLE_PLAN,
  graph: {
    waypoints: ['1.5.0'],
    from: new Map([
      [
        '2.0.0',
        [
          { min: '1.0.0', below: '2.0.0' },
          { min: undefined, below: '0.5.0' },
        ],
      ],
    ]),
    deadEnds: [{ release: '1.3.0', reason: 'its loader cannot grow' }],
    recalled: ['1.9.0'],
  },
  history: { version: 3, sha256: 'cd'.repeat(32) },
});
const CAPSULE_FILES = [
  { name: 'metadata/1.root.json', length: 3 },
  { name: 'metadata/1.stable.json', length: 4 },
];
const CAPSULE_BYTES = 7;

const PARTS: readonly ParserRow[] = [
  {
    ...partRow('parseCapsuleHead', encodeCapsuleHead(CAPSULE_FILES), {
      parse: orUndefined((bytes) => parseCapsuleHead(bytes, bytes.length + CAPSULE_BYTES)),
      encode: encodeCapsuleHead,
    }),
    isJson: false,
  },
  wholeRow(
    'parseDeviceStatus',
    encodeDeviceStatus({
      factory: encodeUtf8('{"factory":1}'),
      floors: encodeUtf8('{"floors":1}'),
      runs: { release: '1.0.0', firmwareVersion: '1.0.0', imagesSha256: 'ab'.repeat(32) },
      failed: ['cd'.repeat(32)],
    }),
    { parse: orUndefined(parseDeviceStatus), encode: encodeDeviceStatus },
  ),
  wholeRow('parseBootBundle', TINY.bundle('1.0.0'), {
    parse: orUndefined(parseBootBundle),
    encode: encodeBootBundle,
  }),
  wholeRow('parseBootState', encodeBootState(STATE), { parse: orUndefined(parseBootState), encode: encodeBootState }),
  wholeRow('parseFloors', encodeFloors(FLOORS), { parse: orUndefined(parseFloors), encode: encodeFloors }),
  ...[TINY.factory, { ...TINY.factory, deviceKey: 'cd'.repeat(32) }].map((record) =>
    wholeRow('parseFactoryRecord', encodeFactoryRecord(record), {
      parse: orUndefined(parseFactoryRecord),
      encode: encodeFactoryRecord,
    }),
  ),
  wholeRow('parseSeenMetadata', encodeSeenMetadata({ timestamp: encodeUtf8('{}'), snapshot: encodeUtf8('{}') }), {
    parse: parseSeenMetadata,
    encode: encodeSeenMetadata,
  }),
  partRow<TrustPart>('parseTrustPart', encodeJson(bound('targets', TRUST)), {
    parse: ofBytes(parseTrustPart),
    encode: (part) => encodeJson(bindingToJson({ ...SAMPLE_ID, role: 'targets' }, trustPartToJson(part))),
  }),
  partRow<ChannelPart>('parseChannelPart', encodeJson(bound('stable', APPROVAL)), {
    parse: ofBytes(parseChannelPart),
    encode: (part) => encodeJson(bindingToJson({ ...SAMPLE_ID, role: 'stable' }, channelPartToJson(part))),
  }),
  partRow<ChannelPart>('parseChannelPart', encodeJson(bound('stable', PLANNED)), {
    parse: ofBytes(parseChannelPart),
    encode: (part) => encodeJson(bindingToJson({ ...SAMPLE_ID, role: 'stable' }, channelPartToJson(part))),
  }),
  partRow<WaveStep>('parseWaveStep', encodeJson(bound('stable-rollout', waveStepToJson(SAMPLE_STEP))), {
    parse: ofBytes(parseWaveStep),
    encode: (step) => encodeJson(bindingToJson({ ...SAMPLE_ID, role: 'stable-rollout' }, waveStepToJson(step))),
  }),
  partRow<HaltPart>(
    'parseHaltPart',
    encodeJson(bound('stable-halt', haltPartToJson({ halts: [SAMPLE_HALT], former: undefined }))),
    {
      parse: ofBytes(parseHaltPart),
      encode: (part) => encodeJson(bindingToJson({ ...SAMPLE_ID, role: 'stable-halt' }, haltPartToJson(part))),
    },
  ),
  partRow<SignerAnswer>(
    'parseSignerAnswer',
    encodeUtf8('{"ok":false,"code":"WAVE_NOT_OPEN","detail":"wave 1","more":[1]}'),
    {
      parse: orUndefined(parseSignerAnswer),
      encode: ({ facts }) => encodeJson(facts),
    },
  ),
  wholeRow('parseReceipt', encodeReceipt(sampleReceipt(Uint8Array.of(1, 2, 3))), {
    parse: orUndefined(parseReceipt),
    encode: encodeReceipt,
  }),
  partRow<Provisioned>(
    'parseProvisioned',
    encodeUtf8(JSON.stringify({ ok: true, step: 'provision', deviceId: 'ab'.repeat(32), publicKey: 'cd'.repeat(32) })),
    {
      parse: orUndefined(parseProvisioned),
      encode: (provisioned) => encodeUtf8(JSON.stringify({ ok: true, step: 'provision', ...provisioned })),
    },
  ),
  partRow('parsePublishAnswer', encodeUtf8(JSON.stringify(PUBLISHED_FACTS)), {
    parse: ofBytes(parsePublishAnswer),
    encode: (facts) => encodeUtf8(JSON.stringify(facts)),
  }),
  partRow('parseRolloutStatuses', encodeUtf8(JSON.stringify({ rollouts: [ROLLOUT_STATUS] })), {
    parse: ofBytes(parseRolloutStatuses),
    encode: (rollouts) => encodeUtf8(JSON.stringify({ rollouts })),
  }),
  {
    ...partRow(
      'parsePublishRequest',
      encodePublishRequest([
        { kind: 'channel', name: 'stable', bytes: encodeUtf8('{}') },
        { kind: 'file', name: undefined, bytes: Uint8Array.of(1, 2, 3) },
      ]),
      { parse: orUndefined(parsePublishRequest), encode: encodePublishRequest },
    ),
    isJson: false,
  },
  wholeRow(
    'parseReportRecord',
    encodeReportRecord({
      ...{ sequence: 7, failures: 1, said: `${'ab'.repeat(32)} confirmed` },
      pending: encodeUtf8('{}'),
    }),
    { parse: parseReportRecord, encode: encodeReportRecord },
  ),
  wholeRow('parseConfirmation', encodeConfirmation(SAMPLE_CONFIRMATION), {
    parse: orUndefined(parseConfirmation),
    encode: encodeConfirmation,
  }),
  wholeRow('parseSigningEvent', encodeSigningEvent(SAMPLE_EVENT), {
    parse: orUndefined(parseSigningEvent),
    encode: encodeSigningEvent,
  }),
  wholeRow('parseWithdrawal', encodeWithdrawal(SAMPLE_WITHDRAWAL), {
    parse: orUndefined(parseWithdrawal),
    encode: encodeWithdrawal,
  }),
  wholeRow<readonly Person[]>('parsePeople', encodeJson(peopleToJson(PEOPLE)), {
    parse: orUndefined(parsePeople),
    encode: (people) => encodeJson(peopleToJson(people)),
  }),
  releaseRow(),
];

/** A release is assembled from targets: what it accepts is assembled again from the targets that it names. */
function releaseRow(): ParserRow {
  const holds = (mutant: Uint8Array): boolean => {
    const parsed = parseTargets(mutant);
    const release = parsed.ok ? parseRelease(parsed.value.signed.targets, '1.0.0') : undefined;
    if (release?.ok !== true) return false;
    const again = new Map<string, TargetFile>(
      release.value.components.flatMap(({ image, provenanceTarget, ...part }) => {
        const { component: _, ...described } = part;
        return [
          [image.name, { ...image, custom: imagePartToCustom(described) }] as const,
          [provenanceTarget.name, { ...provenanceTarget, custom: undefined }] as const,
        ];
      }),
    );
    expect(parseRelease(again, '1.0.0')).toEqual(release);
    return true;
  };
  return { parser: 'parseRelease', isJson: true, file: SAMPLE_FILES['1.stable.json'], holds };
}

const PROVENANCE = tinyProvenance('image.js', 'ab'.repeat(32));
const PREDICATE = { predicateType: 'https://example.com/predicate/v1', predicate: anyObject };
const STATEMENT = statementToPlain(PROVENANCE.subjects, {
  predicateType: PREDICATE.predicateType,
  predicate: { a: [1, null] },
});

const EVIDENCE: readonly ParserRow[] = [
  partRow('parseEnvelope', await signedProvenance(PROVENANCE, seededSigner('builder')), {
    parse: orUndefined((bytes) => parseEnvelope(bytes, STATEMENT_PAYLOAD_TYPE)),
    encode: encodeEnvelope,
  }),
  partRow<Statement<JsonObject>>('parseStatement', encodeUtf8(JSON.stringify(STATEMENT)), {
    parse: orUndefined((bytes) => parseStatement(bytes, PREDICATE)),
    encode: ({ subjects, predicate }) => {
      const plain = JSON.parse(parseUtf8(encodeJson(predicate)) ?? '') as object;
      return encodeUtf8(
        JSON.stringify(statementToPlain(subjects, { predicateType: PREDICATE.predicateType, predicate: plain })),
      );
    },
  }),
  partRow('parseProvenance', encodeProvenance(PROVENANCE), {
    parse: orUndefined(parseProvenance),
    encode: encodeProvenance,
  }),
  partRow('parseVsa', encodeVsa(SAMPLE_VSA), { parse: orUndefined(parseVsa), encode: encodeVsa }),
];

const LEAF = {
  type: 'release',
  product: 'gateway',
  root: 'ab'.repeat(32),
  channel: 'stable',
  version: 3,
  sha256: 'cd'.repeat(32),
  release: '1.0.0',
} as const;
const LOG = logOf([LEAF], 6);
const TILE = LOG.tiles.get('0/0') ?? [];
const LOG_PART: RootPart = {
  log: {
    ...LOG_POLICY,
    witnesses: [{ name: 'w.example', key: seededSigner('w').key, administration: 'other' }],
    quorum: 1,
  },
  pairs: [],
};

const LOG_ROWS: readonly ParserRow[] = [
  wholeRow('parseLogLeaf', encodeLogLeaf(LEAF), { parse: orUndefined(parseLogLeaf), encode: encodeLogLeaf }),
  partRow<RootPart>('parseRootPart', encodeJson(bound('root', rootPartToJson(LOG_PART))), {
    parse: ofBytes(parseRootPart),
    encode: (part) => encodeJson(bindingToJson({ ...SAMPLE_ID, role: 'root' }, rootPartToJson(part))),
  }),
  bytesRow('parseSignedNote', await signedCheckpoint(LOG), {
    parse: orUndefined(parseSignedNote),
    encode: encodeSignedNote,
  }),
  bytesRow<Checkpoint>('parseCheckpoint', await signedCheckpoint(LOG), {
    parse: orUndefined(parseCheckpoint),
    encode: ({ note, ...said }) => encodeSignedNote({ ...note, text: checkpointText(said) }),
  }),
  bytesRow('parseLogProof', await signedProof(LOG, 6), { parse: orUndefined(parseLogProof), encode: encodeLogProof }),
  bytesRow('parseTile', encodeTile(TILE), {
    parse: orUndefined((bytes) => parseTile(bytes, TILE.length)),
    encode: encodeTile,
  }),
  bytesRow('parseEntryBundle', encodeEntryBundle([Uint8Array.of(1), new Uint8Array()]), {
    parse: orUndefined((bytes) => parseEntryBundle(bytes, 2)),
    encode: encodeEntryBundle,
  }),
  textRow('parseVerifierKey', 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', {
    parse: parseVerifierKey,
    encode: (key) => encodeVerifierKey(key) ?? '',
  }),
];

const PEM = '-----BEGIN PUBLIC KEY-----\n';

const TEXTS: readonly ParserRow[] = [
  {
    ...partRow('parsePublicKeyPem', encodeUtf8(`${PEM}AAH/\n+A==\n${PEM.replace('BEGIN', 'END')}`), {
      parse: (bytes) => parsePublicKeyPem(Buffer.from(bytes).toString('latin1')),
      encode: (der) => encodeUtf8(`${PEM}${encodeBase64(der)}\n${PEM.replace('BEGIN', 'END')}`),
    }),
    isJson: false,
  },
  textRow('parseHex', '00ff10ab', { parse: parseHex, encode: encodeHex }),
  textRow('parseBase64', 'AAH/+A==', { parse: parseBase64, encode: encodeBase64 }),
  textRow('parseInstant', '2030-01-31T23:59:59Z', { parse: parseInstant, encode: encodeInstant }),
  textRow('parseTargetName', '1.0.0/gateway/image.js', { parse: parseTargetName, encode: encodeTargetName }),
  { ...partRow('parseUtf8', encodeUtf8('aé€😀'), { parse: parseUtf8, encode: encodeUtf8 }), isJson: false },
  partRow('parseJsonWithForm', SAMPLE_FILES['1.root.json'], {
    parse: orUndefined((bytes) => {
      const json = parseJsonWithForm(bytes, { bytesMax: 1_000_000 }, 'signed');
      return json.ok ? { ok: true, value: json.value.value } : json;
    }),
    encode: encodeJson,
  }),
  partRow('parseJson', SAMPLE_FILES['1.root.json'], {
    parse: orUndefined((bytes) => parseJson(bytes, { bytesMax: 1_000_000 })),
    encode: encodeJson,
  }),
  {
    ...partRow('parseRecord', encodeRecord({ sequence: 3, payload: encodeFloors(FLOORS) }), {
      parse: parseRecord,
      encode: encodeRecord,
    }),
    isJson: false,
  },
];

/** Every row; a parser of two kinds of file has two. */
export const PARSER_ROWS: readonly ParserRow[] = [
  ...METADATA,
  ...PARTS,
  ...EVIDENCE,
  ...LOG_ROWS,
  ...TEXTS,
  ...IDENTITY_ROWS,
  wholeRow('parseDeviceState', encodeDeviceState(sampleState(1)), {
    parse: orUndefined(parseDeviceState),
    encode: encodeDeviceState,
  }),
  wholeRow('parseProposal', encodeProposal(SAMPLE_PROPOSAL), {
    parse: orUndefined(parseProposal),
    encode: encodeProposal,
  }),
  wholeRow('parseStoredProposal', encodeStoredProposal(SAMPLE_STORED), {
    parse: orUndefined(parseStoredProposal),
    encode: encodeStoredProposal,
  }),
  wholeRow('parseProposalAnswer', encodeProposalAnswer(SAMPLE_ANSWER), {
    parse: orUndefined(parseProposalAnswer),
    encode: encodeProposalAnswer,
  }),
  partRow<IssuerConfiguration>('parseIssuerConfiguration', SAMPLE_CONFIGURATION, {
    parse: orUndefined(parseIssuerConfiguration),
    encode: ({ issuer, keysUrl }) => encodeUtf8(JSON.stringify({ issuer, jwks_uri: keysUrl })),
  }),
  partRow<readonly IssuerKey[]>('parseIssuerKeys', SAMPLE_KEYS, {
    parse: orUndefined(parseIssuerKeys),
    encode: (keys) => encodeUtf8(JSON.stringify({ keys: keys.map(({ kid, alg, jwk }) => ({ kid, alg, ...jwk })) })),
  }),
  wholeRow<readonly ListedComponent[]>('parseComponentList', SAMPLE_LIST, {
    parse: orUndefined(parseComponentList),
    encode: (components) => encodeJson(components.map((listed) => new Map<string, JsonValue>(Object.entries(listed)))),
  }),
  partRow('parseProblemAnswer', encodeUtf8('{"code":"TOKEN_EXPIRED","detail":"its time is over","status":401}'), {
    parse: parseProblemAnswer,
    encode: (problem) => encodeUtf8(JSON.stringify(problem)),
  }),
  partRow('parseTokenClaims', SAMPLE_CLAIMS, { parse: orUndefined(parseTokenClaims), encode: encodeClaims }),
];
