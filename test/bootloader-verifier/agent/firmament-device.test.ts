/** `firmament-device` as a process: its verbs, its exits, one JSON line a step, and a clean end. */
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../bootloader-verifier/agent/clock-system.ts';
import { runVerb } from '../../../bootloader-verifier/agent/verbs.ts';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../../tiny-repository.ts';

const MAIN = fileURLToPath(new URL('../../../bootloader-verifier/agent/main.ts', import.meta.url));
/** An image that passes, says who it is, and stays until it is asked to end. */
const IMAGE = `console.log('pid ' + process.pid);
console.log(JSON.stringify({ firmament: 'self-test', ok: true, firmwareVersion: '1.0.0', detail: 'fine' }));
setInterval(() => {}, 1000);`;

let home: string;
let repository: TinyRepository;
let server: Server;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'firmament-device-'));
  const now = Date.now();
  repository = await makeTinyRepository({ now: now - (now % 1000), first: { image: encodeUtf8(IMAGE) } });
  await writeFile(join(home, 'root.json'), repository.newest('root'));
  server = createServer((request, response) => {
    const file = repository.files.get((request.url ?? '').replace('/r/gateway/', ''));
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(home, { recursive: true, force: true });
});

type Ended = { readonly exit: number | null; readonly lines: readonly Line[]; readonly notes: string };
type Line = { readonly step?: string; readonly ok: boolean; readonly code?: string; readonly detail?: unknown };

/** Runs the program to its end; `onLine` sees each line as it comes, and may send it a signal. */
function device(
  args: readonly string[],
  onLine?: (line: Line, notes: string, signal: (name: 'SIGTERM' | 'SIGINT') => void) => void,
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let notes = '';
  child.stderr.on('data', (chunk: Buffer) => (notes += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (out + chunk.toString()).split('\n');
    const seen = out.split('\n').length - 1;
    out += chunk.toString();
    for (const part of parts.slice(seen, -1)) onLine?.(JSON.parse(part) as Line, notes, (name) => child.kill(name));
  });
  return new Promise((resolve) => {
    child.on('close', (exit) => {
      const lines = out.split('\n').filter((line) => line !== '');
      resolve({ exit, lines: lines.map((line) => JSON.parse(line) as Line), notes });
    });
  });
}

/** What the program runs, without a process: for lines that end before anything of the system is touched. */
async function deviceHere(args: readonly string[]): Promise<Ended> {
  const lines: Line[] = [];
  let notes = '';
  const stop = AbortSignal.abort();
  const exit = await runVerb(args, {
    nodePath: process.execPath,
    clock: systemClock(stop),
    newSecret: (count) => new Uint8Array(count),
    writeLine: (line) => void lines.push(JSON.parse(line) as Line),
    writeNote: (text) => void (notes += text),
    stop,
  });
  return { exit, lines, notes };
}

function provisionArgs(change: Readonly<Record<string, string>> = {}): readonly string[] {
  const options = {
    flash: join(home, 'flash'),
    root: join(home, 'root.json'),
    product: 'gateway',
    component: 'gateway:gw-1:slot',
    channel: 'stable',
    ...change,
  };
  return ['provision', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])];
}

function runArgs(...more: readonly string[]): readonly string[] {
  const { port } = server.address() as AddressInfo;
  return ['run', '--flash', join(home, 'flash'), '--url', `http://127.0.0.1:${port}/r/gateway/`, ...more];
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('a device is provisioned once: the second time is refused, and changes nothing', async () => {
  expect(await device(provisionArgs())).toMatchObject({ exit: 0, lines: [{ ok: true, step: 'provision' }] });
  expect(await device(provisionArgs())).toMatchObject({ exit: 1, lines: [{ ok: false, code: 'DEVICE_PROVISIONED' }] });
});

test('a device is not provisioned with what is no root 1 of its product, and its flash stays blank', async () => {
  const root = signedOf(repository.newest('root'));
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    [
      'gateway',
      await repository.sign('root', root, (repository.signers.get('root') ?? []).slice(0, 1)),
      'METADATA_THRESHOLD_UNMET',
    ],
    ['gateway', await repository.publishRoot(), 'ROOT_VERSION_NOT_NEXT'],
    ['gateway', repository.newest('targets'), 'METADATA_TYPE_MISMATCH'],
    ['gateway', encodeUtf8('no root'), 'JSON_MALFORMED'],
    ['other', repository.roots()[0] ?? new Uint8Array(), 'REPOSITORY_MISMATCH'],
  ];
  for (const [product, bytes, code] of cases) {
    await writeFile(join(home, 'wrong.json'), bytes);
    const ended = await device(provisionArgs({ root: join(home, 'wrong.json'), product }));
    expect(ended).toMatchObject({ exit: 1, lines: [{ ok: false, code }] });
  }
  expect(await readdir(home)).not.toContain('flash');
});

test('a command line that is not understood ends with 64, usage for people and its code for programs', async () => {
  const { port } = server.address() as AddressInfo;
  const misuses = [
    [],
    ['fly'],
    ['provision'],
    provisionArgs({ product: 'Not A Name' }),
    provisionArgs({ component: 'gateway:gw-1' }),
    provisionArgs({ component: 'gateway:gw-1:script' }),
    provisionArgs({ component: 'gateway:gw-1:slot:more' }),
    provisionArgs({ component: 'Gate Way:gw-1:slot' }),
    ['run', '--flash', home],
    runArgs('--poll-ms', '0'),
    runArgs('--microcontroller', 'hub'),
    runArgs('--microcontroller', 'hub='),
    runArgs('--unknown'),
    ['run', '--flash', home, '--url', `http://127.0.0.1:${port}/r/gateway`],
    ['run', '--flash', home, '--url', 'file:///r/gateway/'],
    ['run', '--flash', home, '--url', 'http://user@127.0.0.1/r/gateway/'],
  ];
  for (const args of misuses) {
    const { exit, lines, notes } = await deviceHere(args);
    expect([exit, lines.map(({ code }) => code)], args.join(' ')).toEqual([64, ['USAGE']]);
    expect(notes).toContain('Usage: firmament-device');
    expect(notes.split('\n').length).toBeLessThan(24);
  }
  for (const args of misuses.slice(0, 3)) expect(await device(args)).toEqual(await deviceHere(args));
});

test('a root file that cannot be read ends with 69', async () => {
  const ended = await device(provisionArgs({ root: join(home, 'nowhere.json') }));
  expect(ended).toMatchObject({ exit: 69, lines: [{ ok: false, code: 'FILE_UNREADABLE' }] });
});

test('a provisioned device installs, tries, confirms and settles, one JSON line a step', async () => {
  await device(provisionArgs());
  const { exit, lines } = await device(runArgs('--until-settled', '--name', 'gw-7'));
  expect(lines.map(({ step }) => step)).toEqual([
    'slot-refused',
    'slot-refused',
    'recovery',
    'install',
    'start',
    'self-test',
    'confirm',
    'poll',
    'start',
    'self-test',
    'poll',
    'stop',
  ]);
  expect(exit).toBe(0);
  expect(lines.every((line) => 'by' in line && line.by === 'gw-7')).toBe(true);
});

test('a device that was never provisioned needs recovery and installs nothing', async () => {
  const { exit, lines } = await device(runArgs('--until-settled'));
  expect(lines).toMatchObject([
    { step: 'recovery', code: 'PROTECTED_STORE_MISSING' },
    { step: 'poll', code: 'PROTECTED_STORE_MISSING' },
    { step: 'stop' },
  ]);
  expect(exit).toBe(0);
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends the device in order, and its image with it', async (signal) => {
  await device(provisionArgs());
  const ended = await device(runArgs('--poll-ms', '50'), (line, _, send) => {
    if (line.step === 'poll' && line.ok) send(signal);
  });
  expect(ended).toMatchObject({ exit: 0 });
  expect(ended.lines.at(-1)).toMatchObject({ step: 'stop', ok: true });
  const pid = Number(/image: pid (\d+)/.exec(ended.notes)?.[1]);
  expect(pid).toBeGreaterThan(0);
  expect(isAlive(pid)).toBe(false);
});

test('a device that is asked to end while a self-test is silent reverts nothing', async () => {
  repository = await makeTinyRepository({
    now: repository.now,
    first: { image: encodeUtf8('setInterval(() => {}, 1000);') },
  });
  await writeFile(join(home, 'root.json'), repository.newest('root'));
  await device(provisionArgs());
  const ended = await device(runArgs(), (line, _, send) => {
    if (line.step === 'start') send('SIGTERM');
  });
  expect(ended.exit).toBe(0);
  expect(ended.lines.map(({ step }) => step)).toEqual([
    'slot-refused',
    'slot-refused',
    'recovery',
    'install',
    'start',
    'stop',
  ]);
});
