/** Images as real processes: what counts as a passed self-test, what reaches them, and that they end. */
import { afterEach, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import { imageRunnerNode, type ImageTimes } from '../../../bootloader-verifier/agent/image-runner-node.ts';
import type { RunningImage, RunMode } from '../../../bootloader-verifier/agent/image-runner.ts';
import { verifyBundle } from '../../../bootloader-verifier/boot/verify-bundle.ts';
import { verifyImages } from '../../../bootloader-verifier/boot/verify-image.ts';
import { accepted } from '../../accepted.ts';
import { makeTinyRepository } from '../../tiny-repository.ts';

/** Long enough for a process to start on a busy machine; the tests that wait for the end of it name their own. */
const TIMES: ImageTimes = { selfTestMsMax: 50_000, stopMsMax: 50_000 };
const STAY = 'setInterval(() => {}, 1000);';
const running: RunningImage[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((image) => image.stop()));
});

/** Starts `source` as the image of release 1.0.0; `lines` gets what it prints beside its report. */
async function start(
  source: string,
  options: { times?: Partial<ImageTimes>; mode?: RunMode; lines?: string[]; node?: string } = {},
): Promise<RunningImage> {
  const repository = await makeTinyRepository({ first: { image: encodeUtf8(source) } });
  const { bundle, image } = repository.releases.get('1.0.0') ?? expect.unreachable();
  const permit = accepted(verifyBundle(bundle, repository.device({ check: checkSignaturePortable })));
  const runImage = imageRunnerNode(options.node ?? process.execPath, { ...TIMES, ...options.times }, (line) =>
    options.lines?.push(line),
  );
  const started = runImage(accepted(verifyImages(permit, [image])).main, options.mode ?? 'trial');
  running.push(started);
  return started;
}

/** A program that prints `report` as its self-test. */
function reporting(report: object, after = STAY): string {
  const line = JSON.stringify({
    firmament: 'self-test',
    ok: true,
    firmwareVersion: '1.0.0',
    detail: 'fine',
    ...report,
  });
  return `console.log(${JSON.stringify(line)}); ${after}`;
}

test('an image that reports a passed self-test and its own version has passed', async () => {
  const image = await start(reporting({}));
  expect(await image.selfTest).toEqual({ ok: true, value: { firmwareVersion: '1.0.0', detail: 'fine' } });
});

test('an image that reports a failure has failed, with its own words, also if it ends at once', async () => {
  const image = await start(reporting({ ok: false, detail: 'frame 3 decodes wrongly' }, 'process.exitCode = 1;'));
  expect(await image.selfTest).toEqual({ ok: false, code: 'SELF_TEST_FAILED', detail: 'frame 3 decodes wrongly' });
  await image.ended;
});

test('an image that says it is another version than its release has failed', async () => {
  const image = await start(reporting({ firmwareVersion: '1.0.1' }));
  expect(await image.selfTest).toMatchObject({ ok: false, code: 'SELF_TEST_FAILED' });
});

test('an image that says nothing has failed when its time is over, and is stopped', async () => {
  const image = await start(STAY, { times: { selfTestMsMax: 300 } });
  expect(await image.selfTest).toMatchObject({ ok: false, code: 'SELF_TEST_TIMEOUT' });
  await image.stop();
  await image.ended;
});

test('an image that ends without a report has failed: by itself, by an exception, or because it is no program', async () => {
  for (const source of ['process.exit(0);', 'throw new Error("broken");', 'this is no program']) {
    const image = await start(source);
    expect(await image.selfTest).toMatchObject({ ok: false, code: 'SELF_TEST_FAILED' });
    await image.ended;
  }
});

test('an image that cannot be started at all has failed', async () => {
  const image = await start(STAY, { node: '/nowhere/node' });
  expect(await image.selfTest).toMatchObject({ ok: false, code: 'SELF_TEST_FAILED' });
  await image.ended;
  await image.stop();
});

test('only the first report counts', async () => {
  const second = reporting({ detail: 'second thoughts' });
  const image = await start(`${reporting({ ok: false, detail: 'first' }, '')} ${second}`);
  expect(await image.selfTest).toMatchObject({ ok: false, detail: 'first' });
});

test('garbage, almost-reports and bytes that are no text are log, and do not hide the report that follows', async () => {
  const lines: string[] = [];
  const noise = [
    'process.stdout.write(Buffer.from([0xff, 0xfe, 0x00, 0x1b, 0x5b, 0x32, 0x4a, 0x0a]));',
    'console.log("{\\"firmament\\":\\"self-test\\"");',
    'console.log(JSON.stringify({ firmament: "self-test", ok: "true", firmwareVersion: "1.0.0", detail: "x" }));',
    'console.log(JSON.stringify({ firmament: "other", ok: true, firmwareVersion: "1.0.0", detail: "x" }));',
  ];
  const image = await start(`${noise.join('\n')}\n${reporting({})}`, { lines });
  expect(await image.selfTest).toMatchObject({ ok: true });
  expect(lines).toHaveLength(4);
  expect(lines[0]).toBe('????[2J');
});

test('a report that is longer than a line may be is none', async () => {
  const lines: string[] = [];
  const long = reporting({ detail: 'x'.repeat(1_000), more: 'y'.repeat(4_000) }, '');
  const image = await start(`${long} ${reporting({ detail: 'short' })}`, { lines });
  expect(await image.selfTest).toMatchObject({ ok: true, value: { detail: 'short' } });
  expect(lines.map((line) => line.length)).toEqual([4_096]);
});

test('a flood of output without a line end is neither held nor in the way of the report that follows', async () => {
  const lines: string[] = [];
  const flood = 'for (let i = 0; i < 200; i++) process.stdout.write("z".repeat(100_000)); process.stdout.write("\\n");';
  const image = await start(`${flood} ${reporting({})}`, { lines });
  expect(await image.selfTest).toMatchObject({ ok: true });
  expect(lines).toEqual(['z'.repeat(4_096)]);
});

test.each(['trial', 'normal'] as const)(
  'an image on a %s start is told so, and nothing else reaches it',
  async (mode) => {
    process.env['FIRMAMENT_TEST_SECRET'] = 'must not leak';
    const lines: string[] = [];
    const source = `console.log(JSON.stringify([process.env, process.argv.length, process.cwd()])); ${reporting({})}`;
    const image = await start(source, { mode, lines });
    await image.selfTest;
    expect(lines).toEqual([JSON.stringify([{ FIRMAMENT_MODE: mode }, 2, '/'])]);
  },
);

test('an image is asked to end, and may end in order', async () => {
  const lines: string[] = [];
  const farewell = 'process.on("SIGTERM", () => { console.log("in order"); process.exit(0); });';
  const image = await start(`${farewell} ${reporting({})}`, { lines });
  await image.selfTest;
  await image.stop();
  expect(lines).toEqual(['in order']);
});

test('an image that does not end when it is asked to is ended', async () => {
  const image = await start(`process.on("SIGTERM", () => {}); ${reporting({})}`, { times: { stopMsMax: 200 } });
  await image.selfTest;
  await image.stop();
  await image.ended;
});

test('an image whose own children keep its output open is still found to have ended', async () => {
  const child = `import { spawn } from 'node:child_process';
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 20000)'], { stdio: 'inherit' });
    console.log(child.pid); child.unref(); console.log('done'); setTimeout(() => process.exit(3), 100);`;
  const lines: string[] = [];
  const image = await start(child, { lines });
  expect(await image.selfTest).toMatchObject({ ok: false, code: 'SELF_TEST_FAILED' });
  await image.ended;
  const pid = Number(lines[0]);
  expect(pid).toBeGreaterThan(0);
  process.kill(pid, 'SIGKILL');
});
