/**
 * An independent implementation as oracle: what tuf-js's models write we read to the same meaning, and the reverse.
 *
 * - Each side verifies the other's signatures over its own canonical form: so both forms are the same bytes.
 * - Names are kept below the surrogates, because the oracle sorts by UTF-16 unit; where it is laxer than we, it is no oracle.
 */
import {
  Key,
  Metadata,
  MetadataKind,
  MetaFile,
  Root,
  Signature,
  Snapshot,
  TargetFile,
  Targets,
  Timestamp,
} from '@tufjs/models';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeHex, encodeUtf8 } from '../../formats/bytes.ts';
import { encodeInstant, type Instant } from '../../formats/instant.ts';
import type { JsonObject, JsonValue } from '../../formats/json.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import { parseRoot, rootToJson, type Root as OurRoot } from '../../formats/tuf-root.ts';
import {
  parseSnapshot,
  parseTimestamp,
  snapshotToJson,
  timestampToJson,
  type MetaFile as OurMetaFile,
} from '../../formats/tuf-snapshot.ts';
import { parseTargets, targetsToJson, type Targets as OurTargets } from '../../formats/tuf-targets.ts';
import { verifyThreshold } from '../../formats/verify-signatures.ts';
import type { Signer } from '../../signer/signer.ts';
import { accepted } from '../accepted.ts';
import { toPlain } from './json-values.ts';
import { keysOf, roleOf, SAMPLE_FILES, SAMPLE_ROOT, SAMPLE_SIGNERS, signedBy } from './sample-repository.ts';

const [KEY_ONE, KEY_TWO] = SAMPLE_SIGNERS.root as readonly [Signer, Signer];

/** Text whose order is the same by UTF-16 unit and by code point, with all that canonical JSON escapes or leaves alone. */
const word = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', 'B', '0', '/', '.', '"', '\\', '\n', '\u007f', 'é', '\ud7ff'),
    fc.string({ minLength: 1, maxLength: 1 }),
  ),
  minLength: 1,
  maxLength: 12,
});
const count = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(Number.MAX_SAFE_INTEGER));
const expires: fc.Arbitrary<Instant> = fc.integer({ min: 0, max: 4e9 }).map((seconds) => seconds * 1000);
const sha256 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(encodeHex);

const jsonValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.oneof(fc.constant(null), fc.boolean(), fc.maxSafeInteger(), word),
    fc.array(tie('value'), { maxLength: 3 }),
    members(tie('value')),
  ),
})).value;
const jsonObject: fc.Arbitrary<JsonObject> = members(jsonValue);

function members<T>(value: fc.Arbitrary<T>): fc.Arbitrary<ReadonlyMap<string, T>> {
  return fc
    .array(fc.tuple(word, value), { maxLength: 4 })
    .map((entries) => new Map(entries.filter(([name]) => name !== '__proto__')));
}

const metaFile: fc.Arbitrary<OurMetaFile> = fc.record({
  version: count,
  length: fc.option(count, { nil: undefined }),
  sha256: fc.option(sha256, { nil: undefined }),
});
const meta = members(metaFile).map(
  (files) => new Map([...files].map(([name, file]) => [`${name}.json`, file] as const)),
);
const targetFile = fc.record({ length: count, sha256, custom: fc.option(jsonObject, { nil: undefined }) });
const delegation = fc.record({
  // The oracle keeps roles in a plain object, which moves names that are numbers to the front and so breaks their signature.
  name: word.filter((name) => !/^\d+$|^(__proto__|root|targets|snapshot|timestamp)$/.test(name)),
  terminating: fc.boolean(),
  paths: fc.array(word, { maxLength: 3 }),
  keyids: fc.constantFrom([], [KEY_ONE.keyid], [KEY_ONE.keyid, KEY_TWO.keyid]),
  threshold: fc.integer({ min: 1, max: 2 }),
});
const delegations = fc
  .uniqueArray(delegation, { maxLength: 3, selector: ({ name }) => name })
  .map((roles) => ({ keys: keysOf([KEY_ONE, KEY_TWO]), roles }));
const head = fc.record({ version: count, expires, firmament: fc.option(jsonObject, { nil: undefined }) });

type Kind = MetadataKind.Root | MetadataKind.Targets | MetadataKind.Snapshot | MetadataKind.Timestamp;
type Theirs = Metadata<Root | Targets | Snapshot | Timestamp>;

/** What the oracle reads of our bytes. */
function theirs(kind: Kind, bytes: Uint8Array): Theirs {
  return Metadata.fromJSON(kind as MetadataKind.Root, JSON.parse(new TextDecoder().decode(bytes)) as never);
}

/** Our file of `signed` as the oracle sees it: it reads every member, writes them again, and finds the quorum's signatures good. */
async function expectTheyAccept(kind: Kind, signed: JsonValue): Promise<void> {
  const signers = kind === MetadataKind.Root ? SAMPLE_SIGNERS.root : SAMPLE_SIGNERS[kind];
  const file = await signedBy(signed, signers);
  const read = theirs(kind, file);
  expect(read.toJSON()).toEqual(JSON.parse(new TextDecoder().decode(file)));
  expect(read.signed.toJSON()).toEqual(toPlain(signed));
  const delegator = kind === MetadataKind.Root ? read : theirs(MetadataKind.Root, SAMPLE_FILES['1.root.json']);
  expect(() => delegator.verifyDelegate(kind, read)).not.toThrow();
}

/** Signs the oracle's metadata over the oracle's canonical form; returns its file and that form. */
async function signedByThem(
  metadata: Theirs,
  signers: readonly Signer[],
): Promise<{ file: Uint8Array; message: Uint8Array }> {
  let message = new Uint8Array();
  metadata.sign((data) => {
    message = Uint8Array.from(data);
    return new Signature({ keyID: 'none', sig: '' });
  }, false);
  const signatures = await Promise.all(
    signers.map(async ({ keyid, sign }) => new Signature({ keyID: keyid, sig: encodeHex(await sign(message)) })),
  );
  const json = { ...metadata.toJSON(), signatures: signatures.map((signature) => signature.toJSON()) };
  return { file: encodeUtf8(JSON.stringify(json)), message };
}

const RUNS = { numRuns: 60 };

/** The options that every class of the oracle takes, from our head. */
function optionsOf(given: {
  readonly version: number;
  readonly expires: Instant;
  readonly firmament: JsonObject | undefined;
}): {
  readonly version: number;
  readonly specVersion: string;
  readonly expires: string;
  readonly unrecognizedFields: Record<string, never>;
} {
  const unrecognizedFields = given.firmament === undefined ? {} : { firmament: toPlain(given.firmament) as never };
  return { version: given.version, specVersion: '1.0.31', expires: encodeInstant(given.expires), unrecognizedFields };
}

function theirMetaFile(file: OurMetaFile): MetaFile {
  const { version, length, sha256: digest } = file;
  return new MetaFile({
    version,
    ...(length === undefined ? {} : { length }),
    ...(digest === undefined ? {} : { hashes: { sha256: digest } }),
  });
}

test('every root of ours is read by the oracle, which finds its own threshold met', async () => {
  const root = fc.record({ head, consistentSnapshot: fc.boolean(), threshold: fc.integer({ min: 1, max: 2 }) });
  await fc.assert(
    fc.asyncProperty(root, async ({ head: given, consistentSnapshot, threshold }) => {
      const roles = { ...SAMPLE_ROOT.roles, root: { ...SAMPLE_ROOT.roles.root, threshold } };
      const content: OurRoot = { ...SAMPLE_ROOT, consistentSnapshot, roles };
      await expectTheyAccept(MetadataKind.Root, rootToJson({ type: 'root', ...given, ...content }));
    }),
    RUNS,
  );
});

test('every targets file of ours is read by the oracle, delegations and custom parts included', async () => {
  const content: fc.Arbitrary<OurTargets> = fc.record({
    targets: members(targetFile),
    delegations: fc.option(delegations, { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(head, content, (given, targets) =>
      expectTheyAccept(MetadataKind.Targets, targetsToJson({ type: 'targets', ...given, ...targets })),
    ),
    RUNS,
  );
});

test('every snapshot and timestamp of ours is read by the oracle', async () => {
  await fc.assert(
    fc.asyncProperty(head, meta, metaFile, async (given, files, snapshot) => {
      await expectTheyAccept(MetadataKind.Snapshot, snapshotToJson({ type: 'snapshot', ...given, meta: files }));
      await expectTheyAccept(MetadataKind.Timestamp, timestampToJson({ type: 'timestamp', ...given, snapshot }));
    }),
    RUNS,
  );
});

test('every root that the oracle writes is read to the same meaning, over the same signed bytes', async () => {
  await fc.assert(
    fc.asyncProperty(head, fc.boolean(), async (given, consistentSnapshot) => {
      const root = new Root({ ...optionsOf(given), consistentSnapshot });
      for (const [role, signers] of Object.entries(SAMPLE_SIGNERS)) {
        if (role === 'stable') continue;
        for (const { keyid, key } of signers) {
          root.addKey(
            new Key({ keyID: keyid, keyType: key.keytype, scheme: key.scheme, keyVal: { public: key.public } }),
            role,
          );
        }
      }
      const { file, message } = await signedByThem(new Metadata(root), SAMPLE_SIGNERS.root);
      const parsed = accepted(parseRoot(file));
      expect(parsed.signedBytes).toEqual(message);
      const roleOfOne = (signers: readonly Signer[]): ReturnType<typeof roleOf> => ({
        ...roleOf(signers),
        threshold: 1,
      });
      expect(parsed.signed).toEqual({
        type: 'root',
        ...given,
        consistentSnapshot,
        keys: SAMPLE_ROOT.keys,
        roles: {
          root: roleOfOne(SAMPLE_SIGNERS.root),
          targets: roleOfOne(SAMPLE_SIGNERS.targets),
          snapshot: roleOfOne(SAMPLE_SIGNERS.snapshot),
          timestamp: roleOfOne(SAMPLE_SIGNERS.timestamp),
        },
      });
      const both = { name: 'root', keys: parsed.signed.keys, ...roleOf(SAMPLE_SIGNERS.root) };
      expect(verifyThreshold(parsed, both, checkSignaturePortable)).toEqual({ ok: true, value: 2 });
    }),
    RUNS,
  );
});

test('every targets file that the oracle writes is read to the same meaning, over the same signed bytes', async () => {
  await fc.assert(
    fc.asyncProperty(head, members(targetFile), async (given, files) => {
      const targets = new Targets(optionsOf(given));
      for (const [path, { length, sha256: digest, custom }] of files) {
        const unrecognizedFields = custom === undefined ? {} : { custom: toPlain(custom) as never };
        targets.addTarget(new TargetFile({ path, length, hashes: { sha256: digest }, unrecognizedFields }));
      }
      const { file, message } = await signedByThem(new Metadata(targets), SAMPLE_SIGNERS.targets);
      const parsed = accepted(parseTargets(file));
      expect(parsed.signedBytes).toEqual(message);
      expect(parsed.signed).toEqual({ type: 'targets', ...given, targets: files, delegations: undefined });
    }),
    RUNS,
  );
});

test('every snapshot and timestamp that the oracle writes is read to the same meaning, over the same signed bytes', async () => {
  await fc.assert(
    fc.asyncProperty(head, meta, metaFile, async (given, files, snapshot) => {
      const listed = Object.fromEntries([...files].map(([name, file]) => [name, theirMetaFile(file)]));
      const theirSnapshot = await signedByThem(
        new Metadata(new Snapshot({ ...optionsOf(given), meta: listed })),
        SAMPLE_SIGNERS.snapshot,
      );
      const parsed = accepted(parseSnapshot(theirSnapshot.file));
      expect(parsed.signedBytes).toEqual(theirSnapshot.message);
      expect(parsed.signed).toEqual({ type: 'snapshot', ...given, meta: files });
      const named = new Timestamp({ ...optionsOf(given), snapshotMeta: theirMetaFile(snapshot) });
      const theirTimestamp = await signedByThem(new Metadata(named), SAMPLE_SIGNERS.timestamp);
      const timestamp = accepted(parseTimestamp(theirTimestamp.file));
      expect(timestamp.signedBytes).toEqual(theirTimestamp.message);
      expect(timestamp.signed).toEqual({ type: 'timestamp', ...given, snapshot });
    }),
    RUNS,
  );
});

test('the whole sample is accepted by the oracle, channel by channel', () => {
  const root = theirs(MetadataKind.Root, SAMPLE_FILES['1.root.json']);
  const targets = theirs(MetadataKind.Targets, SAMPLE_FILES['1.targets.json']);
  expect(() => root.verifyDelegate('root', theirs(MetadataKind.Root, SAMPLE_FILES['2.root.json']))).not.toThrow();
  expect(() => root.verifyDelegate('targets', targets)).not.toThrow();
  expect(() =>
    targets.verifyDelegate('stable', theirs(MetadataKind.Targets, SAMPLE_FILES['1.stable.json'])),
  ).not.toThrow();
  expect(() =>
    root.verifyDelegate('snapshot', theirs(MetadataKind.Snapshot, SAMPLE_FILES['1.snapshot.json'])),
  ).not.toThrow();
  expect(() =>
    root.verifyDelegate('timestamp', theirs(MetadataKind.Timestamp, SAMPLE_FILES['timestamp.json'])),
  ).not.toThrow();
  expect(() =>
    root.verifyDelegate('snapshot', theirs(MetadataKind.Timestamp, SAMPLE_FILES['timestamp.json'])),
  ).toThrow();
});
