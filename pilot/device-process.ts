/**
 * A device as a process of its own: started, listened to, awaited, stopped.
 *
 * - Its events arrive as JSON lines on its standard output; they are awaited by what they say, never by time alone.
 * - A wait has a limit, after which it fails with the last events.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { encodeUtf8 } from '../formats/bytes.ts';
import { isJsonObject, parseJson, type JsonObject } from '../formats/json.ts';
import { PROJECT } from './child.ts';

const DEVICE = join(PROJECT, 'bootloader-verifier', 'agent', 'main.ts');
const LINE_BYTES_MAX = 65_536;
const WAIT_MS_MAX = 180_000;
const EVENTS_TOLD = 8;

/** An event as the device told it; members are read by name. */
export type ToldEvent = {
  readonly step: string;
  readonly ok: boolean;
  /** The name that the device gives itself. */
  readonly by: string;
  /** When, as the device writes it. */
  readonly at: string;
  readonly digest: string | undefined;
  readonly code: string | undefined;
  readonly detail: JsonObject;
};

export type DeviceProcess = {
  /** All events so far, oldest first. */
  readonly events: readonly ToldEvent[];
  /** The next event, not yet awaited, for which `wanted` holds. */
  readonly next: (what: string, wanted: (event: ToldEvent) => boolean) => Promise<ToldEvent>;
  /** Asks the device to end, and waits for it. */
  readonly stop: () => Promise<void>;
  /** Ends it as a power cut would: nothing of it runs any more. */
  readonly kill: () => Promise<void>;
  /** Settles when the process has ended by itself. */
  readonly ended: Promise<void>;
};

/** Runs `firmament-device ARGS` once, to its end, and returns what it says. @throws Error with its own words if it refuses. */
export async function runDeviceVerb(...args: readonly string[]): Promise<JsonObject> {
  const child = spawn(process.execPath, [DEVICE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let line = '';
  child.stdout.on('data', (chunk: Uint8Array) => (line += String(chunk)));
  child.stderr.on('data', (chunk: Uint8Array) => (said += String(chunk)));
  await once(child, 'close');
  if (child.exitCode !== 0)
    throw new Error(`firmament-device ${args[0] ?? ''} did not do its work: ${line.trim()} ${said.trim()}`);
  const answer = parseJson(encodeUtf8(line), { bytesMax: LINE_BYTES_MAX });
  return answer.ok && isJsonObject(answer.value) ? answer.value : new Map();
}

/** Starts `firmament-device run` with `args`. @param told takes each event as it comes. */
export function startDevice(args: readonly string[], told: (event: ToldEvent) => void): DeviceProcess {
  const child = spawn(process.execPath, [DEVICE, 'run', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'close').then(() => undefined);
  const events: ToldEvent[] = [];
  const wakers = new Set<() => void>();
  const wake = (): void => {
    for (const waker of wakers) waker();
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = parseEvent(line);
    if (event === undefined) return;
    events.push(event);
    told(event);
    wake();
  });
  void ended.then(wake);
  let awaited = 0;
  const next: DeviceProcess['next'] = (what, wanted) =>
    new Promise((resolve, refuse) => {
      const finish = (settle: () => void): void => {
        wakers.delete(look);
        clearTimeout(timer);
        settle();
      };
      const look = (): void => {
        const found = events.findIndex((event, index) => index >= awaited && wanted(event));
        const event = events[found];
        if (event !== undefined) {
          awaited = found + 1;
          finish(() => resolve(event));
        } else if (hasEnded(child)) {
          finish(() => refuse(new Error(`the device ended before: ${what}; ${lastOf(events)}`)));
        }
      };
      const timer = setTimeout(() => {
        finish(() => refuse(new Error(`the device did not come to: ${what}; ${lastOf(events)}`)));
      }, WAIT_MS_MAX);
      wakers.add(look);
      look();
    });
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (!hasEnded(child)) child.kill(signal);
    await ended;
  };
  return { events, next, stop: () => end('SIGTERM'), kill: () => end('SIGKILL'), ended };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** The event in `line`, or undefined if the line is none. */
function parseEvent(line: string): ToldEvent | undefined {
  const json = parseJson(encodeUtf8(line), { bytesMax: LINE_BYTES_MAX });
  if (!json.ok || !isJsonObject(json.value)) return undefined;
  const step = json.value.get('step');
  const detail = json.value.get('detail');
  const digest = json.value.get('digest');
  const code = json.value.get('code');
  const by = json.value.get('by');
  const at = json.value.get('at');
  if (typeof step !== 'string') return undefined;
  return {
    step,
    ok: json.value.get('ok') === true,
    by: typeof by === 'string' ? by : '',
    at: typeof at === 'string' ? at : '',
    digest: typeof digest === 'string' ? digest : undefined,
    code: typeof code === 'string' ? code : undefined,
    detail: isJsonObject(detail) ? detail : new Map(),
  };
}

function lastOf(events: readonly ToldEvent[]): string {
  const last = events.slice(-EVENTS_TOLD).map(({ step, code }) => (code === undefined ? step : `${step} ${code}`));
  return `its last events: ${last.join(', ')}`;
}
