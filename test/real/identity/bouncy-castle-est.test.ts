/** Bouncy Castle's EST client, unchanged, gets an identity from our front: over TLS, for a request and key of its own, with a real proof. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeBase64 } from '../../../formats/bytes.ts';
import { proveIdentity } from '../../../bootloader-verifier/agent/prove-identity.ts';
import { serveIdentity, type RunningIdentity } from '../../signer/identity/running-identity.ts';
import { temporaryFolder, type Ends } from '../../temporary-folder.ts';
import { makeTinyIdentity, type TinyIdentity } from '../../tiny-identity.ts';
import { BOUNCY_CASTLE } from '../parts.ts';

const CLIENT_MS_MAX = 240_000;
let scene: TinyIdentity;
let running: RunningIdentity;
let tls: Server;
let folder: string;
let server: string;
let now: number;
const ended: (() => void | Promise<void>)[] = [];

async function run(command: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd: folder, timeout: CLIENT_MS_MAX });
  return stdout;
}

function client(...args: readonly string[]): Promise<string> {
  const [java, ...rest] = BOUNCY_CASTLE;
  return run(java, ...rest, ...args);
}

/** The proof of the scene's device for the request of the client, under a fresh nonce of the signer. */
async function proofFor(csr: Uint8Array): Promise<string> {
  const nonce = new Uint8Array(await (await fetch(new URL('nonce', running.url))).arrayBuffer());
  return encodeBase64(proveIdentity(await scene.boot(), { nonce, csr, confirmed: true, former: undefined }));
}

beforeAll(async () => {
  const ends: Ends = (work) => ended.push(work);
  folder = temporaryFolder('bouncy-castle', ends);
  scene = await makeTinyIdentity('claimed', ends);
  now = scene.repository.now;
  running = await serveIdentity(scene, () => now);
  await scene.device.live();
  await run(
    'openssl',
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', 'tls.key', '-out', 'tls.pem'],
  );
  const [key, cert] = [await readFile(join(folder, 'tls.key')), await readFile(join(folder, 'tls.pem'))];
  // TLS is ended before the front, as in production.
  tls = createServer({ key, cert }, (socket) => {
    const front = connect(Number(running.url.port), '127.0.0.1');
    socket.pipe(front).pipe(socket);
    for (const end of [socket, front]) end.on('error', () => end.destroy());
  });
  tls.listen(0, '127.0.0.1');
  await once(tls, 'listening');
  const address = tls.address();
  server = `localhost:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
}, CLIENT_MS_MAX);

afterAll(async () => {
  tls.close();
  await running.close();
  for (const end of ended) await end();
});

test(
  'it enrols with the proof of a confirmed boot, and openssl verifies what it got against what it fetched',
  async () => {
    const { product } = scene.repository.id;
    await writeFile(join(folder, 'ca.pem'), await client('begin', server, product));
    const csr = await readFile(join(folder, 'request.der'));
    const issued = await client('enrol', server, product, `enrol:${await proofFor(csr)}`);
    await writeFile(join(folder, 'leaf.pem'), issued);
    const at = String(Math.floor(now / 1_000));
    const checks = ['-x509_strict', '-purpose', 'sslclient', '-attime', at];
    expect(await run('openssl', 'verify', ...checks, '-CAfile', 'ca.pem', 'leaf.pem')).toContain('leaf.pem: OK');
    const shown = await run('openssl', 'x509', '-in', 'leaf.pem', '-noout', '-subject', '-pubkey', '-ext', 'keyUsage');
    expect(shown).toContain(scene.deviceId);
    expect(shown).not.toContain('whatever the client says');
    expect(shown).toContain(await run('openssl', 'req', '-inform', 'DER', '-in', 'request.der', '-noout', '-pubkey'));
  },
  CLIENT_MS_MAX,
);

test(
  'without a proof, with one for another request, and with one that was used, it gets nothing',
  async () => {
    const { product } = scene.repository.id;
    await client('begin', server, product);
    const csr = await readFile(join(folder, 'request.der'));
    const other = await proofFor(new Uint8Array(csr.length));
    const proof = await proofFor(csr);
    const tried = ['enrol:', `enrol:${other}`, `reenrol:${proof}`, `enrol:${proof}`, `enrol:${proof}`];
    const told = await client('enrol', server, product, ...tried);
    expect(told.match(/^(status \d+|-----BEGIN CERTIFICATE-----)$/gm)).toEqual([
      ...['status 400', 'status 403', 'status 403'],
      ...['-----BEGIN CERTIFICATE-----', 'status 403'],
    ]);
  },
  CLIENT_MS_MAX,
);
