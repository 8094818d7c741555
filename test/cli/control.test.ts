/** `firmament control` as a process: what it takes for rules, and that it serves until it is told to end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { proposerValue } from '../../cli/proposer-value.ts';
import { CLI, firmament } from './run-firmament.ts';

const GITHUB = 'https://token.actions.githubusercontent.com';

test('a proposer is a product, an issuer and a subject, which may hold commas', () => {
  expect(proposerValue(`gateway,${GITHUB},repo:acme/gateway:ref:refs/heads/a,b`)).toEqual({
    ...{ product: 'gateway', issuer: GITHUB, subject: 'repo:acme/gateway:ref:refs/heads/a,b' },
  });
  expect(proposerValue('gateway,http://127.0.0.1:8080,repo:acme/*:ref:refs/heads/main').issuer).toMatch(/^http:/);
});

test.each([
  'gateway',
  `gateway,${GITHUB}`,
  `gateway,${GITHUB},`,
  `Gateway,${GITHUB},repo:acme/gateway:ref:refs/heads/main`,
  `targets,${GITHUB},repo:acme/gateway:ref:refs/heads/main`,
  `gateway,${GITHUB},*`,
  `gateway,${GITHUB},repo:*/gateway:ref:refs/heads/main`,
  `gateway,${GITHUB}?x=1,repo:acme/gateway:ref:refs/heads/main`,
  'gateway,https://user:secret@issuer.example,repo:acme/gateway:ref:refs/heads/main',
  'gateway,http://issuer.example,repo:acme/gateway:ref:refs/heads/main',
  'gateway,file:///issuer,repo:acme/gateway:ref:refs/heads/main',
])('%s lets nobody propose: it is misuse', (value) => {
  expect(() => proposerValue(value)).toThrow(expect.objectContaining({ code: 'commander.invalidArgument' }));
});

test('without a rule there is no control plane', async () => {
  expect(await firmament('control', '--store', 'x', '--state', 'y', '--audience', 'z')).toMatchObject({ exit: 64 });
});

test('it serves until it is told to end, says where, and lets nobody in without a token', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'firmament-control-'));
  const rule = 'gateway,http://127.0.0.1:9,repo:acme/gateway:ref:refs/heads/main';
  const args = [
    '--store',
    join(folder, 'store'),
    '--state',
    join(folder, 'state'),
    '--audience',
    'a',
    '--proposer',
    rule,
  ];
  const child = spawn(process.execPath, [CLI, 'control', ...args, '--port', '0', '--json']);
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { ok, url } = JSON.parse(line) as { readonly ok: boolean; readonly url: string };
  expect(ok).toBe(true);
  expect((await fetch(`${url}api/v1/gateway/proposals`)).status).toBe(401);
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
  await rm(folder, { recursive: true });
});
