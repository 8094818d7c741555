/**
 * A tiny repository for tests, in memory: every part valid, every part replaceable.
 *
 * - Deterministic: seeded keys and a fixed time; the same calls give the same bytes.
 * - `files` holds what a server would serve, by the name that a device asks for: `metadata/1.root.json`,
 *   `metadata/timestamp.json`, `targets/1.0.0/gateway/SHA256.image.js`. Tests may put, change or delete any of them.
 * - Made with the signer's drafts but not with its publisher, so that a test can also build what no publisher would let pass.
 * - People's roles need two of three keys, online roles one.
 */
import { encodeBootBundle, type BootBundle, type ComponentEvidence } from '../formats/boot-bundle.ts';
import type { RepositoryId } from '../formats/binding.ts';
import type { DeviceComponent, FactoryRecord } from '../formats/factory-record.ts';
import type { Floors } from '../formats/floors.ts';
import type { Instant } from '../formats/instant.ts';
import { parseJson, isJsonObject, type JsonValue } from '../formats/json.ts';
import { encodeTargetName, sideRole } from '../formats/names.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import type { MetaFile } from '../formats/tuf-snapshot.ts';
import type { Vsa } from '../formats/vsa.ts';
import type { RepositoryClient } from '../bootloader-verifier/agent/repository-client.ts';
import { imagesDigest } from '../bootloader-verifier/boot/device-components.ts';
import type { DeviceTrust } from '../bootloader-verifier/boot/verify-bundle.ts';
import { signMetadata } from '../signer/add-signature.ts';
import { draftChannelFiles, type ChannelDraft } from '../signer/draft-channel.ts';
import { metaFileOf, snapshotContent, timestampContent } from '../signer/draft-online.ts';
import { draftFirstRoot, draftNextRoot, type Quorums } from '../signer/draft-root.ts';
import type { LogChange } from '../signer/draft-log-policy.ts';
import { draftTargets, type TargetsDraft } from '../signer/draft-targets.ts';
import { SNAPSHOT_LIFETIME_MS, TIMESTAMP_LIFETIME_MS } from '../signer/lifetimes.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import type { Signer } from '../signer/signer.ts';
import { faultNetwork, NO_FAULTS } from '../simulation/fault-network.ts';
import { accepted } from './accepted.ts';
import { signedVsa, TINY_POLICY_SHA256, tinyJudging, tinyVsa } from './tiny-vsa.ts';
import { tinyBuilder, tinyComponent, type ComponentOptions, type TinyComponent } from './tiny-release.ts';
import { type Signers, signersOf, keysOf, quorumOf, signerAt } from './tiny-signers.ts';

/** The start of 2026: when tiny repositories are made, unless a test says otherwise. */
export const TINY_NOW: Instant = Date.UTC(2026, 0, 1);

export type ReleaseOptions = ComponentOptions & {
  /** The release's name; it is put in force. By default the next of `1.0.0`, `2.0.0`, ... */
  readonly release?: string;
  /** Channels that get it; by default all. */
  readonly channels?: readonly string[];
  /** Other components than the device's; by default the device's, its main one as the other options describe it. */
  readonly components?: readonly ComponentOptions[];
  /** Whether releases out of force go into the channel's history; by default they stay listed for ever. */
  readonly isShort?: boolean;
  /** Anything else of the draft: least counter, revoked digests, release in force, lifetime. */
  readonly draft?: Partial<ChannelDraft>;
  /** Who signs the channel; by default the quorum. */
  readonly signers?: readonly Signer[];
  readonly now?: Instant;
};

export type TinyOptions = {
  readonly product?: string;
  readonly hardwareId?: string;
  readonly component?: string;
  /** The components of the device beside the main one. */
  readonly parts?: readonly DeviceComponent[];
  /** Channels to delegate; the device follows the first. */
  readonly channels?: readonly string[];
  /** The release that all channels start with. */
  readonly first?: ReleaseOptions;
  readonly now?: Instant;
  /** What root 1 demands of a log; none unless a test says so. The proofs come with the publisher. */
  readonly log?: LogChange;
  /** Changes the keys: repositories of other seeds share none. */
  readonly seed?: string;
  /** Who holds snapshot and timestamp, where a test needs the key elsewhere, too. */
  readonly online?: Signer;
  /** Whether the tiny verifier is listed, and judges every release. */
  readonly isJudged?: boolean;
};

export type PublishedRelease = {
  readonly release: string;
  readonly components: readonly TinyComponent[];
  /** The first component's image and provenance. */
  readonly image: Uint8Array;
  readonly provenance: Uint8Array;
  /** The boot bundle of the device, for its channel. */
  readonly bundle: Uint8Array;
  /** The digest that names the images of the device's components together. */
  readonly imagesSha256: string;
};

export type TinyRepository = {
  readonly id: RepositoryId;
  readonly now: Instant;
  /** Published files by the name that a device asks for. */
  readonly files: Map<string, Uint8Array>;
  /** Signers by role: `root`, `targets`, `snapshot`, `timestamp`, each channel and the roles beside it, `builder`. */
  readonly signers: ReadonlyMap<string, readonly Signer[]>;
  readonly factory: FactoryRecord;
  /** Floors as the factory leaves them. */
  readonly floors: Floors;
  /** The releases so far, by name. */
  readonly releases: ReadonlyMap<string, PublishedRelease>;
  /** Reads `files`, with limits, like a device's client over a network. */
  readonly client: RepositoryClient;
  /** A device of this repository; either part may be replaced. */
  device(change?: Partial<DeviceTrust>): DeviceTrust;
  /** The newest published file of `role`. */
  newest(role: string): Uint8Array;
  /** All published roots, oldest first. */
  roots(): readonly Uint8Array[];
  /** The file of `signed` with the signatures of the role's quorum, or of `signers`. */
  sign(role: string, signed: JsonValue, signers?: readonly Signer[]): Promise<Uint8Array>;
  /** Puts a role's file among `files` under its version, without a snapshot that names it. Returns the file. */
  put(role: string, file: Uint8Array): Uint8Array;
  /** Signs a new snapshot over the newest files of targets and channels, and a timestamp over it. */
  publishOnline(options?: { readonly now?: Instant }): Promise<void>;
  publishRelease(options?: ReleaseOptions): Promise<PublishedRelease>;
  /** Publishes the next targets file with these changes. */
  publishTargets(change?: Partial<TargetsDraft>): Promise<Uint8Array>;
  /** Publishes the next root; signed by the former quorum and by `signers`, who hold the new keys. */
  publishRoot(change?: {
    readonly quorums?: Partial<Quorums>;
    readonly signers?: readonly Signer[];
    readonly log?: LogChange;
  }): Promise<Uint8Array>;
  /** The device's boot bundle of a release, on its channel, from what is newest; any part may be replaced. */
  bundle(release: string, change?: Partial<BootBundle>): Uint8Array;
};

/** The `signed` value of a metadata file, to change and sign again. */
export function signedOf(file: Uint8Array): Map<string, JsonValue> {
  const json = accepted(parseJson(file, { bytesMax: file.length }));
  const signed = isJsonObject(json) ? json.get('signed') : undefined;
  if (!isJsonObject(signed)) throw new Error('no metadata file');
  return new Map(signed);
}

/** A repository with root 1, channels `stable` and `beta`, and release 1.0.0 in force in both. */
export async function makeTinyRepository(options: TinyOptions = {}): Promise<TinyRepository> {
  const {
    product = 'gateway',
    channels = ['stable', 'beta'],
    now = TINY_NOW,
    seed = 'tiny',
    isJudged = false,
  } = options;
  const signers = signersOf(seed, channels, options.online);
  const quorums = {
    root: { keys: keysOf(signers, 'root'), threshold: 2 },
    targets: { keys: keysOf(signers, 'targets'), threshold: 2 },
    snapshot: { keys: keysOf(signers, 'snapshot'), threshold: 1 },
    timestamp: { keys: keysOf(signers, 'timestamp'), threshold: 1 },
  };
  const draft = accepted(draftFirstRoot({ product, quorums, now, log: options.log }));
  const rootOne = await signMetadata(signedOf(draft), quorumOf(signers, 'root'));
  const id = accepted(repositoryIdOf(rootOne));
  const { component = 'gateway', hardwareId = 'gw-1' } = options;
  const main = { component, hardwareId, installer: 'slot' as const };
  const factory: FactoryRecord = {
    product,
    components: [main, ...(options.parts ?? [])],
    channelName: channels[0] ?? 'stable',
    root: rootOne,
  };
  const repository = assemble({ id, now, signers, channels, factory, rootOne, isJudged });
  await repository.publishTargets({
    channels: channels.map((name) => ({ name, quorum: { keys: keysOf(signers, name), threshold: 2 } })),
    builders: keysOf(signers, 'builder').map((_, i) => tinyBuilder(signerAt(signers, 'builder', i))),
    ...(isJudged ? { verifiers: tinyJudging().verifiers, policySha256: TINY_POLICY_SHA256 } : {}),
  });
  await repository.publishRelease(options.first);
  return repository;
}

type Parts = {
  readonly id: RepositoryId;
  readonly now: Instant;
  readonly signers: Signers;
  readonly channels: readonly string[];
  readonly factory: FactoryRecord;
  readonly rootOne: Uint8Array;
  readonly isJudged: boolean;
};

function assemble(parts: Parts): TinyRepository {
  const { id, signers, factory, rootOne } = parts;
  const files = new Map([['metadata/1.root.json', rootOne]]);
  const releases = new Map<string, PublishedRelease>();
  const floors = {
    root: { version: 1, sha256: id.rootOneSha256 },
    channelVersions: new Map<string, number>(),
    securityCounters: new Map<string, number>(),
  };
  const repository: TinyRepository = {
    id,
    now: parts.now,
    files,
    signers,
    factory,
    floors,
    releases,
    client: faultNetwork(files, NO_FAULTS),
    device: (change) => ({ factory, floors, check: checkSignature, ...change }),
    newest: (role) => newestOf(files, role).bytes,
    roots: () => Array.from({ length: newestOf(files, 'root').version }, (_, i) => rootAt(files, i + 1)),
    sign: (role, signed, by) => signMetadata(signed, by ?? quorumOf(signers, role)),
    put: (role, file) => {
      files.set(`metadata/${versionOf(file)}.${role}.json`, file);
      return file;
    },
    publishOnline: (options) => publishOnline(repository, options?.now ?? parts.now),
    publishRelease: (options = {}) =>
      publishRelease(repository, parts, options).then((published) => {
        releases.set(published.release, published);
        return published;
      }),
    publishTargets: (change = {}) => publishTargets(repository, change),
    publishRoot: (change = {}) => publishRoot(repository, change),
    bundle: (release, change) => bundleOf(repository, { release, ...change }),
  };
  return repository;
}

function versionOf(file: Uint8Array): number {
  const version = signedOf(file).get('version');
  if (typeof version !== 'number') throw new Error('no version');
  return version;
}

function rootAt(files: ReadonlyMap<string, Uint8Array>, version: number): Uint8Array {
  const file = files.get(`metadata/${version}.root.json`);
  if (file === undefined) throw new Error(`no root ${version}`);
  return file;
}

function findNewest(
  files: ReadonlyMap<string, Uint8Array>,
  role: string,
): { version: number; bytes: Uint8Array } | undefined {
  const versions = [...files]
    .map(([name, bytes]) => ({ named: /^metadata\/(\d+)\.(.+)\.json$/.exec(name), bytes }))
    .filter(({ named }) => named?.[2] === role)
    .map(({ named, bytes }) => ({ version: Number(named?.[1]), bytes }));
  return versions.sort((a, b) => b.version - a.version)[0];
}

function newestOf(files: ReadonlyMap<string, Uint8Array>, role: string): { version: number; bytes: Uint8Array } {
  const newest = findNewest(files, role);
  if (newest === undefined) throw new Error(`no file of ${role}`);
  return newest;
}

async function publishOnline(repository: TinyRepository, now: Instant): Promise<void> {
  const { files, signers, id } = repository;
  const roles = ['targets', ...[...signers.keys()].filter((role) => !ONLINE_AND_ROOT.includes(role))];
  const meta = new Map<string, MetaFile>();
  for (const role of roles) {
    const newest = findNewest(files, role);
    if (newest !== undefined) meta.set(`${role}.json`, metaFileOf(newest.version, newest.bytes));
  }
  const version = (findNewest(files, 'snapshot')?.version ?? 0) + 1;
  const expires = now + SNAPSHOT_LIFETIME_MS;
  const snapshot = await repository.sign('snapshot', snapshotContent({ repository: id, version, expires }, meta));
  repository.put('snapshot', snapshot);
  const before = files.get('metadata/timestamp.json');
  const part = {
    repository: id,
    version: (before === undefined ? 0 : versionOf(before)) + 1,
    expires: now + TIMESTAMP_LIFETIME_MS,
  };
  const timestamp = await repository.sign('timestamp', timestampContent(part, metaFileOf(version, snapshot)));
  files.set('metadata/timestamp.json', timestamp);
}

const ONLINE_AND_ROOT = ['root', 'targets', 'snapshot', 'timestamp', 'builder'];

async function publishRelease(
  repository: TinyRepository,
  { channels: allChannels, isJudged }: Parts,
  options: ReleaseOptions,
): Promise<PublishedRelease> {
  const { files, signers, id, now, factory } = repository;
  const { release = `${repository.releases.size + 1}.0.0`, channels = allChannels } = options;
  const drafts =
    options.components ??
    factory.components.map(({ component, hardwareId, installer }) => ({
      component,
      hardwareIds: [hardwareId],
      installer,
      ...(installer === 'slot' ? options : {}),
    }));
  const components = await Promise.all(
    drafts.map(async (draft: ComponentOptions) => {
      const built = await tinyComponent(release, signerAt(signers, 'builder', 0), draft);
      return isJudged ? judgedComponent(built, { repository: id, release, vsa: draft.vsa ?? signedVsa }) : built;
    }),
  );
  for (const { draft, image, provenance, vsa } of components) {
    const folder = `targets/${release}/${draft.component}`;
    files.set(`${folder}/${draft.image.sha256}.${draft.image.file}`, image);
    files.set(`${folder}/${draft.provenance.sha256}.${draft.provenance.file}`, provenance);
    if (vsa !== undefined) files.set(`${folder}/${sha256Hex(vsa)}.${draft.vsa?.file ?? ''}`, vsa);
  }
  for (const channel of channels) {
    const former = findNewest(files, channel)?.bytes;
    const described = { name: release, components: components.map(({ draft }) => draft) };
    const time = { now: options.now ?? now };
    const draft = { repository: id, channel, former, release: described, ...time, ...options.draft };
    const history = {
      former: findNewest(files, sideRole(channel, 'history'))?.bytes,
      delegatedBy: repository.newest('targets'),
    };
    const drafted = accepted(draftChannelFiles(draft, options.isShort === true ? history : undefined));
    repository.put(channel, await repository.sign(channel, signedOf(drafted.channel), options.signers));
    if (drafted.history !== undefined) {
      const name = sideRole(channel, 'history');
      repository.put(name, await repository.sign(name, signedOf(drafted.history), options.signers));
    }
  }
  await repository.publishOnline({ now: options.now ?? now });
  const [first] = components;
  if (first === undefined) throw new Error('a release has a component');
  const { image, provenance } = first;
  const own = new Set(factory.components.map(({ component }) => component));
  const imagesSha256 = imagesDigest(components.map(({ draft }) => draft).filter(({ component }) => own.has(component)));
  const evidence = evidenceOf(factory, components);
  const bundle = bundleOf(repository, { release, ...(evidence.length > 0 ? { evidence } : {}) });
  return { release, components, image, provenance, bundle, imagesSha256 };
}

/** `built` with the summary that `vsa` makes of what an honest verifier would say. */
async function judgedComponent(
  built: TinyComponent,
  by: {
    readonly repository: RepositoryId;
    readonly release: string;
    readonly vsa: (honest: Vsa) => Promise<Uint8Array | undefined>;
  },
): Promise<TinyComponent> {
  const { component, image, provenance, ...said } = built.draft;
  const named = { ...image, name: encodeTargetName({ release: by.release, component, file: image.file }) };
  const provenanceTarget = { ...provenance, name: '' };
  const vsa = await by.vsa(tinyVsa(by.repository, { ...said, image: named, provenanceTarget }));
  if (vsa === undefined) return built;
  const file = { file: `${image.file}.vsa.json`, length: vsa.length, sha256: sha256Hex(vsa) };
  return { ...built, draft: { ...built.draft, vsa: file }, vsa };
}

async function publishTargets(repository: TinyRepository, change: Partial<TargetsDraft>): Promise<Uint8Array> {
  const { files, id, now } = repository;
  const former = findNewest(files, 'targets')?.bytes;
  const draft = accepted(draftTargets({ repository: id, former, now, ...change }));
  const file = repository.put('targets', await repository.sign('targets', signedOf(draft)));
  await repository.publishOnline();
  return file;
}

async function publishRoot(
  repository: TinyRepository,
  change: { readonly quorums?: Partial<Quorums>; readonly signers?: readonly Signer[]; readonly log?: LogChange },
): Promise<Uint8Array> {
  const { now, signers } = repository;
  const draft = accepted(
    draftNextRoot({ former: repository.newest('root'), quorums: change.quorums ?? {}, now, log: change.log }),
  );
  const by = new Set([...quorumOf(signers, 'root'), ...(change.signers ?? [])]);
  return repository.put('root', await repository.sign('root', signedOf(draft), [...by]));
}

/** The evidence of those components that the device has, in the order of the release. */
function evidenceOf(factory: FactoryRecord, components: readonly TinyComponent[]): readonly ComponentEvidence[] {
  const own = new Set(factory.components.map(({ component }) => component));
  return components
    .map(({ draft, provenance, vsa }) => ({ component: draft.component, provenance, vsa }))
    .filter(({ component }) => own.has(component));
}

/** What stands for the device's components in `release`; of a release without any, evidence that is empty. */
function evidenceIn({ factory, releases }: TinyRepository, release: string): readonly ComponentEvidence[] {
  const found = evidenceOf(factory, releases.get(release)?.components ?? []);
  if (found.length > 0) return found;
  return factory.components.map(({ component }) => ({ component, provenance: new Uint8Array() }));
}

function bundleOf(repository: TinyRepository, change: Partial<BootBundle> & { readonly release: string }): Uint8Array {
  return encodeBootBundle({
    roots: repository.roots(),
    targets: repository.newest('targets'),
    channel: repository.newest(repository.factory.channelName),
    evidence: evidenceIn(repository, change.release),
    ...change,
  });
}
