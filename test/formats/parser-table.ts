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
import { encodeBase64, encodeHex, encodeUtf8, parseBase64, parseHex, parseUtf8 } from '../../formats/bytes.ts';
import { encodeCapsuleHead, parseCapsuleHead } from '../../formats/capsule.ts';
import { parseComponentList, type ListedComponent } from '../../formats/component-list.ts';
import { channelPartToJson, parseChannelPart, type ChannelPart } from '../../formats/channel-part.ts';
import { encodeConfirmation, parseConfirmation } from '../../formats/confirmation.ts';
import { encodeDeviceStatus, parseDeviceStatus } from '../../formats/device-status.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import { encodeFactoryRecord, parseFactoryRecord } from '../../formats/factory-record.ts';
import { encodeRecord, parseRecord } from '../../formats/flash-record.ts';
import { encodeFloors, parseFloors } from '../../formats/floors.ts';
import { haltPartToJson, parseHaltPart, type HaltPart } from '../../formats/halt.ts';
import { encodeInstant, parseInstant } from '../../formats/instant.ts';
import { parseJson, parseJsonWithForm, type JsonValue } from '../../formats/json.ts';
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
import { imagePartToCustom, parseRelease } from '../../formats/release.ts';
import { parseProvisioned, type Provisioned } from '../../formats/provisioned.ts';
import { parsePublishAnswer } from '../../formats/publish-answer.ts';
import { encodePublishRequest, parsePublishRequest } from '../../formats/publish-request.ts';
import { encodeReceipt, parseReceipt } from '../../formats/receipt.ts';
import { encodeReportRecord, parseReportRecord } from '../../formats/report-record.ts';
import { parseRolloutStatuses } from '../../formats/rollout-status.ts';
import { parseSignerAnswer, type SignerAnswer } from '../../formats/signer-answer.ts';
import { encodeSeenMetadata, parseSeenMetadata } from '../../formats/seen-metadata.ts';
import { encodeSigningEvent, parseSigningEvent } from '../../formats/signing-event.ts';
import { parseTrustPart, trustPartToJson, type TrustPart } from '../../formats/trust-part.ts';
import { parsePublicKeyPem } from '../../formats/public-key-pem.ts';
import { parseTargets, type TargetFile } from '../../formats/tuf-targets.ts';
import { parseWaveStep, waveStepToJson, type WaveStep } from '../../formats/wave-step.ts';
import { encodeWithdrawal, parseWithdrawal } from '../../formats/withdrawal.ts';
import { seededSigner } from '../seeded-signer.ts';
import { makeTinyRepository } from '../tiny-repository.ts';
import { SAMPLE_CONFIRMATION, SAMPLE_HALT, SAMPLE_PLAN, SAMPLE_STEP } from './sample-plan.ts';
import { encodeDeviceState, parseDeviceState } from '../../formats/device-state.ts';
import { sampleState } from '../ota-server/sample-state.ts';
import { IDENTITY_ROWS } from './identity-rows.ts';
import { ofBytes, orUndefined, partRow, textRow, wholeRow, type ParserRow } from './parser-rows.ts';
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
import { METADATA_ROWS } from './metadata-rows.ts';
import { LOG_ROWS } from './log-rows.ts';
import { EVIDENCE_ROWS } from './evidence-rows.ts';

const TINY = await makeTinyRepository();
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
  ...METADATA_ROWS,
  ...PARTS,
  ...EVIDENCE_ROWS,
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
