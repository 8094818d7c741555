/** The whole way of an identity over real HTTP: device, front, signer behind its socket; and openssl as a reader of what comes out. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeBase64, parseBase64 } from '../../../formats/bytes.ts';
import { parseHeldIdentities } from '../../../formats/held-identities.ts';
import { identityClientHttp } from '../../../bootloader-verifier/agent/identity-client-http.ts';
import { freshKeyNode } from '../../../bootloader-verifier/agent/identity-key-node.ts';
import { keepIdentity, type Kept } from '../../../bootloader-verifier/agent/keep-identity.ts';
import { readRecord } from '../../../bootloader-verifier/boot/flash-records.ts';
import { accept, type Verdict } from '../../../formats/verdict.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { serveIdentity, type RunningIdentity } from './running-identity.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { ask, LIFETIME_MS, makeTinyIdentity, type TinyIdentity } from '../../tiny-identity.ts';

let scene: TinyIdentity;
let now: number;
let running: RunningIdentity;
let url: URL;

beforeEach(async () => {
  scene = await makeTinyIdentity();
  now = scene.repository.now;
  running = await serveIdentity(scene, () => now);
  url = running.url;
  await scene.device.live();
});

afterEach(() => running.close());

/** Publishes a release, for the device and for the signer. */
async function release(options: Parameters<TinyIdentity['repository']['publishRelease']>[0]): Promise<void> {
  await scene.repository.publishRelease(options);
  await running.publish();
  await scene.device.live();
}

async function keep(from: TinyIdentity = scene): Promise<Verdict<Kept>> {
  const { device, issuing } = from;
  const client = identityClientHttp(url, new AbortController().signal);
  const flash = device.flash.view('system');
  return keepIdentity({ flash, client, freshKey: freshKeyNode, check: issuing.check, now }, await from.boot());
}

async function heldCertificate(): Promise<Uint8Array> {
  const record = await readRecord(scene.device.flash.view('system'), 'credentials');
  return parseHeldIdentities(record ?? new Uint8Array())?.current?.certificate ?? new Uint8Array();
}

test('a device enrols once, rotates after its update and before the end, and follows its former identity each time', async () => {
  expect(await keep()).toMatchObject({ value: { kind: 'new', certificate: { extension: { release: '1.0.0' } } } });
  expect(await keep()).toEqual(accept({ kind: 'unchanged' }));
  await release({ securityCounter: 2 });
  const rotated = await keep();
  expect(rotated).toMatchObject({ value: { certificate: { extension: { release: '2.0.0' } } } });
  expect(rotated.ok && rotated.value.kind === 'new' && rotated.value.certificate.extension.predecessor).toMatch(
    /^[0-9a-f]{64}$/,
  );
  now += LIFETIME_MS - 1_000;
  expect(await keep()).toMatchObject({ value: { kind: 'new' } });
  now += 10 * LIFETIME_MS;
  await release({ securityCounter: 2, now, draft: { lifetimeMs: 90 * 86_400_000 } });
  expect(await keep()).toMatchObject({ value: { kind: 'new', certificate: { extension: { release: '3.0.0' } } } });
});

test('a power cut at any write leaves a device with an identity that it can go on with', async () => {
  for (let writes = 0; writes < 6; writes++) {
    await release({ securityCounter: 1 });
    scene.device.flash.cutAfter(writes, (below) => below >> 1);
    await expect(keep()).rejects.toMatchObject({ code: 'POWER_CUT' });
    scene.device.flash.powerOn();
    const kept = await keep();
    expect(kept.ok, `cut at write ${writes}`).toBe(true);
    expect(await keep()).toEqual(accept({ kind: 'unchanged' }));
  }
});

test('a certificate of a CA that the people do not list is refused by the device, and its old identity stays', async () => {
  await keep();
  const before = await heldCertificate();
  await release({ securityCounter: 2 });
  await scene.repository.publishTargets({
    identityAnchors: [{ name: 'ca-1', key: seededSigner('another ca').key }],
  });
  await scene.device.live();
  expect(await keep()).toMatchObject({ ok: false, code: 'CERTIFICATE_REFUSED' });
  expect(await heldCertificate()).toEqual(before);
});

test('a device whose people list no anchor asks for nothing', async () => {
  const other = await makeTinyIdentity();
  expect(await keep(other)).toEqual(accept({ kind: 'unchanged' }));
});

test('who speaks EST without a proof gets nothing, and other paths do not reach the signer', async () => {
  const post = async (path: string, body: string, headers: Record<string, string> = {}): Promise<string> => {
    const answer = await fetch(new URL(path, url), { method: 'POST', body, headers });
    const problem: unknown = await answer.json();
    const code = typeof problem === 'object' && problem !== null && 'code' in problem ? problem.code : '';
    return `${answer.status} ${String(code)}`;
  };
  const { csr, proof } = await ask(await scene.boot(), { nonce: scene.nonce() });
  const field = { 'firmament-proof': encodeBase64(proof) };
  expect(await post('simpleenroll', encodeBase64(csr))).toBe('400 ENROLMENT_MALFORMED');
  expect(await post('simpleenroll', '!', field)).toBe('400 CSR_REFUSED');
  expect(await post('simplereenroll', encodeBase64(csr), field)).toBe('403 EVIDENCE_MISMATCH');
  expect(await post('simpleenroll', 'A'.repeat(8_193), field)).toBe('413 BODY_REFUSED');
  expect(await post('serverkeygen', '')).toBe('404 NOT_FOUND');
  expect(await post('nonce', '')).toBe('405 METHOD_NOT_ALLOWED');
  expect(await post('use', '{}')).toBe('400 ENVELOPE_MALFORMED');
});

test('openssl reads request, certificates and PKCS#7, and verifies the certificate against the CA', async () => {
  const openssl = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)('openssl', args)).stdout;
  const folder = temporaryFolder('openssl');
  const file = async (name: string, bytes: Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), bytes);
    return join(folder, name);
  };
  const { csr } = await freshKeyNode();
  expect(await openssl('req', '-inform', 'DER', '-in', await file('csr', csr), '-noout', '-verify', '-text')).toContain(
    'ED25519',
  );
  await keep();
  const answer = await (await fetch(new URL('cacerts', url))).text();
  const pkcs7 = await file('p7', parseBase64(answer) ?? new Uint8Array());
  const ca = await openssl('pkcs7', '-inform', 'DER', '-in', pkcs7, '-print_certs');
  const anchor = await file('ca.pem', new TextEncoder().encode(ca));
  const leaf = await file('leaf', await heldCertificate());
  const pem = await file('leaf.pem', new TextEncoder().encode(await openssl('x509', '-inform', 'DER', '-in', leaf)));
  const at = String(Math.floor(now / 1_000));
  expect(await openssl('verify', '-x509_strict', '-attime', at, '-CAfile', anchor, pem)).toContain('OK');
  const shown = await openssl('x509', '-in', pem, '-noout', '-text');
  expect(shown).toContain(`serialNumber = ${scene.deviceId}`);
  expect(shown).toContain('CA:FALSE');
});
