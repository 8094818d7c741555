/**
 * One deployment of the bench in a process of its own: `PRODUCTS RELEASES FOLDER`. It prints one JSON object of figures.
 *
 * - Products are drafted, signed by their people and published by the daemon's own code over a folder and its database: founded with a
 *   history, then one release is added to one of them, then every timestamp is renewed as each day.
 * - What builds bring, one image and its provenance, lies in the store already, as after an upload; every release names it anew.
 */
import assert from 'node:assert';
import { join } from 'node:path';
import { refresh } from '../../bootloader-verifier/agent/refresh.ts';
import { sha256Hex } from '../../formats/sha256.ts';
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

const [products = 0, releases = 0] = process.argv.slice(2, 4).map(Number);
const folder = process.argv[4] ?? '';
const NOW = Date.UTC(2026, 0, 1);
const LATER = NOW + 0.6 * 86_400_000;
const LANES = 8;
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
      ? objects.put(name, bytes, condition)
      : Promise.resolve({ ok: false, code: 'CONDITION_FAILED', detail: name }),
};
const database = await openStateDatabase(join(folder, 'state.db'));

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

const last = await found('last');
const left = Array.from({ length: products - 1 }, (_, i) => `product-${i}`).values();
const lane = async (): Promise<void> => {
  for (const product of left) await found(product);
};
await Promise.all(Array.from({ length: LANES }, lane));

let fetched = 0;
const client = {
  get: async (name: string, bytesMax: number): Promise<Uint8Array | undefined> => {
    const object = await store.get(`last/${name}`, bytesMax);
    fetched += object?.bytes.length ?? 0;
    return object?.bytes;
  },
};
const factory = { product: 'last', root: last.root, channelName: 'stable', components: [] };
const pinned = { version: 1, sha256: sha256Hex(last.root) };
const floors = { root: pinned, channelVersions: new Map(), securityCounters: new Map() };
const device = { device: { factory, floors, check: checkSignature }, client, now: NOW };
const cold = accepted(await refresh({ ...device, rootsAtHand: [last.root], seen: undefined }));
const coldBytes = fetched;
const channels = new Map([['stable', await last.next()]]);
accepted(await signerOf('last').publish({ channels }, NOW));
fetched = 0;
accepted(await refresh({ ...device, rootsAtHand: cold.roots, seen: cold.seen }));
const pollBytes = fetched;
const renewedMs = await cpuMs(async () => {
  const due = await openDeployment({ database, signerOf }).doDue(LATER, (work) => work());
  assert(due.renewed === products && due.faults.length === 0, 'every timestamp was renewed');
});
const rssMb = process.resourceUsage().maxRSS / 1024;
database.close();
process.stdout.write(`${JSON.stringify({ coldBytes, pollBytes, renewedMs, rssMb })}\n`);
