/** Identities for a device without network: `firmament identity` carries files between the signer's socket and the device's folder. */
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { carriedFile, carriedNonce } from '../../../formats/carried-identity.ts';
import { parseHeldIdentities, type HeldIdentities } from '../../../formats/held-identities.ts';
import { ISSUE_REQUEST_BYTES_MAX, parseIssueRequest } from '../../../formats/issue-request.ts';
import { accept, type Verdict } from '../../../formats/verdict.ts';
import { identityClientFolder } from '../../../bootloader-verifier/agent/identity-client-folder.ts';
import { freshKeyNode } from '../../../bootloader-verifier/agent/identity-key-node.ts';
import { keepIdentity, type Kept } from '../../../bootloader-verifier/agent/keep-identity.ts';
import { readRecord } from '../../../bootloader-verifier/boot/flash-records.ts';
import { noIdentities } from '../../../signer/identity/device-identities.ts';
import { accepted } from '../../accepted.ts';
import { firmament, firmamentBound, type Ended } from '../../cli/run-firmament.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { makeTinyIdentity, type TinyIdentity } from '../../tiny-identity.ts';
import { serveIdentity, type RunningIdentity } from './running-identity.ts';

const LOOK_MS = 20;
const NOTHING_DUE = accept({ kind: 'unchanged' });

let scene: TinyIdentity;
let running: RunningIdentity;
let folder: string;

beforeEach(async () => {
  scene = await makeTinyIdentity();
  running = await serveIdentity(scene, () => scene.repository.now);
  onTestFinished(() => running.close());
  folder = temporaryFolder('carried');
  await scene.device.live();
});

/** One look of the device at its folder. */
async function look(): Promise<Verdict<Kept>> {
  const client = identityClientFolder(folder, scene.deviceId);
  const { now } = scene.repository;
  const ports = {
    flash: scene.device.flash.view('system'),
    client,
    freshKey: freshKeyNode,
    check: scene.issuing.check,
  };
  return keepIdentity({ ...ports, now }, await scene.boot());
}

function carry(...more: readonly string[]): Promise<Ended> {
  return firmament(...visit(), ...more);
}

function visit(): readonly string[] {
  return ['identity', '--signer', running.socket, '--folder', folder, '--device', scene.deviceId, '--json'];
}

/** Looks until `carried` has ended. @returns how it ended, and what the looks brought that was new or refused. */
async function lookDuring(
  carried: Promise<Ended>,
): Promise<{ readonly ended: Ended; readonly seen: readonly Verdict<Kept>[] }> {
  const seen: Verdict<Kept>[] = [];
  let ended: Ended | undefined;
  void carried.then((end) => (ended = end));
  while (ended === undefined) {
    const kept = await look();
    if (!kept.ok || kept.value.kind === 'new') seen.push(kept);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return { ended, seen };
}

async function held(): Promise<HeldIdentities | undefined> {
  return parseHeldIdentities((await readRecord(scene.device.flash.view('system'), 'credentials')) ?? new Uint8Array());
}

async function update(): Promise<void> {
  await scene.repository.publishRelease({ securityCounter: 1 });
  await running.publish();
  await scene.device.live();
}

test('a device gets its first identity and the next one over files, and the signer hears that each is used', async () => {
  expect(await look()).toEqual(NOTHING_DUE);
  expect(readdirSync(folder)).toEqual([]);
  const first = await lookDuring(carry());
  expect(first.ended).toMatchObject({ exit: 0, answer: { ok: true, device: scene.deviceId } });
  expect(first.seen).toMatchObject([{ value: { kind: 'new', certificate: { extension: { release: '1.0.0' } } } }]);
  expect(readdirSync(folder)).toEqual([]);
  await update();
  const second = await lookDuring(carry());
  expect(second.seen).toMatchObject([{ value: { kind: 'new', certificate: { extension: { release: '2.0.0' } } } }]);
  const known = await scene.issuing.ledger.read(scene.deviceId);
  expect(known).toMatchObject({ isForked: false, next: undefined, ended: [{ because: 'followed' }] });
  expect(await look()).toEqual(NOTHING_DUE);
});

test('where nothing is due the carrier says so after its time, and takes its nonce back', async () => {
  await lookDuring(carry());
  const { ended, seen } = await lookDuring(carry('--wait', '1'));
  expect(ended).toMatchObject({ exit: 1, answer: { code: 'NOT_FOUND' } });
  expect(seen).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

test('an answer that was carried away, and a word that was not handed in, cost nothing: the next visit goes on', async () => {
  writeFileSync(join(folder, carriedNonce(scene.deviceId)), scene.nonce());
  expect(await look()).toEqual(NOTHING_DUE);
  expect(await look()).toEqual(NOTHING_DUE);
  const [asked = '', ...more] = readdirSync(folder).filter((name) => name.endsWith('.enrolment'));
  expect(more).toEqual([]);
  expect(accepted(parseIssueRequest(readFileSync(join(folder, asked)))).purpose).toBe('enrol');
  const { ended } = await lookDuring(carry());
  expect(ended.exit).toBe(0);
  await update();
  // The device is served, and its word lies there when the carrier has gone.
  const nonce = scene.nonce();
  writeFileSync(join(folder, carriedNonce(scene.deviceId)), nonce);
  await look();
  const [name = ''] = readdirSync(folder).filter((found) => found.endsWith('.enrolment'));
  const request = readFileSync(join(folder, name));
  const answer = await fetch(new URL('simplereenroll', running.url), {
    method: 'POST',
    headers: {
      'content-type': 'application/pkcs10',
      'firmament-proof': Buffer.from(accepted(parseIssueRequest(request)).proof).toString('base64'),
    },
    body: Buffer.from(accepted(parseIssueRequest(request)).csr).toString('base64'),
  });
  writeFileSync(join(folder, carriedFile(scene.deviceId, 'identity', request)), await answer.text());
  expect(await look()).toMatchObject({ value: { kind: 'new' } });
  expect((await scene.issuing.ledger.read(scene.deviceId)).next).toBeDefined();
  const handed = await lookDuring(carry('--wait', '1'));
  expect(handed.ended).toMatchObject({ exit: 0, answer: { device: scene.deviceId } });
  expect((await scene.issuing.ledger.read(scene.deviceId)).next).toBeUndefined();
});

test('a device whose identity the signer knows nothing of is told so in the place of the answer, and enrols anew', async () => {
  await lookDuring(carry());
  await scene.issuing.ledger.write(noIdentities(scene.deviceId));
  await update();
  const { ended, seen } = await lookDuring(carry());
  expect(ended.exit).toBe(0);
  expect(seen).toMatchObject([{ value: { kind: 'new', certificate: { extension: { release: '2.0.0' } } } }]);
  expect((await scene.issuing.ledger.read(scene.deviceId)).current).toBeDefined();
});

test('what the signer refuses ends the visit with its code, and the device keeps what it holds', async () => {
  await lookDuring(carry());
  const before = await held();
  await scene.repository.publishRelease({ securityCounter: 1 });
  // The device has it from elsewhere; the signer has published no such release.
  await scene.device.live();
  const { ended, seen } = await lookDuring(carry());
  expect(ended).toMatchObject({ exit: 1, answer: { code: 'BOOT_NOT_APPROVED' } });
  for (const told of seen) expect(told).toMatchObject({ code: 'BOOT_NOT_APPROVED' });
  expect((await held())?.current).toEqual(before?.current);
});

test('junk, links and files of others in the folder neither end a visit nor reach the device', async () => {
  const id = scene.deviceId.slice(0, 16);
  const odd = carriedFile(scene.deviceId, 'use', Uint8Array.of(1));
  writeFileSync(join(folder, odd), 'no envelope');
  writeFileSync(join(folder, carriedFile(scene.deviceId, 'enrolment', Uint8Array.of(2))), 'no request');
  writeFileSync(join(folder, `${id}-x.use`), 'x');
  symlinkSync('/dev/zero', join(folder, carriedFile(scene.deviceId, 'use', Uint8Array.of(4))));
  symlinkSync('/dev/zero', join(folder, carriedNonce('f'.repeat(64))));
  mkdirSync(join(folder, carriedFile(scene.deviceId, 'identity', Uint8Array.of(3))));
  const { ended } = await lookDuring(carry());
  expect(ended.exit).toBe(0);
  symlinkSync('/dev/zero', join(folder, carriedNonce(scene.deviceId)));
  await update();
  expect(await look()).toEqual(NOTHING_DUE);
});

test('what is named like a request or a use and cannot be one is passed over, named once, and stays', async () => {
  const saying = new Map<string, RegExp>();
  let seed = 0;
  const junk = (kind: 'enrolment' | 'use', why: RegExp): string => {
    const name = carriedFile(scene.deviceId, kind, Uint8Array.of(++seed));
    saying.set(name, why);
    return join(folder, name);
  };
  const long = new Uint8Array(ISSUE_REQUEST_BYTES_MAX + 1);
  for (const kind of ['enrolment', 'use'] as const) {
    symlinkSync('/dev/zero', junk(kind, /is no plain file/));
    mkdirSync(junk(kind, /is no plain file/));
    execFileSync('mkfifo', [junk(kind, /is no plain file/)]);
  }
  writeFileSync(junk('use', /20481 bytes/), long);
  const closed = junk('use', /EACCES/);
  writeFileSync(closed, 'x');
  chmodSync(closed, 0);
  // Requests of another visit go before the nonce comes; this one comes after it.
  const late = junk('enrolment', /20481 bytes/);
  const visiting = firmamentBound(...visit());
  await expect.poll(() => readdirSync(folder), { timeout: 20_000 }).toContain(carriedNonce(scene.deviceId));
  writeFileSync(late, long);
  const { ended, seen } = await lookDuring(visiting);
  expect(ended).toMatchObject({ exit: 0, answer: { ok: true, device: scene.deviceId } });
  expect(seen).toMatchObject([{ value: { kind: 'new' } }]);
  expect(readdirSync(folder).sort()).toEqual([...saying.keys()].sort());
  for (const [name, why] of saying) {
    const about = ended.stderr.split('\n').filter((line) => line.includes(name));
    expect(about, name).toEqual([expect.stringMatching(why)]);
    expect(about[0]).toMatch(/^passed over: /);
  }
});

test('a socket that answers as it likes gets no certificate onto the device', async () => {
  const socket = join(temporaryFolder('false-signer'), 'signer.sock');
  const other = await makeTinyIdentity();
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ ok: true, nonce: Buffer.from(other.nonce()).toString('base64'), certificates: 'AAAA' }),
    );
  }).listen(socket);
  onTestFinished(() => void server.close());
  const ended = firmament(
    'identity',
    '--signer',
    socket,
    '--folder',
    folder,
    '--device',
    scene.deviceId,
    '--wait',
    '2',
    '--json',
  );
  const { seen } = await lookDuring(ended);
  expect(new Set(seen.map((kept) => (kept.ok ? kept.value.kind : kept.code)))).toEqual(
    new Set(['CERTIFICATE_REFUSED']),
  );
  expect((await held())?.current).toBeUndefined();
});
