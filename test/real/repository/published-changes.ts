/**
 * Every kind of change that a repository of ours goes through, published into a real MinIO and served by `firmament serve`, before
 * the eyes of one foreign client.
 *
 * - After each change the client refreshes from where it was, in a folder that it keeps, and once more from nothing but root 1.
 * - Both must end with the very versions that were published, and find what is listed, byte for byte, and nothing else.
 * - Where a client needs help, its own test says what for, and that it still does.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256Hex } from '../../../formats/sha256.ts';
import { objectStoreBucket } from '../../../signer/object-store-bucket.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import { signerMemoryFile } from '../../../signer/signer-memory-file.ts';
import type { Signer } from '../../../signer/signer.ts';
import type { SignerState } from '../../../signer/signer-state.ts';
import { serveStore } from '../../../pilot/store-server.ts';
import { accepted } from '../../accepted.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { allChanges, optionsFor, type Publisher } from '../../signer/publishing.ts';
import { makeTinyRepository, signedOf, type ReleaseOptions, type TinyRepository } from '../../tiny-repository.ts';
import { startMinio } from './minio-server.ts';

const TOP = ['root', 'timestamp', 'snapshot', 'targets'] as const;
type Top = (typeof TOP)[number];

/** What a client is asked for. */
export type Ask = {
  /** The client's own folder; it is there. */
  readonly folder: string;
  readonly metadataUrl: string;
  readonly targetsUrl: string;
  /** Root 1, and a file that holds it. */
  readonly root: Uint8Array;
  readonly rootFile: string;
  readonly targets: readonly string[];
};

/** What a client trusts after a refresh, and of each target its SHA-256, or in words why there is none. */
export type Seen = {
  readonly versions: Readonly<Record<Top, number>>;
  readonly targets: Readonly<Record<string, string>>;
};
export type ForeignClient = (ask: Ask) => Promise<Seen>;

type Stage = {
  readonly repository: TinyRepository;
  readonly signers: Map<string, readonly Signer[]>;
  readonly release: (options?: ReleaseOptions) => Promise<void>;
  /** What is to be done when the change has been published. */
  readonly settle: (() => void)[];
};
type Change = {
  readonly what: string;
  readonly make: (stage: Stage) => Promise<void>;
  /** Releases that no role in force vouches for after it. */
  readonly gone?: readonly string[];
};

/** New holders of a role, and how many of them must sign. */
type Holders = { readonly next: readonly Signer[]; readonly threshold: number };

function holders(name: string, count: number, threshold: number): Holders {
  return { next: Array.from({ length: count }, (_, i) => seededSigner(`interop ${name} ${i + 1}`)), threshold };
}

/**
 * Gives a top-level role other keys, under the next root, which old and new holders of root sign. Whatever is published with it is
 * signed for both roots, because devices may hold either; from the next publication on, as many of the new holders as must sign alone.
 */
async function rotate(stage: Stage, role: Top, { next, threshold }: Holders): Promise<void> {
  const { repository, signers, settle } = stage;
  const former = signers.get(role) ?? [];
  const root = signers.get('root') ?? [];
  const by = role === 'root' ? distinct([...next, ...former]) : root;
  await repository.publishRoot({ quorums: { [role]: { keys: next.map(({ key }) => key), threshold } }, signers: by });
  const both = distinct([...next, ...former]);
  if (role === 'targets') {
    await repository.publishTargets();
    repository.put('targets', await repository.sign('targets', signedOf(repository.newest('targets')), both));
  }
  signers.set(role, role === 'root' ? next : both);
  settle.push(() => signers.set(role, next.slice(0, threshold)));
}

/** Each key once; of two signers with one key, the later. */
function distinct(signers: readonly Signer[]): readonly Signer[] {
  return [...new Map(signers.map((signer) => [signer.keyid, signer])).values()];
}

/** Gives a channel other keys, or founds it, and signs a release of it with them. */
async function handOver(stage: Stage, name: string, { next, threshold }: Holders): Promise<void> {
  const quorum = { keys: next.map(({ key }) => key), threshold };
  stage.signers.set(name, next);
  await stage.repository.publishTargets({ channels: [{ name, quorum }] });
  await stage.release({ channels: [name], signers: next.slice(0, threshold) });
}

const CHANGES: readonly Change[] = [
  { what: 'the first publication', make: () => Promise.resolve() },
  { what: 'a release', make: ({ release }) => release() },
  { what: 'new root keys', make: (stage) => rotate(stage, 'root', holders('root', 3, 2)) },
  { what: 'new targets keys', make: (stage) => rotate(stage, 'targets', holders('targets', 3, 2)) },
  { what: 'a new snapshot key', make: (stage) => rotate(stage, 'snapshot', holders('snapshot', 1, 1)) },
  { what: 'a new timestamp key', make: (stage) => rotate(stage, 'timestamp', holders('timestamp', 1, 1)) },
  { what: "root's threshold up", make: (stage) => rotate(stage, 'root', holders('root', 3, 3)) },
  { what: "root's threshold down", make: (stage) => rotate(stage, 'root', holders('root', 3, 2)) },
  { what: "targets' threshold up", make: (stage) => rotate(stage, 'targets', holders('targets', 3, 3)) },
  { what: "targets' threshold down", make: (stage) => rotate(stage, 'targets', holders('targets', 3, 1)) },
  { what: "snapshot's threshold up", make: (stage) => rotate(stage, 'snapshot', holders('snapshot', 2, 2)) },
  { what: "snapshot's threshold down", make: (stage) => rotate(stage, 'snapshot', holders('snapshot', 2, 1)) },
  { what: "timestamp's threshold up", make: (stage) => rotate(stage, 'timestamp', holders('timestamp', 3, 3)) },
  { what: "timestamp's threshold down", make: (stage) => rotate(stage, 'timestamp', holders('timestamp', 3, 1)) },
  { what: 'a release under the new thresholds', make: ({ release }) => release() },
  { what: "a channel's new keys", make: (stage) => handOver(stage, 'stable', holders('stable', 3, 2)) },
  { what: "a channel's threshold up", make: (stage) => handOver(stage, 'stable', holders('stable', 3, 3)) },
  { what: "a channel's threshold down", make: (stage) => handOver(stage, 'stable', holders('stable', 3, 2)) },
  { what: 'a delegation added: a new channel', make: (stage) => handOver(stage, 'nightly', holders('nightly', 2, 1)) },
  {
    what: 'a delegation removed',
    make: async ({ repository }) => void (await repository.publishTargets({ withoutChannels: ['nightly'] })),
    gone: ['7.0.0'],
  },
  {
    what: '30 roots at once',
    make: async ({ repository, signers }) => {
      for (let count = 0; count < 30; count++) await repository.publishRoot({ signers: signers.get('root') ?? [] });
    },
  },
  {
    what: 'a history below a channel',
    make: async ({ release, signers }) => {
      const by = (signers.get('stable') ?? []).slice(0, 2);
      for (let count = 0; count < 4; count++) await release({ channels: ['stable'], isShort: true, signers: by });
    },
  },
];

/** Tests one client on every change. */
export function testForeignClient(name: string, client: ForeignClient): void {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene.close());

  test.each(CHANGES)(`${name} after $what sees what was published, warm and cold`, async ({ make, gone = [] }) => {
    await make(scene.stage);
    await scene.publish();
    for (const release of gone) scene.gone.add(release);
    for (const from of ['where it was', 'nothing but root 1'] as const) {
      expect(await client(scene.askFrom(from)), from).toEqual(scene.expected());
    }
  });
}

type Scene = {
  readonly stage: Stage;
  readonly gone: Set<string>;
  readonly publish: () => Promise<void>;
  readonly askFrom: (from: 'where it was' | 'nothing but root 1') => Ask;
  readonly expected: () => Seen;
  readonly close: () => Promise<void>;
};

async function openScene(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-interop-'));
  const minio = await startMinio();
  // As the user that the manual makes for it.
  const server = await serveStore(['--store', minio.store, '--store-credentials', minio.files.server]);
  const repository = await makeTinyRepository({ now: Date.now() });
  const publisher: Publisher = {
    store: objectStoreBucket(await minio.bucketOf('publisher')),
    memory: signerMemoryFile(join(folder, 'signer-state.json')),
  };
  const gone = new Set<string>();
  const settle: (() => void)[] = [];
  let online: SignerState | undefined;
  const rootFile = join(folder, 'root.json');
  writeFileSync(rootFile, repository.factory.root);
  const kept = join(folder, 'kept');
  mkdirSync(kept);
  const base = `${server.url}${repository.id.product}/`;
  const addresses = { metadataUrl: `${base}metadata/`, targetsUrl: `${base}targets/` };
  const askedFor = (): readonly string[] =>
    [...repository.releases.keys()].map((release) => `${release}/gateway/image.js`);
  const askFrom: Scene['askFrom'] = (from) => {
    const own = from === 'where it was' ? kept : mkdtempSync(join(folder, 'cold-'));
    return { folder: own, ...addresses, root: repository.factory.root, rootFile, targets: askedFor() };
  };
  return {
    stage: {
      repository,
      signers: repository.signers as Map<string, readonly Signer[]>,
      release: async (options) => void (await repository.publishRelease(options)),
      settle,
    },
    ...{ gone, askFrom },
    publish: async () => {
      const changes = { ...allChanges(repository), channels: delegatedFiles(repository) };
      online = accepted(await publishChanges(optionsFor(repository, publisher), changes)).state;
      for (const step of settle.splice(0)) step();
    },
    expected: () => ({ versions: versionsOf(repository, online), targets: targetsOf(repository, gone) }),
    close: async () => {
      await server.close();
      await minio.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The newest file of each role that targets delegates to, or that stands below one. */
function delegatedFiles({ files, newest }: TinyRepository): ReadonlyMap<string, Uint8Array> {
  const names = [...files.keys()].map((name) => /^metadata\/[0-9]+\.(.+)\.json$/.exec(name)?.[1] ?? 'root');
  const roles = [...new Set(names)].filter((role) => !TOP.includes(role as Top));
  return new Map(roles.map((role) => [role, newest(role)]));
}

/** The versions that were published last; those of the online roles as the publisher counts them. */
function versionsOf({ newest }: TinyRepository, online: SignerState | undefined): Seen['versions'] {
  const versionOf = (role: string): number => Number(signedOf(newest(role)).get('version'));
  const { timestampVersion = 0, snapshotVersion = 0 } = online ?? {};
  return {
    root: versionOf('root'),
    targets: versionOf('targets'),
    timestamp: timestampVersion,
    snapshot: snapshotVersion,
  };
}

/** The digest of every image that is vouched for. */
function targetsOf({ releases }: TinyRepository, gone: ReadonlySet<string>): Seen['targets'] {
  const found = [...releases].map(([release, { image }]) => [
    `${release}/gateway/image.js`,
    gone.has(release) ? 'not found' : sha256Hex(image),
  ]);
  return Object.fromEntries(found) as Seen['targets'];
}
