/** A hundred publishers at once, each of a product of its own, against one signer process: every one is published, also through a kill. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refresh } from '../../bootloader-verifier/agent/refresh.ts';
import { encodePublishRequest, type RequestPart } from '../../formats/publish-request.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { signerClient } from '../../ota-server/signer-client.ts';
import { startVerb, type VerbProcess } from '../../pilot/verb-process.ts';
import { generateKey } from '../../signer/key-file.ts';
import { objectStoreFolder } from '../../signer/object-store-folder.ts';
import { checkSignature } from '../../signer/signature-check-node.ts';
import { openStateDatabase } from '../../signer/signer-state-database.ts';
import { accepted } from '../accepted.ts';
import { foundProduct, plainBuild, type PlainProduct } from '../plain-product.ts';
import type { TinyComponent } from '../tiny-release.ts';

const COUNT = 100;
const WORK_FACTOR = 4;
const ANSWER_MS_MAX = 240_000;
const TRIES_MAX = 20;

let folder: string;
let built: TinyComponent;
let products: readonly PlainProduct[];
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-many-'));
  await writeFile(at('passphrase'), 'correct horse', { mode: 0o600 });
  const key = await generateKey('correct horse', WORK_FACTOR);
  await writeFile(at('online.age'), key.file, { mode: 0o600 });
  built = await plainBuild();
  const now = Math.floor(Date.now() / 1000) * 1000;
  const names = Array.from({ length: COUNT }, (_, i) => `product-${i}`);
  products = await Promise.all(
    names.map((product) => foundProduct({ product, releases: 2, online: key.signer.key, now }, built)),
  );
});

afterAll(() => rm(folder, { recursive: true }));

/** Starts the signer of the deployment, and waits until it listens. */
function startSigner(): Promise<VerbProcess> {
  const options = ['--socket', at('signer.sock'), '--store', at('store'), '--state', at('signer')];
  const keys = ['--key', at('online.age'), '--passphrase-file', at('passphrase')];
  return startVerb(['signer', ...options, ...keys]);
}

/** What founds `product`, or its next release. */
async function requestOf(product: PlainProduct, isNext: boolean): Promise<Uint8Array> {
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
async function publish(product: PlainProduct, body: Uint8Array): Promise<void> {
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
async function versionSeen({ id, root }: PlainProduct): Promise<number> {
  const store = objectStoreFolder(at('store'));
  const get = async (name: string, bytesMax: number): Promise<Uint8Array | undefined> =>
    (await store.get(`${id.product}/${name}`, bytesMax))?.bytes;
  const pinned = { version: 1, sha256: sha256Hex(root) };
  const floors = { root: pinned, channelVersions: new Map(), securityCounters: new Map() };
  const factory = { product: id.product, root, channelName: 'stable', components: [] };
  const device = { factory, floors, check: checkSignature };
  const refreshed = await refresh({ device, client: { get }, rootsAtHand: [root], seen: undefined, now: Date.now() });
  return accepted(refreshed).channelRole.signed.version;
}

test('a hundred publishers at once are all published, and again where the signer is killed in the middle', async () => {
  const first = await startSigner();
  const founding = await Promise.all(products.map((product) => requestOf(product, false)));
  await Promise.all(products.map((product, i) => publish(product, founding[i] ?? new Uint8Array())));
  for (const product of products) expect(await versionSeen(product)).toBe(1);
  const { facts } = await signerClient(at('signer.sock'), ANSWER_MS_MAX)('products', new Uint8Array());
  expect(facts.get('writes')).toBe(COUNT);
  expect(Number(facts.get('commits')), 'publications that come together share commits').toBeLessThan(COUNT);
  const next = await Promise.all(products.map((product) => requestOf(product, true)));
  const asked = products.map((product, i) => publish(product, next[i] ?? new Uint8Array()));
  // Killed once some are through and others are not.
  await Promise.race(asked);
  await first.end('SIGKILL');
  const seen = await Promise.all(products.map(versionSeen));
  expect(seen.every((version) => version === 1 || version === 2)).toBe(true);
  expect(new Set(seen).size, 'the kill fell among the publications').toBe(2);
  const second = await startSigner();
  await Promise.all(asked);
  for (const product of products) expect(await versionSeen(product)).toBe(2);
  expect(await second.end('SIGTERM')).toBe(0);
  const database = await openStateDatabase(join(at('signer'), 'state.db'));
  expect(database.products()).toHaveLength(COUNT);
  database.close();
});
