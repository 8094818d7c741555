/** Rows of the table of parsers for signed metadata: a mutant that is accepted says the same, or is signed by nobody. */
import { expect } from 'vitest';
import { equalBytes } from '../../formats/bytes.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import type { JsonValue } from '../../formats/json.ts';
import { checkSignaturePortable, type PublicKey } from '../../formats/signature-check.ts';
import {
  encodeMetadata,
  parseMetadata,
  type Metadata,
  type MetadataParseCode,
  type SignedHead,
} from '../../formats/tuf-metadata.ts';
import { anyObject } from '../../formats/decode.ts';
import { parseRoot, rootToJson } from '../../formats/tuf-root.ts';
import { parseSnapshot, parseTimestamp, snapshotToJson, timestampToJson } from '../../formats/tuf-snapshot.ts';
import { parseTargets, targetsToJson } from '../../formats/tuf-targets.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { verifyThreshold, type RoleKeys } from '../../formats/verify-signatures.ts';
import { accepted } from '../accepted.ts';
import { makeTinyRepository } from '../tiny-repository.ts';
import type { ParserRow } from './parser-rows.ts';
import { SAMPLE_FILES } from './sample-repository.ts';

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
export const METADATA_ROWS: readonly ParserRow[] = [
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
