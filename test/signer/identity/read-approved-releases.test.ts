/** By what a request is judged: by what this signer itself has published, and by nothing that a store or a caller says. */
import { beforeEach, expect, test } from 'vitest';
import type { Code } from '../../../formats/codes.ts';
import { encodeIssueRequest } from '../../../formats/issue-request.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { identityVerbs, type IdentitySigner } from '../../../signer/daemon/identity-verbs.ts';
import { deviceRegister } from '../../../signer/identity/device-register.ts';
import { openViewReader } from '../../../signer/identity/read-approved-releases.ts';
import { makeFaultBooks } from '../../../simulation/fault-books.ts';
import { makeFaultStore, type FaultStore } from '../../../simulation/fault-store.ts';
import { accepted } from '../../accepted.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { ask, makeTinyIdentity, type TinyIdentity } from '../../tiny-identity.ts';
import { publishAll } from '../publishing.ts';
import { identitySigner } from './running-identity.ts';

const DAY_MS = 86_400_000;
let scene: TinyIdentity;
let publisher: FaultStore;
let signer: IdentitySigner;

beforeEach(async () => {
  scene = await makeTinyIdentity();
  publisher = makeFaultStore();
  signer = await identitySigner(scene, publisher);
  await scene.repository.publishTargets(scene.trust);
});

async function publish(): Promise<void> {
  publisher.restore();
  accepted(await publishAll(scene.repository, publisher));
}

/** What the daemon answers to the device's request, proven as a device proves it. */
async function issue(now: number = scene.repository.now, by: IdentitySigner = signer): Promise<Code | 'issued'> {
  const asked = await ask(await scene.boot(), { nonce: scene.nonce(now) });
  const body = encodeIssueRequest({ purpose: asked.purpose, csr: asked.csr, proof: asked.proof });
  const verdict = await identityVerbs(by).get('issue')?.run(body, now);
  if (verdict === undefined) throw new Error('there is such a verb');
  return verdict.ok ? 'issued' : verdict.code;
}

test('before anything is published nothing is issued', async () => {
  expect(await issue()).toBe('BOOT_NOT_APPROVED');
});

test('what was published is what is approved, under the name that people give the key of the CA', async () => {
  await publish();
  const view = accepted(await openViewReader(signer)(scene.repository.now));
  expect([...view.approved.channels.keys()]).toEqual(['stable', 'beta']);
  expect(view.ca.name).toBe('ca-1');
  expect([...view.devices.keys()]).toEqual([scene.deviceId]);
  expect(await issue()).toBe('issued');
});

test('a release that people have signed and this signer has not published is none', async () => {
  await publish();
  await scene.repository.publishRelease({ securityCounter: 2 });
  await scene.device.live();
  expect(await issue()).toBe('BOOT_NOT_APPROVED');
  await publish();
  expect(await issue()).toBe('issued');
});

test('a store that lags behind the memory of the signer, or shows other bytes, gives nothing to judge by', async () => {
  await publish();
  const before = new Map(publisher.objects);
  await scene.repository.publishRelease({ securityCounter: 2 });
  await publish();
  const newest = new Map(publisher.objects);
  publisher.objects.clear();
  for (const [name, bytes] of before) publisher.objects.set(name, bytes);
  expect(await issue()).toBe('REPOSITORY_CONFLICT');
  for (const [name, bytes] of newest) publisher.objects.set(name, bytes);
  expect(await issue()).toBe('issued');
  for (const name of newest.keys()) {
    if (/targets\.json$/.test(name)) publisher.objects.set(name, new Uint8Array([123, 125]));
  }
  expect(await issue()).toBe('REPOSITORY_CONFLICT');
});

test('a publication that ends while the view is read makes nothing stale: what is newest then is judged by', async () => {
  await publish();
  const older = await publisher.memory.read();
  await scene.repository.publishRelease({ securityCounter: 2 });
  await publish();
  let reads = 0;
  const memory = { read: () => (reads++ === 0 ? Promise.resolve(older) : publisher.memory.read()) };
  const view = accepted(await openViewReader({ ...signer, memory })(scene.repository.now));
  expect(view.approved.channels.get('stable')?.part.release).toBe('2.0.0');
});

test('a store that another signer has led on makes the memory stale, and nothing is issued over it', async () => {
  await publish();
  const old = publisher.copy();
  await scene.repository.publishRelease({ securityCounter: 2 });
  await publish();
  expect(await issue(scene.repository.now, { ...signer, memory: old.memory })).toBe('SIGNER_STATE_STALE');
});

test('a revoked image, and a counter below the least of the channel, are refused as soon as that is published', async () => {
  const image = sha256Hex(scene.repository.releases.get('1.0.0')?.image ?? new Uint8Array());
  await publish();
  expect(await issue()).toBe('issued');
  await scene.repository.publishRelease({ securityCounter: 3, draft: { revokedDigests: [image] } });
  await publish();
  expect(await issue()).toBe('IMAGE_REVOKED');
  await scene.repository.publishRelease({ securityCounter: 3, draft: { minSecurityCounter: 2 } });
  await publish();
  expect(await issue()).toBe('IMAGE_ROLLBACK');
});

test('a CA whose key people do not list issues nothing', async () => {
  await publish();
  expect(await issue(scene.repository.now, { ...signer, caSigner: seededSigner('another ca') })).toBe('CA_NOT_LISTED');
});

test('a channel approves until it expires, also for a reader that has read it before', async () => {
  await scene.repository.publishRelease({ securityCounter: 1, draft: { lifetimeMs: DAY_MS } });
  await publish();
  await scene.device.live();
  const read = openViewReader(signer);
  const end = scene.repository.now + DAY_MS;
  expect(accepted(await read(end - 1)).approved.channels.has('stable')).toBe(true);
  expect(accepted(await read(end)).approved.channels.has('stable')).toBe(false);
});

test('files are read once for many requests, and again after a publication, a new manifest, or a minute', async () => {
  await publish();
  let reads = 0;
  const { store } = signer;
  const counting: IdentitySigner = {
    ...signer,
    store: { ...store, get: (...args) => (reads++, store.get(...args)) },
    register: deviceRegister(makeFaultBooks()),
  };
  const read = openViewReader(counting);
  const { now } = scene.repository;
  accepted(await read(now));
  const once = reads;
  accepted(await read(now + 1));
  expect(reads).toBe(once);
  const { factories } = scene.trust;
  accepted(
    await counting.register.admit(scene.manifest, { ...counting, repository: scene.repository.id, factories, now }),
  );
  expect(accepted(await read(now + 2)).devices.size).toBe(1);
  expect(reads).toBe(2 * once);
  accepted(await read(now + 60_002));
  expect(reads).toBe(3 * once);
  await publish();
  accepted(await read(now + 60_003));
  expect(reads).toBeGreaterThan(3 * once);
});

test('a body that is no request of its form is refused, and so is one that names another purpose than was signed', async () => {
  await publish();
  const run = async (body: Uint8Array): Promise<string> => {
    const verdict = await identityVerbs(signer).get('issue')?.run(body, scene.repository.now);
    return verdict?.ok === false ? verdict.code : 'issued';
  };
  expect(await run(new Uint8Array([123]))).toBe('ENROLMENT_MALFORMED');
  const { csr, proof } = await ask(await scene.boot(), { nonce: scene.nonce() });
  expect(await run(encodeIssueRequest({ purpose: 'rotate', csr, proof }))).toBe('EVIDENCE_MISMATCH');
});
