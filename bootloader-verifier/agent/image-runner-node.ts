/**
 * Runs an image as a child process of Node: the verified bytes go to its standard input, no file lies in between.
 *
 * - The child gets a clean environment: nothing of ours, above all no secret, reaches the image.
 * - Of its output, one JSON line is the self-test's report (`docs/formats/image-contract.md`); the rest is log, bounded by line.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { decodeJson, flag, literal, object, text } from '../../formats/decode.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import type { FirmwareImage } from '../boot/verify-image.ts';
import type { ImageRunner, RunMode, RunningImage, SelfTest } from './image-runner.ts';

const SELF_TEST_MS_MAX = 30_000;
const STOP_MS_MAX = 3_000;
const LINE_LENGTH_MAX = 4_096;

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
 * @param log takes each further line that the image prints.
 */
export function imageRunnerNode(nodePath: string, log: (line: string) => void): ImageRunner {
  return (image, mode) => {
    const child = start(nodePath, image, mode);
    const ended = once(child, 'close').then(() => undefined);
    child.stderr.on('data', () => undefined);
    return { selfTest: awaitSelfTest(child, ended, { image, log }), ended, stop: () => stop(child, ended) };
  };
}

function start(nodePath: string, image: FirmwareImage, mode: RunMode): Child {
  const child = spawn(nodePath, ['--input-type=module', '-'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { FIRMAMENT_MODE: mode },
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.stdin.end(image.bytes);
  return child;
}

function awaitSelfTest(
  child: Child,
  ended: Promise<void>,
  { image, log }: { readonly image: FirmwareImage; readonly log: (line: string) => void },
): RunningImage['selfTest'] {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(reject('SELF_TEST_TIMEOUT', `no report within ${SELF_TEST_MS_MAX / 1000} s`));
    }, SELF_TEST_MS_MAX);
    const settle = (verdict: SelfTestVerdict): void => {
      clearTimeout(timer);
      resolve(verdict);
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      const report = line.length > LINE_LENGTH_MAX ? undefined : parseReport(line, image.permit.firmwareVersion);
      if (report === undefined) log(line.slice(0, LINE_LENGTH_MAX));
      else settle(report);
    });
    void ended.then(() => {
      settle(reject('SELF_TEST_FAILED', 'the image ended without a report'));
    });
  });
}

/** The report in `line`, or undefined if it is not one. */
function parseReport(line: string, firmwareVersion: string): SelfTestVerdict | undefined {
  const report = decodeJson(encodeUtf8(line), LINE_LENGTH_MAX, reportDecoder);
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

async function stop(child: Child, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await ended;
  clearTimeout(timer);
}
