/** Receipts on the command line: what a device whom a factory lists has not signed is told with its code. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { runFirmament } from '../../cli/run-firmament.ts';
import { encodeHex } from '../../formats/bytes.ts';
import { RECEIPT_FILE_BYTES_MAX } from '../../formats/receipt.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { serveVerbs } from '../../signer/daemon/serve-verbs-http.ts';
import type { VerbFacts } from '../../signer/daemon/verb-table.ts';
import { seededSigner } from '../seeded-signer.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { manifestOf, publishFactory, tinyFleet } from '../tiny-fleet.ts';
import { receiptOf } from '../tiny-receipt.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';
import { publishPlanned } from '../tiny-rollout.ts';

const [device, other] = tinyFleet(2);
if (device === undefined || other === undefined) throw new Error('a fleet of two');
let folder = '';
let repository: TinyRepository;
const at = (name: string): string => join(folder, name);
const write = (name: string, bytes: Uint8Array | string): Promise<void> => writeFile(at(name), bytes, { mode: 0o600 });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-receipt-'));
  repository = await makeTinyRepository();
  await publishFactory(repository);
  await publishPlanned(repository, '2.0.0', { offline: true });
  await write('1.root.json', repository.factory.root);
  await write('targets.json', repository.newest('targets'));
  await write('stable.json', repository.newest('stable'));
  await write('manifest.json', await manifestOf(repository, [device]));
});
afterAll(() => rm(folder, { recursive: true }));

type Ended = { readonly exit: number; readonly answer: Readonly<Record<string, unknown>>; readonly said: string };

/** Runs a verb as a process without a terminal would. */
async function firmament(...args: readonly string[]): Promise<Ended> {
  let answer = '';
  let said = '';
  const host = {
    now: () => repository.now,
    newId: () => '',
    newKey: (sizeBytes: number) => new Uint8Array(sizeBytes),
    env: {},
    say: (text: string) => void (said += text),
    isInteractive: false,
    stop: new AbortController().signal,
  };
  const exit = await runFirmament(args, host, {
    json: true,
    out: (text) => void (answer += text),
    say: host.say,
    debug: false,
  });
  return { exit, said, answer: answer === '' ? {} : (JSON.parse(answer) as Ended['answer']) };
}

const trust = (): readonly string[] => [
  ...['--root', at('1.root.json'), '--targets', at('targets.json'), '--manifest', at('manifest.json')],
];

test('a receipt is read and said in words: the device, what it did, and whether that is the release in force', async () => {
  await write('good.receipt', await receiptOf(repository, device));
  const read = await firmament('receipt', at('good.receipt'), ...trust(), '--channel-file', at('stable.json'));
  expect(read).toMatchObject({ exit: 0, answer: { ok: true } });
  expect(read.answer['receipts']).toMatchObject([
    { deviceId: device.deviceId, release: '2.0.0', outcome: 'confirmed', counts: false },
  ]);
});

test('a receipt of a device that no manifest lists, a forged one, and what is none, are refused with their codes', async () => {
  await write('unlisted.receipt', await receiptOf(repository, other));
  await write('forged.receipt', await receiptOf(repository, device, { by: seededSigner('thief') }));
  await write('product.receipt', await receiptOf(repository, device, { receipt: { product: 'other' } }));
  await write('none.receipt', '{}');
  for (const [name, code] of [
    ['unlisted', 'RECEIPT_SIGNATURE_INVALID'],
    ['forged', 'RECEIPT_SIGNATURE_INVALID'],
    ['product', 'REPOSITORY_MISMATCH'],
    ['none', 'ENVELOPE_MALFORMED'],
  ] as const) {
    const refused = await firmament('receipt', at(`${name}.receipt`), ...trust());
    expect(refused, name).toMatchObject({ exit: 1, answer: { ok: false, code } });
    expect(refused.answer['detail'], name).toContain(`${name}.receipt`);
  }
});

/** A signer that counts receipts, but for one that it has counted before. */
async function serveReceipts(
  before = new Uint8Array(),
): Promise<{ readonly socket: string; readonly counted: () => number }> {
  const old = encodeHex(before);
  let counted = 0;
  const run = (body: Uint8Array): Promise<Verdict<VerbFacts>> => {
    if (encodeHex(body) === old) return Promise.resolve(reject('RECEIPT_STALE', 'it was counted before'));
    counted++;
    return Promise.resolve(accept({}));
  };
  const socket = join(temporaryFolder('receipts'), 'signer.sock');
  const verbs = new Map([['receipt', { bodyBytesMax: 100_000, run }]]);
  const [now, log] = [(): number => repository.now, (): undefined => undefined];
  const daemon = await serveVerbs({ socketPath: socket, verbs, verbsOf: () => verbs, now, log });
  onTestFinished(() => daemon.close());
  return { socket, counted: () => counted };
}

test('one that came back before stands in the way of none after it: all are handed in, and the first refusal is told', async () => {
  await write('1-old.receipt', await receiptOf(repository, device));
  await write('2-new.receipt', await receiptOf(repository, device, { receipt: { sequence: 9_000_000_000 } }));
  const signer = await serveReceipts(await readFile(at('1-old.receipt')));
  const handed = await firmament('receipt', at('1-old.receipt'), at('2-new.receipt'), '--signer', signer.socket);
  expect(handed).toMatchObject({ exit: 1, answer: { code: 'RECEIPT_STALE' } });
  expect(handed.answer['detail']).toContain('1-old.receipt');
  expect(handed.said).toContain('it counts');
  expect(signer.counted()).toBe(1);
});

test('nor does one that cannot be read, is none, or is of a stranger: the good ones are handed in, and the first is told', async () => {
  const bad = ['1-long', '2-folder', '3-pipe', '4-link', '5-absent', '6-none', '7-stranger'].map(
    (name) => `${name}.receipt`,
  );
  const [long = '', sub = '', pipe = '', link = '', , none = '', stranger = ''] = bad;
  await write('good.receipt', await receiptOf(repository, device));
  await write(long, new Uint8Array(RECEIPT_FILE_BYTES_MAX + 1));
  await mkdir(at(sub));
  execFileSync('mkfifo', [at(pipe)]);
  await symlink('/dev/zero', at(link));
  await write(none, '{}');
  await write(stranger, await receiptOf(repository, other));
  for (const [name, exit, code] of [
    [long, 1, 'RECEIPT_MALFORMED'],
    [sub, 69, 'FILE_UNREADABLE'],
    [pipe, 69, 'FILE_UNREADABLE'],
    [link, 69, 'FILE_UNREADABLE'],
    ['5-absent.receipt', 69, 'FILE_UNREADABLE'],
    [none, 1, 'ENVELOPE_MALFORMED'],
    [stranger, 1, 'RECEIPT_SIGNATURE_INVALID'],
  ] as const) {
    const signer = await serveReceipts();
    const handed = await firmament('receipt', at(name), at('good.receipt'), ...trust(), '--signer', signer.socket);
    expect([handed.exit, handed.answer['code']], name).toEqual([exit, code]);
    expect(handed.answer['detail'], name).toContain(name);
    expect(handed.said, name).toContain('it counts');
    expect(signer.counted(), name).toBe(1);
  }
  const signer = await serveReceipts();
  const all = await firmament('receipt', ...bad.map(at), at('good.receipt'), ...trust(), '--signer', signer.socket);
  expect(signer.counted()).toBe(1);
  for (const name of bad.slice(1)) expect(all.said, `${name} is told, too`).toContain(name);
});

test('whom to trust is said whole, or the signer is named; one that does not answer is no refusal', async () => {
  expect(await firmament('receipt', at('good.receipt'))).toMatchObject({ exit: 64 });
  expect(await firmament('receipt', at('good.receipt'), '--targets', at('targets.json'))).toMatchObject({ exit: 64 });
  const away = await firmament('receipt', at('good.receipt'), '--signer', at('nobody.sock'));
  expect(away).toMatchObject({ exit: 69, answer: { code: 'NETWORK_UNREACHABLE' } });
});
