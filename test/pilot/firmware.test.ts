/** The pilot's firmware, each version built and run as a device runs it: as bytes on standard input. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildTwice } from '../../actions/build/run.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const FIRMWARE = fileURLToPath(new URL('../../pilot/firmware', import.meta.url));
const VERSIONS = ['1.0.0', '2.0.0', '3.0.0', '4.0.0'] as const;
const images = new Map<string, Uint8Array>();
const running = new Set<Running>();
let work = '';

type Running = {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly lines: string[];
  /** The line, parsed, that has the given member. */
  readonly line: (member: string) => Promise<Record<string, unknown>>;
  readonly exit: Promise<number | string>;
};

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'firmware-test-'));
  for (const version of VERSIONS) {
    const built = await buildTwice({
      source: FIRMWARE,
      command: ['node', 'build.ts', version],
      output: 'dist/gateway.js',
      work,
      env: process.env,
      envAllowed: [],
      timeLimitMs: 50_000,
      clock: Date.now,
    });
    if (!built.ok) throw new Error(`${built.code}: ${built.detail}`);
    images.set(version, built.value.image);
  }
});
afterAll(() => {
  for (const { child } of running) child.kill('SIGKILL');
  rmSync(work, { recursive: true, force: true });
});

/** Starts an image as a device does: Node, the image on standard input, nothing but the mode in the environment. */
function start(version: string, mode: string | undefined): Running {
  const env = mode === undefined ? {} : { FIRMAMENT_MODE: mode };
  return follow(
    spawn(process.execPath, ['--input-type=module', '-'], { env, stdio: ['pipe', 'pipe', 'inherit'] }),
    version,
  );
}

function follow(child: ChildProcessByStdio<Writable, Readable, null>, version: string): Running {
  const lines: string[] = [];
  const waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  let ended = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    wake();
  });
  const exit = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => {
      ended = true;
      resolve(code ?? signal ?? '');
      wake();
    });
  });
  child.stdin.end(images.get(version));
  const line = async (member: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const found = lines.map((text) => JSON.parse(text) as Record<string, unknown>).find((json) => member in json);
      if (found !== undefined) return found;
      if (ended) throw new Error(`it ended without a line with ${member}`);
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  const started = { child, lines, line, exit };
  running.add(started);
  return started;
}

/** A frame as a sensor makes it, written here a second time. */
function frame(sensor: number, sequence: number, values: { temperature: number; humidity: number }): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16BE(0x466d, 0);
  bytes.writeUInt8(1, 2);
  bytes.writeUInt32BE(sensor, 4);
  bytes.writeUInt32BE(sequence, 8);
  bytes.writeInt16BE(values.temperature, 12);
  bytes.writeUInt16BE(values.humidity, 14);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 16)), 16);
  return bytes;
}

async function send(port: unknown, ...pieces: readonly Buffer[]): Promise<void> {
  const socket = connect(Number(port), '127.0.0.1');
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.on('error', () => socket.destroy());
    socket.resume();
    for (const piece of pieces) socket.write(piece);
    socket.end();
  });
}

async function statusOf(port: unknown): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${Number(port)}/status`);
  return response.json();
}

describe.each(['1.0.0', '2.0.0', '4.0.0'])('version %s', (version) => {
  test('tests itself, says so in exactly one line, serves, and ends with 0 when told to', async () => {
    const image = start(version, 'trial');
    expect(await image.line('firmament')).toEqual({
      firmament: 'self-test',
      ok: true,
      firmwareVersion: version,
      detail: 'frames, listeners and status agree',
    });
    const { sensorPort, statusPort } = await image.line('gateway');
    expect(await statusOf(statusPort)).toEqual({
      firmwareVersion: version,
      mode: 'trial',
      accepted: 0,
      repeated: 0,
      refused: 0,
      sensors: [],
    });
    await send(sensorPort, frame(5, 1, { temperature: -1234, humidity: 4500 }));
    expect(await statusOf(statusPort)).toMatchObject({
      accepted: 1,
      sensors: [{ sensor: 5, sequence: 1, temperature: -1234, humidity: 4500, window: { count: 1 } }],
    });
    image.child.kill('SIGTERM');
    expect(await image.exit).toBe(0);
    expect(image.lines.filter((line) => line.includes('"firmament"'))).toHaveLength(1);
  });
});

describe('version 3.0.0', () => {
  test('fails its self-test because it reads temperatures below zero wrongly, and ends with 1', async () => {
    const image = start('3.0.0', 'trial');
    const result = await image.line('firmament');
    expect(result).toMatchObject({ firmament: 'self-test', ok: false, firmwareVersion: '3.0.0' });
    expect(result['detail']).toContain('"temperature":-32767');
    expect(await image.exit).toBe(1);
  });

  test('differs from the repaired version 4.0.0 in what a sign means, and in nothing else', async () => {
    const [broken, repaired] = await Promise.all(
      ['3.0.0', '4.0.0'].map((version) => readFile(join(FIRMWARE, 'versions', `${version}.ts`), 'utf8')),
    );
    const alike = (source = ''): string =>
      source
        .replace(/^\/\*\*.*\n/, '')
        .replaceAll(/fromSignMagnitude|fromTwosComplement/g, 'SIGN')
        .replaceAll(/sign-magnitude|twos-complement/g, 'SIGN')
        .replaceAll(/[34]\.0\.0/g, 'VERSION');
    expect(alike(broken)).toBe(alike(repaired));
  });
});

describe('every image', () => {
  test('is one file that imports nothing but modules of Node', () => {
    for (const image of images.values()) {
      const text = new TextDecoder().decode(image);
      const imported = [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map(([, name]) => name);
      expect(imported.length).toBeGreaterThan(0);
      for (const name of imported) expect(name).toMatch(/^node:/);
    }
  });

  test('refuses to serve in a mode that it does not know, or in none', async () => {
    for (const mode of ['factory', undefined]) {
      const image = start('1.0.0', mode);
      expect(await image.line('firmament')).toMatchObject({ ok: false });
      expect(await image.exit).toBe(1);
    }
  });

  test('ends by itself when the process that started it is killed', async () => {
    const script = `const { spawn } = require('node:child_process');
      spawn(process.execPath, ['--input-type=module', '-'],
        { env: { FIRMAMENT_MODE: 'normal' }, stdio: ['inherit', 'inherit', 'inherit'] });`;
    const device = follow(spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }), '1.0.0');
    expect(await device.line('firmament')).toMatchObject({ ok: true });
    device.child.kill('SIGKILL');
    // The image holds the same output: this comes only once the image has ended too.
    expect(await device.exit).toBe('SIGKILL');
  });
});

describe('the sensor port', () => {
  let image: Running;
  let ports: Record<string, unknown> = {};
  beforeAll(async () => {
    image = start('2.0.0', 'normal');
    await image.line('firmament');
    ports = await image.line('gateway');
  });

  test('reads frames however TCP cuts them, and summarises a window', async () => {
    const frames = Buffer.concat([
      frame(70, 1, { temperature: -500, humidity: 1000 }),
      frame(70, 2, { temperature: 100, humidity: 3000 }),
      frame(70, 3, { temperature: 250, humidity: 2000 }),
    ]);
    await send(ports['sensorPort'], frames.subarray(0, 7), frames.subarray(7, 41), frames.subarray(41));
    expect(await statusOf(ports['statusPort'])).toMatchObject({
      sensors: [
        {
          sensor: 70,
          sequence: 3,
          window: {
            count: 3,
            temperatureLow: -500,
            temperatureMean: -50,
            temperatureHigh: 250,
            humidityLow: 1000,
            humidityMean: 2000,
            humidityHigh: 3000,
          },
        },
      ],
    });
  });

  test('drops a repeated frame, refuses a damaged or impossible one, and hangs up on whoever sent it', async () => {
    const before = (await statusOf(ports['statusPort'])) as Record<string, number>;
    const damaged = frame(70, 5, { temperature: 1, humidity: 1 });
    damaged.writeUInt8(damaged.readUInt8(13) ^ 1, 13);
    const good = frame(70, 6, { temperature: 1, humidity: 1 });
    await send(ports['sensorPort'], frame(70, 3, { temperature: 9, humidity: 9 }));
    await send(ports['sensorPort'], Buffer.concat([damaged, good]));
    await send(ports['sensorPort'], frame(71, 1, { temperature: 1, humidity: 10_001 }));
    await send(ports['sensorPort'], Buffer.from('GET / HTTP/1.1\r\n\r\n and more'));
    const after = (await statusOf(ports['statusPort'])) as Record<string, number>;
    expect((after['repeated'] ?? 0) - (before['repeated'] ?? 0)).toBe(1);
    expect((after['refused'] ?? 0) - (before['refused'] ?? 0)).toBe(3);
    expect(after['accepted']).toBe(before['accepted']);
  });
});
