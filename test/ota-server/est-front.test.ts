/** The front of EST: what passes to the signer, what does not, and how its answers look to a device. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { encodeBase64, encodeUtf8 } from '../../formats/bytes.ts';
import { parseIssueRequest } from '../../formats/issue-request.ts';
import { OperationError } from '../../formats/operation-error.ts';
import type { SignerAnswer } from '../../formats/signer-answer.ts';
import { EST_RATE, EST_WAITING_MAX } from '../../ota-server/est-front.ts';
import type { RunningServer } from '../../ota-server/listen.ts';
import type { RateRule } from '../../ota-server/rate-limit.ts';
import { EST_LIMITS, serveEst } from '../../ota-server/serve-est.ts';
import type { ServerEvent } from '../../ota-server/server-event.ts';
import type { SignerClient } from '../../ota-server/signer-client.ts';
import { accepted } from '../accepted.ts';

let server: RunningServer;
let url: URL;
let now = 0;
const told: ServerEvent[] = [];
const asked: (readonly [string, Uint8Array])[] = [];

const done = (facts: Readonly<Record<string, string>> = {}): SignerAnswer => ({
  ok: true,
  code: undefined,
  detail: undefined,
  facts: new Map(Object.entries(facts)),
});
const refused = (code: string): SignerAnswer => ({ ok: false, code, detail: 'for a test', facts: new Map() });

async function start(answer: SignerClient, rate?: RateRule): Promise<void> {
  told.length = 0;
  asked.length = 0;
  const signer: SignerClient = (verb, body) => (asked.push([verb, body]), answer(verb, body));
  const log = (event: ServerEvent): void => void told.push(event);
  server = await serveEst({ host: '127.0.0.1', port: 0, product: 'gateway', signer, now: () => now, log, rate });
  url = new URL(`http://127.0.0.1:${server.port}/.well-known/est/gateway/`);
}

afterEach(() => server.close());

async function ask(path: string, init?: RequestInit): Promise<string> {
  const answer = await fetch(new URL(path, url), init);
  if (answer.ok) return `${answer.status} ${answer.headers.get('content-type') ?? ''}`;
  const problem: unknown = await answer.json();
  return `${answer.status} ${problem instanceof Object && 'code' in problem ? String(problem.code) : ''}`;
}

const enrolment = (change: RequestInit = {}): RequestInit => ({
  method: 'POST',
  headers: { 'firmament-proof': encodeBase64(encodeUtf8('proof')) },
  body: encodeBase64(encodeUtf8('csr')),
  ...change,
});

test('requests pass with what they carry, and answers are those of the standard', async () => {
  const facts = { certificates: 'AAAA', nonce: encodeBase64(new Uint8Array(48)) };
  await start(() => Promise.resolve(done(facts)));
  expect(await ask('cacerts')).toBe('200 application/pkcs7-mime');
  expect(await ask('nonce')).toBe('200 application/octet-stream');
  expect(await ask('simpleenroll', enrolment())).toBe('200 application/pkcs7-mime; smime-type=certs-only');
  expect(await ask('simplereenroll', enrolment())).toBe('200 application/pkcs7-mime; smime-type=certs-only');
  expect(await ask('use', { method: 'POST', body: 'word' })).toBe('204 ');
  expect(asked.map(([verb]) => verb)).toEqual(['cacerts', 'nonce', 'issue', 'issue', 'use']);
  const [enrol, rotate] = asked.slice(2).map(([, body]) => body);
  const carried = { csr: encodeUtf8('csr'), proof: encodeUtf8('proof') };
  expect(accepted(parseIssueRequest(enrol ?? new Uint8Array()))).toEqual({ purpose: 'enrol', ...carried });
  expect(accepted(parseIssueRequest(rotate ?? new Uint8Array()))).toEqual({ purpose: 'rotate', ...carried });
  expect(asked[4]?.[1]).toEqual(encodeUtf8('word'));
  const cacerts = await fetch(new URL('cacerts', url));
  expect(cacerts.headers.get('content-transfer-encoding')).toBe('base64');
  expect(cacerts.headers.get('cache-control')).toBe('no-store');
  expect(await cacerts.text()).toBe('AAAA');
});

test('what is not of its form, too long, or of another product, does not reach the signer', async () => {
  await start(() => Promise.resolve(done()));
  expect(await ask('simpleenroll', enrolment({ headers: {} }))).toBe('400 ENROLMENT_MALFORMED');
  const long = { 'firmament-proof': encodeBase64(new Uint8Array(12_289)) };
  expect(await ask('simpleenroll', enrolment({ headers: long }))).toBe('400 ENROLMENT_MALFORMED');
  expect(await ask('simpleenroll', enrolment({ body: '!' }))).toBe('400 CSR_REFUSED');
  expect(await ask('simpleenroll', enrolment({ body: encodeBase64(new Uint8Array(2_049)) }))).toBe('400 CSR_REFUSED');
  expect(await ask('simpleenroll', enrolment({ body: 'A'.repeat(8_193) }))).toBe('413 BODY_REFUSED');
  expect(await ask('simpleenroll')).toBe('405 METHOD_NOT_ALLOWED');
  expect(await ask('serverkeygen', enrolment())).toBe('404 NOT_FOUND');
  expect(await ask('../other/cacerts')).toBe('404 NOT_FOUND');
  expect(await ask('cacerts?x')).toBe('404 NOT_FOUND');
  const field = { 'firmament-proof': 'A'.repeat(EST_LIMITS.headBytesMax) };
  expect(await ask('simpleenroll', enrolment({ headers: field }))).toBe('431 HEADERS_TOO_LARGE');
  expect(asked).toEqual([]);
});

test('a refusal of the signer keeps its code; what the signer cannot judge now is to be asked again', async () => {
  let code = 'EVIDENCE_STALE';
  await start(() => Promise.resolve(refused(code)));
  expect(await ask('simpleenroll', enrolment())).toBe('403 EVIDENCE_STALE');
  expect(told).toContainEqual({ event: 'identity-refused', code, detail: 'for a test' });
  for (const [said, shown] of [
    ['EVIDENCE_MALFORMED', '400 EVIDENCE_MALFORMED'],
    ['IDENTITY_ENDED', '403 IDENTITY_ENDED'],
    ['NOT_FOUND', '404 NOT_FOUND'],
    ['CA_NOT_LISTED', '503 CA_NOT_LISTED'],
    ['NO_CODE_OF_OURS', '500 BUG'],
  ] as const) {
    code = said;
    expect(await ask('simpleenroll', enrolment())).toBe(shown);
  }
});

test('a signer that is not there, or leaves out what was asked for, is a fault and no answer', async () => {
  const away = new OperationError('NETWORK_UNREACHABLE', '/run/signer.sock', { retriable: true });
  await start((verb) => (verb === 'nonce' ? Promise.reject(away) : Promise.resolve(done())));
  expect(await ask('nonce')).toBe('503 NETWORK_UNREACHABLE');
  expect(await ask('cacerts')).toBe('503 RESPONSE_UNEXPECTED');
  const answer = await fetch(new URL('nonce', url));
  expect(await answer.text()).not.toContain('signer.sock');
});

test('an address asks as often as it may, and again once time has passed', async () => {
  await start(() => Promise.resolve(done({ certificates: '' })), { burst: 2, refillMs: 1_000 });
  const limited = '429 RATE_LIMITED';
  const fine = '200 application/pkcs7-mime';
  expect([await ask('cacerts'), await ask('cacerts'), await ask('cacerts')]).toEqual([fine, fine, limited]);
  now += 1_000;
  expect([await ask('cacerts'), await ask('cacerts')]).toEqual([fine, limited]);
  expect(EST_RATE.burst).toBeGreaterThanOrEqual(3);
});

test('as many requests wait for the signer as may, and one more is told to come again', async () => {
  let release = (): void => undefined;
  const blocked = new Promise<SignerAnswer>((resolve) => (release = () => resolve(done({ certificates: '' }))));
  await start(() => blocked);
  const waiting = Array.from({ length: EST_WAITING_MAX + 1 }, () => ask('cacerts'));
  expect(await Promise.race(waiting)).toBe('503 SERVER_BUSY');
  release();
  const answers = await Promise.all(waiting);
  expect(answers.filter((answer) => answer === '200 application/pkcs7-mime')).toHaveLength(EST_WAITING_MAX);
});

test('who sends a body slowly takes no place from those who wait for the signer', async () => {
  await start(() => Promise.resolve(done({ certificates: '' })));
  const slow = Array.from({ length: EST_WAITING_MAX }, () => connect(server.port, '127.0.0.1'));
  const head =
    'POST /.well-known/est/gateway/use HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\na';
  // Whoever is told to go on has been heard.
  await Promise.all(slow.map((socket) => (socket.write(head), once(socket, 'data'))));
  expect(await ask('cacerts')).toBe('200 application/pkcs7-mime');
  for (const socket of slow) socket.destroy();
});

test('a device that breaks off while it asks disturbs nobody', async () => {
  await start(() => Promise.resolve(done({ certificates: '' })));
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('POST /.well-known/est/gateway/use HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc');
  socket.destroy();
  await once(socket, 'close');
  expect(await ask('cacerts')).toBe('200 application/pkcs7-mime');
  await server.close();
  expect(asked.map(([verb]) => verb)).toEqual(['cacerts']);
  expect(told.filter(({ event }) => event === 'store-fault')).toEqual([]);
});
