/**
 * One deployment of the bench in a process of its own: `PRODUCTS RELEASES FOLDER`. It prints one JSON object of figures.
 *
 * - Products are drafted, signed by their people and published by the daemon's own code over a folder and its database: founded with a
 *   history, then a release is added to `ADDED` of them, then every timestamp is renewed as each day.
 * - Last comes one product more, whose root demands a log: what its release writes is counted.
 * - What builds bring, one image and its provenance, lies in the store already, as after an upload; every release names it anew.
 */
import assert from 'node:assert';
import { closeSync, fsyncSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { refresh } from '../../bootloader-verifier/agent/refresh.ts';
import { jsonText } from '../../formats/encode-json.ts';
import type { JsonValue } from '../../formats/json.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { openDeployment } from '../../signer/daemon/deployment.ts';
import { deviceRegister } from '../../signer/identity/device-register.ts';
import type { ObjectStore } from '../../signer/object-store.ts';
import { objectStoreFolder } from '../../signer/object-store-folder.ts';
import { publishQueue } from '../../signer/publish-queue.ts';
import type { RolloutSigner } from '../../signer/rollout/run-rollout.ts';
import { checkSignature } from '../../signer/signature-check-node.ts';
import { openStateDatabase } from '../../signer/signer-state-database.ts';
import { makeFaultBooks } from '../../simulation/fault-books.ts';
import { accepted } from '../accepted.ts';
import { foundProduct, plainBuild, type PlainProduct } from '../plain-product.ts';
import { seededSigner } from '../seeded-signer.ts';
import { LOG_SIGNER } from '../tiny-log.ts';

const [products = 0, releases = 0] = process.argv.slice(2, 4).map(Number);
const folder = process.argv[4] ?? '';
const NOW = Date.UTC(2026, 0, 1);
const LATER = NOW + 0.6 * 86_400_000;
const LANES = 8;
/** Every file of a product that was founded. */
const FILES = [
  ...['root', 'targets', 'stable', 'stable-history', 'snapshot'].map((role) => `1.${role}.json`),
  'timestamp.json',
];
const FILE_BYTES_MAX = 1_000_000;
/** How many products get one more release. */
const ADDED = 100;
const online = seededSigner('bench online');
const built = await plainBuild();
const brought = new Map([built.image, built.provenance].map((bytes) => [sha256Hex(bytes), bytes]));
const objects = objectStoreFolder(join(folder, 'store'));
const store: ObjectStore = {
  get: (name, bytesMax) => {
    const bytes = broughtAs(name);
    return bytes === undefined ? objects.get(name, bytesMax) : Promise.resolve({ bytes, etag: name });
  },
  put: (name, bytes, condition) =>
    broughtAs(name) === undefined
      ? counted(name, objects.put(name, bytes, condition))
      : Promise.resolve({ ok: false, code: 'CONDITION_FAILED', detail: name }),
};
const database = await openStateDatabase(join(folder, 'state.db'));

/** Names that were written since somebody began to count; counting all of them would be most of what the process remembers. */
let writes: string[] | undefined;
async function counted<T extends { readonly ok: boolean }>(name: string, put: Promise<T>): Promise<T> {
  const done = await put;
  if (done.ok) writes?.push(name);
  return done;
}

function broughtAs(name: string): Uint8Array | undefined {
  const file = name.includes('/targets/') ? name.slice(name.lastIndexOf('/') + 1) : '';
  return brought.get(file.slice(0, file.indexOf('.')));
}

function signerOf(product: string): RolloutSigner {
  const publishing = { store, memory: database.memoryOf(product), product, onlineSigners: [online] };
  const books = makeFaultBooks();
  return { publishing, publish: publishQueue(publishing), books, register: deviceRegister(books), open: new Map() };
}

/** Processor time of `work`, in milliseconds. */
async function cpuMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function found(product: string): Promise<PlainProduct> {
  const founded = await foundProduct({ product, releases, online: online.key, now: NOW }, built);
  accepted(await signerOf(product).publish(founded.changes, NOW));
  return founded;
}

const founded: PlainProduct[] = [];
const names = Array.from({ length: products }, (_, i) => `product-${i}`);

/** Does `work` for each of `items`, some of them at a time. */
async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const lane = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

const createdMs = await cpuMs(() =>
  inLanes(names, async (product) => {
    const made = await found(product);
    if (founded.length <= ADDED) founded.push(made);
  }),
);

/** Signs, checks, writes and syncs the files of `product` once more, and their folder, and does nothing else. */
async function doLeast(product: string): Promise<void> {
  const place = join(folder, 'least', product);
  mkdirSync(place, { recursive: true });
  for (const file of FILES) {
    const object = await objects.get(`${product}/metadata/${file}`, FILE_BYTES_MAX);
    assert(object !== undefined, 'a product has six files');
    const signature = await online.sign(object.bytes);
    assert(checkSignature(online.key, object.bytes, signature), 'it is signed');
    writeFileSync(join(place, file), object.bytes, { flag: 'wx', flush: true });
  }
  const opened = openSync(place, 'r');
  fsyncSync(opened);
  closeSync(opened);
}

const leastMs = (await cpuMs(() => inLanes(names.slice(0, ADDED), doLeast))) / Math.min(ADDED, products);
const [last, ...others] = founded;
assert(last !== undefined, 'a deployment has a product');

let fetched = 0;
const client = {
  get: async (name: string, bytesMax: number): Promise<Uint8Array | undefined> => {
    const object = await store.get(`${last.id.product}/${name}`, bytesMax);
    fetched += object?.bytes.length ?? 0;
    return object?.bytes;
  },
};
const factory = { product: last.id.product, root: last.root, channelName: 'stable', components: [] };
const pinned = { version: 1, sha256: sha256Hex(last.root) };
const floors = { root: pinned, channelVersions: new Map(), securityCounters: new Map() };
const device = { device: { factory, floors, check: checkSignature }, client, now: NOW };
const cold = accepted(await refresh({ ...device, rootsAtHand: [last.root], seen: undefined }));
const coldBytes = fetched;
const channels = new Map([['stable', await last.next()]]);
accepted(await signerOf(last.id.product).publish({ channels }, NOW));
fetched = 0;
accepted(await refresh({ ...device, rootsAtHand: cold.roots, seen: cold.seen }));
const pollBytes = fetched;
writes = [];
const addedMs = await cpuMs(() =>
  inLanes(others, async ({ id, next }) => {
    accepted(await signerOf(id.product).publish({ channels: new Map([['stable', await next()]]) }, NOW));
  }),
);
const addedWrites = writes.length / others.length;
writes = undefined;
const renewedMs = await cpuMs(async () => {
  const due = await openDeployment({ database, signerOf }).doDue(LATER, (work) => work());
  assert(due.renewed === products && due.faults.length === 0, 'every timestamp was renewed');
});
const rssMb = process.resourceUsage().maxRSS / 1024;

/** What a release of one more product writes, whose root demands a log: each name once, by whether it is of TUF. */
async function writtenLogged(product: string): Promise<{ readonly loggedTuf: number; readonly loggedOthers: number }> {
  const { changes, next } = await foundProduct(
    { product, releases, online: online.key, now: NOW, isLogged: true },
    built,
  );
  const memory = database.memoryOf(product);
  const publish = publishQueue({ store, memory, product, onlineSigners: [online, LOG_SIGNER] });
  accepted(await publish(changes, NOW));
  const written: string[] = [];
  writes = written;
  accepted(await publish({ channels: new Map([['stable', await next()]]) }, NOW));
  const names = [...new Set(written)];
  const loggedTuf = names.filter((name) => name.startsWith(`${product}/metadata/`)).length;
  return { loggedTuf, loggedOthers: names.length - loggedTuf };
}

/** What the channel says of an image, in JSON. */
function imageIn(channel: Uint8Array): string {
  const image = [...accepted(parseTargets(channel)).signed.targets.values()].find(({ custom }) => custom !== undefined);
  assert(image?.custom !== undefined && image.sha256 !== undefined, 'an image has members of its own and a digest');
  const { length, sha256, custom } = image;
  return jsonText(
    new Map<string, JsonValue>([
      ['length', length],
      ['hashes', new Map([['sha256', sha256]])],
      ['custom', custom],
    ]),
  );
}

const logged = await writtenLogged('logged');
database.close();
const times = { createdMs, leastMs, addedMs, renewedMs };
const sizes = { added: others.length, addedWrites, coldBytes, pollBytes, rssMb, ...logged };
process.stdout.write(`${JSON.stringify({ ...times, ...sizes, image: imageIn(last.stable) })}\n`);
