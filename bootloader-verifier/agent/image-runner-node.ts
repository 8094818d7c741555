/**
 * Runs an image as a child process of Node: the verified bytes go to its standard input, no file lies in between.
 *
 * - The child gets a clean environment and the root folder: nothing of ours, above all no secret, reaches the image.
 * - Of its output, one JSON line is the self-test's report (`docs/formats/image-contract.md`); the rest is log, bounded by line.
 * - Who asks it to stop waits for its end; it is insisted upon, and pipes that its own children hold open are closed.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { decodeJson, flag, literal, object, text } from '../../formats/decode.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import type { FirmwareImage } from '../boot/verify-image.ts';
import type { ImageRunner, RunMode, RunningImage, SelfTest } from './image-runner.ts';
import { outputLines } from './output-lines.ts';

export type ImageTimes = {
  /** How long the self-test may take, in milliseconds. */
  readonly selfTestMsMax: number;
  /** How long an image that was asked to end may take, before it is killed. */
  readonly stopMsMax: number;
};

/** What the pilot's devices allow. */
export const IMAGE_TIMES: ImageTimes = { selfTestMsMax: 30_000, stopMsMax: 3_000 };
const DRAIN_MS_MAX = 1_000;
const LINE_BYTES_MAX = 4_096;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;
type SelfTestVerdict = Verdict<SelfTest, 'SELF_TEST_FAILED' | 'SELF_TEST_TIMEOUT'>;

const reportDecoder = object('ignored', {
  firmament: literal('self-test'),
  ok: flag,
  firmwareVersion: text(64),
  detail: text(1_024),
});

/**
 * A runner that starts `nodePath`.
 * @param log takes each further line that the image prints, control characters replaced.
 */
export function imageRunnerNode(nodePath: string, times: ImageTimes, log: (line: string) => void): ImageRunner {
  return (image, mode) => {
    const child = start(nodePath, image, mode);
    const ended = endOf(child);
    return {
      selfTest: awaitSelfTest(child, { image, msMax: times.selfTestMsMax }, log),
      ended,
      stop: () => stop(child, ended, times.stopMsMax),
    };
  };
}

function start(nodePath: string, image: FirmwareImage, mode: RunMode): Child {
  const child = spawn(nodePath, ['--input-type=module', '-'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { FIRMAMENT_MODE: mode },
    cwd: '/',
  });
  // A child that cannot be started, or that does not read, ends: that is all there is to say about it.
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.stdin.end(image.bytes);
  child.stderr.resume();
  return child;
}

/** Settles when the child and its output have ended; what its own children still write is not waited for. */
function endOf(child: Child): Promise<void> {
  child.once('exit', () => {
    setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, DRAIN_MS_MAX).unref();
  });
  return new Promise((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
}

function awaitSelfTest(
  child: Child,
  { image, msMax }: { readonly image: FirmwareImage; readonly msMax: number },
  log: (line: string) => void,
): RunningImage['selfTest'] {
  return new Promise((resolve) => {
    const settle = (verdict: SelfTestVerdict): void => {
      clearTimeout(timer);
      resolve(verdict);
    };
    const timer = setTimeout(() => {
      settle(reject('SELF_TEST_TIMEOUT', `no report within ${msMax} ms`));
    }, msMax);
    const lines = outputLines(LINE_BYTES_MAX, (line) => {
      const report = parseReport(line, image.component.firmwareVersion);
      if (report === undefined) log(printable(line));
      else settle(report);
    });
    child.stdout.on('data', lines.push);
    child.once('close', () => {
      lines.end();
      settle(reject('SELF_TEST_FAILED', 'the image ended without a report'));
    });
  });
}

/** The report in `line`, or undefined if it is not one. */
function parseReport(line: Uint8Array, firmwareVersion: string): SelfTestVerdict | undefined {
  const report = decodeJson(line, LINE_BYTES_MAX, reportDecoder);
  if (!report.ok) return undefined;
  const { ok, detail } = report.value;
  if (report.value.firmwareVersion !== firmwareVersion) {
    return reject(
      'SELF_TEST_FAILED',
      `the image says it is ${report.value.firmwareVersion}, the release says ${firmwareVersion}`,
    );
  }
  return ok ? accept({ firmwareVersion, detail }) : reject('SELF_TEST_FAILED', detail);
}

/** A line for a terminal: what is no text, or would steer it, shows as a question mark. */
function printable(line: Uint8Array): string {
  return new TextDecoder().decode(line).replace(/[\p{Cc}\p{Cf}\ufffd]/gu, '?');
}

async function stop(child: Child, ended: Promise<void>, msMax: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), msMax);
  await ended;
  clearTimeout(timer);
}
