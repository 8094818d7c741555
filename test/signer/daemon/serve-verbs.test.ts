/** The signer's door: for its owner alone, one verb at a time, and nothing that is not a verb's. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { OperationError } from '../../../formats/operation-error.ts';
import { accept, reject } from '../../../formats/verdict.ts';
import { signerClient, type SignerClient } from '../../../ota-server/signer-client.ts';
import { serveVerbs, WAITING_MAX, type RunningDaemon } from '../../../signer/daemon/serve-verbs-http.ts';
import type { SignerVerb } from '../../../signer/daemon/verb-table.ts';

let folder: string;
let daemon: RunningDaemon;
let call: SignerClient;
let running: number;
let most: number;
let release: () => void;
let told: string[];

const verb = (run: SignerVerb['run'], bodyBytesMax = 16): SignerVerb => ({ bodyBytesMax, run });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-daemon-'));
  running = 0;
  most = 0;
  told = [];
  release = () => undefined;
  const verbs = new Map([
    ['echo', verb(async (body) => Promise.resolve(accept({ length: body.length })))],
    ['refuse', verb(async () => Promise.resolve(reject('PLAN_HALTED', 'for a test')))],
    ['fault', verb(() => Promise.reject(new OperationError('LOCK_HELD', 'for a test', { retriable: true })))],
    ['bug', verb(() => Promise.reject(new Error('a secret of ours')))],
    ['block', verb(async () => new Promise<void>((resolve) => (release = resolve)).then(() => accept({})))],
    [
      'count',
      verb(async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        return accept({});
      }),
    ],
  ]);
  const socketPath = join(folder, 'signer.sock');
  daemon = await serveVerbs({ socketPath, verbs, now: () => 0, log: (line) => told.push(line) });
  call = signerClient(socketPath, 5_000);
});

afterEach(async () => {
  release();
  await daemon.close();
  await rm(folder, { recursive: true });
});

test('the socket is open to its owner alone', async () => {
  expect((await stat(join(folder, 'signer.sock'))).mode & 0o777).toBe(0o600);
});

test('a verb gets its bytes and answers with its facts; a refusal is an answer with its code', async () => {
  const answer = await call('echo', encodeUtf8('sixteen bytes...'));
  expect(answer).toMatchObject({ ok: true });
  expect(answer.facts.get('length')).toBe(16);
  expect(await call('refuse', new Uint8Array())).toMatchObject({
    ok: false,
    code: 'PLAN_HALTED',
    detail: 'for a test',
  });
});

test('a body beyond its limit, and a name that is no verb, are refused unread', async () => {
  expect(await call('echo', new Uint8Array(17))).toMatchObject({ ok: false, code: 'BODY_REFUSED' });
  expect(await call('nothing', new Uint8Array())).toMatchObject({ ok: false, code: 'NOT_FOUND' });
});

test('a fault of the world is no answer to a caller, and a bug tells nobody but the log', async () => {
  await expect(call('fault', new Uint8Array())).rejects.toThrow(OperationError);
  const bug = await call('bug', new Uint8Array()).catch((fault: unknown) => fault);
  expect(bug).toBeInstanceOf(OperationError);
  expect(String(bug)).not.toContain('a secret of ours');
});

test('verbs run one at a time, in turn with what the daemon does by itself', async () => {
  const asked = Array.from({ length: 8 }, () => call('count', new Uint8Array()));
  const own = daemon.inTurn(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
  });
  await Promise.all([...asked, own]);
  expect(most).toBe(1);
});

test('the verbs of the one product that is served take turns by both of their addresses', async () => {
  const count = verb(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running--;
    return accept({});
  });
  // As where each table is wrapped for itself: they are not the same table, and still of the same product.
  const table = (): ReadonlyMap<string, SignerVerb> => new Map([['count', count]]);
  const socketPath = join(folder, 'product.sock');
  const options = { socketPath, product: 'gateway', now: () => 0, log: () => undefined };
  const both = await serveVerbs({ ...options, verbs: table(), verbsOf: table });
  const calls = [undefined, 'gateway'].map((product) => signerClient(socketPath, 5_000, product));
  const asked = Array.from({ length: 4 }, () => calls.map((ask) => ask('count', new Uint8Array()))).flat();
  await Promise.all([...asked, both.inTurn(() => count.run(new Uint8Array(), 0))]);
  await both.close();
  expect(most).toBe(1);
});

test('as many requests wait as may, and one more is told to come again', async () => {
  const blocked = call('block', new Uint8Array());
  const waiting = Array.from({ length: WAITING_MAX }, () =>
    call('echo', new Uint8Array()).catch((fault: unknown) => fault),
  );
  const first = await Promise.race(waiting);
  expect(String(first)).toContain('the signer at');
  release();
  await blocked;
  const answers = await Promise.all(waiting);
  expect(answers.filter((answer) => answer instanceof OperationError)).toHaveLength(1);
});

test('bodies that wait take no more memory than two of the longest, and one that breaks off is no fault of ours', async () => {
  const half = Array.from({ length: 5 }, () => connect(join(folder, 'signer.sock')));
  for (const socket of half)
    socket
      .on('error', () => socket.destroy())
      .write('POST /echo HTTP/1.1\r\nhost: signer\r\ncontent-length: 16\r\n\r\n12345678');
  const answer = await new Promise<string>((resolve) => {
    for (const socket of half) socket.once('data', (bytes: Uint8Array) => resolve(new TextDecoder().decode(bytes)));
  });
  expect(answer).toContain('503');
  expect(answer).toContain('SERVER_BUSY');
  for (const socket of half) socket.destroy();
  await expect.poll(async () => (await call('echo', new Uint8Array(16)).catch(() => undefined))?.ok).toBe(true);
  expect(told).toEqual([]);
});

test('a socket that a dead process left behind is replaced, one that is served is not', async () => {
  const verbs = new Map<string, SignerVerb>();
  const options = { verbs, now: () => 0, log: () => undefined };
  const socketPath = join(folder, 'signer.sock');
  await expect(serveVerbs({ ...options, socketPath })).rejects.toMatchObject({ code: 'ADDRESS_UNAVAILABLE' });
  const left = join(folder, 'left.sock');
  const dies = `require('node:net').createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, 'SIGKILL'))`;
  expect(spawnSync(process.execPath, ['-e', dies]).signal).toBe('SIGKILL');
  expect((await stat(left)).isSocket()).toBe(true);
  const other = await serveVerbs({ ...options, socketPath: left });
  expect((await stat(left)).isSocket()).toBe(true);
  await other.close();
});

test('a file under the name of the socket is in the way, and stays', async () => {
  const socketPath = join(folder, '1.root.json');
  await writeFile(socketPath, 'root 1');
  const options = { socketPath, verbs: new Map<string, SignerVerb>(), now: () => 0, log: () => undefined };
  await expect(serveVerbs(options)).rejects.toMatchObject({ code: 'ADDRESS_UNAVAILABLE' });
  expect(await readFile(socketPath, 'utf8')).toBe('root 1');
});
