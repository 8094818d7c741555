/**
 * A hundred publishers at once, each of a product of its own, against one signer process that is killed among them.
 *
 * - A publisher whose signer went away asks again, as everybody does who got no answer.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { refresh } from '../bootloader-verifier/agent/refresh.ts';
import { encodePublishRequest, type RequestPart } from '../formats/publish-request.ts';
import { OperationError } from '../formats/operation-error.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { signerClient } from '../ota-server/signer-client.ts';
import { startVerb, type VerbProcess } from '../pilot/verb-process.ts';
import { generateKey } from '../signer/key-file.ts';
import type { ObjectStore } from '../signer/object-store.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import { openStateDatabase } from '../signer/signer-state-database.ts';
import { accepted } from './accepted.ts';
import { foundProduct, plainBuild, type PlainProduct } from './plain-product.ts';
import type { Ends } from './temporary-folder.ts';
import type { TinyComponent } from './tiny-release.ts';

const COUNT = 100;
const WORK_FACTOR = 4;
const ANSWER_MS_MAX = 240_000;
const TRIES_MAX = 20;

export type ManyPublishers = {
  /** Of the test's own, for sockets, keys and memory. */
  readonly folder: string;
  /** What the signer is told of its store, and the store as devices read it. */
  readonly options: readonly string[];
  readonly store: Pick<ObjectStore, 'get'>;
};
/** What it came to. */
export type ManyPublished = {
  readonly publications: number;
  readonly commits: number;
  /** How many were out when the signer was killed. */
  readonly beforeKill: number;
};

type Founded = {
  readonly place: ManyPublishers;
  readonly built: TinyComponent;
  readonly products: readonly PlainProduct[];
  readonly at: (name: string) => string;
};

async function found(place: ManyPublishers): Promise<Founded> {
  const at = (name: string): string => join(place.folder, name);
  await writeFile(at('passphrase'), 'correct horse', { mode: 0o600 });
  const key = await generateKey('correct horse', WORK_FACTOR);
  await writeFile(at('online.age'), key.file, { mode: 0o600 });
  const built = await plainBuild();
  const now = Math.floor(Date.now() / 1000) * 1000;
  const names = Array.from({ length: COUNT }, (_, i) => `product-${i}`);
  const products = await Promise.all(
    names.map((product) => foundProduct({ product, releases: 2, online: key.signer.key, now }, built)),
  );
  return { place, built, products, at };
}

/** Starts the signer of the deployment, and waits until it listens. */
function startSigner({ place, at }: Founded): Promise<VerbProcess> {
  const options = ['--socket', at('signer.sock'), '--state', at('signer'), ...place.options];
  const keys = ['--key', at('online.age'), '--passphrase-file', at('passphrase')];
  return startVerb(['signer', ...options, ...keys]);
}

/** What founds `product`, or its next release. */
async function requestOf({ built }: Founded, product: PlainProduct, isNext: boolean): Promise<Uint8Array> {
  const part = (kind: RequestPart['kind'], bytes: Uint8Array, name?: string): RequestPart => ({ kind, name, bytes });
  const files = [built.image, built.provenance].map((bytes) => part('file', bytes));
  if (isNext) return encodePublishRequest([part('channel', await product.next(), 'stable'), ...files]);
  const { roots = [], targets = new Uint8Array(), channels = new Map<string, Uint8Array>() } = product.changes;
  return encodePublishRequest([
    ...roots.map((bytes) => part('root', bytes)),
    part('targets', targets),
    ...[...channels].map(([name, bytes]) => part('channel', bytes, name)),
    ...files,
  ]);
}

/** Publishes until there is an answer: a publisher whose signer went away asks again. */
async function publish({ at }: Founded, product: PlainProduct, body: Uint8Array): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      const answer = await signerClient(at('signer.sock'), ANSWER_MS_MAX, product.id.product)('publish', body);
      return expect(answer, product.id.product).toMatchObject({ ok: true });
    } catch (fault) {
      if (!(fault instanceof OperationError) || tried === TRIES_MAX) throw fault;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** The version of the channel that a fresh device of `product` gets to. */
async function versionSeen({ store }: ManyPublishers, { id, root }: PlainProduct): Promise<number> {
  const get = async (name: string, bytesMax: number): Promise<Uint8Array | undefined> =>
    (await store.get(`${id.product}/${name}`, bytesMax))?.bytes;
  const pinned = { version: 1, sha256: sha256Hex(root) };
  const floors = { root: pinned, channelVersions: new Map(), securityCounters: new Map() };
  const factory = { product: id.product, root, channelName: 'stable', components: [] };
  const device = { factory, floors, check: checkSignature };
  const refreshed = await refresh({ device, client: { get }, rootsAtHand: [root], seen: undefined, now: Date.now() });
  return accepted(refreshed).channelRole.signed.version;
}

/**
 * A hundred publishers found a product each, and publish a release each, in the middle of which the signer is killed: every one is
 * published. A child that is still there ends with `ends`.
 */
export async function publishByMany(place: ManyPublishers, ends: Ends): Promise<ManyPublished> {
  const founded = await found(place);
  const { products, at } = founded;
  const started = async (): Promise<VerbProcess> => {
    const signer = await startSigner(founded);
    ends(async () => void (await signer.end('SIGKILL')));
    return signer;
  };
  const publishAll = async (isNext: boolean): Promise<readonly Promise<void>[]> => {
    const bodies = await Promise.all(products.map((product) => requestOf(founded, product, isNext)));
    return products.map((product, i) => publish(founded, product, bodies[i] ?? new Uint8Array()));
  };
  const seenBy = (): Promise<readonly number[]> => Promise.all(products.map((product) => versionSeen(place, product)));
  const first = await started();
  await Promise.all(await publishAll(false));
  expect(new Set(await seenBy())).toEqual(new Set([1]));
  const { facts } = await signerClient(at('signer.sock'), ANSWER_MS_MAX)('products', new Uint8Array());
  expect(facts.get('writes')).toBe(COUNT);
  const commits = Number(facts.get('commits'));
  expect(commits, 'publications that come together share commits').toBeLessThan(COUNT);
  const asked = await publishAll(true);
  // Killed once some are through and others are not.
  await Promise.race(asked);
  await first.end('SIGKILL');
  const seen = await seenBy();
  expect(seen.every((version) => version === 1 || version === 2)).toBe(true);
  expect(new Set(seen).size, 'the kill fell among the publications').toBe(2);
  const second = await started();
  await Promise.all(asked);
  expect(new Set(await seenBy())).toEqual(new Set([2]));
  expect(await second.end('SIGTERM')).toBe(0);
  const database = await openStateDatabase(join(at('signer'), 'state.db'));
  expect(database.products()).toHaveLength(COUNT);
  database.close();
  return { publications: 2 * COUNT, commits, beforeKill: seen.filter((version) => version === 2).length };
}
