/**
 * What every part of the pilot works with: its folder, its clock, and the account that it writes to.
 */
import type { Subject } from '../formats/people.ts';
import type { Clock } from '../formats/clock.ts';
import type { Account, Step } from './account.ts';
import type { ToldEvent } from './device-process.ts';
import type { PublishedStore } from './published-store.ts';
import type { ReleaseNews } from './status/pilot-status.ts';

export const PRODUCT = 'pilot-gateway';
export const COMPONENT = 'gateway';
export const HARDWARE = 'pilot-gateway-a';
/** The device's second component: a microcontroller with a flash of its own. */
export const MICROCONTROLLER = 'hub';
export const MICROCONTROLLER_HARDWARE = 'primehub';
/** The channel that the pilot's device follows. */
export const CHANNEL = 'stable';
export const BUILDER_ID = 'https://builders.example/pilot';
/** The workflow that proposes releases, as its OIDC tokens name it; one of the managers answers for it. */
export const WORKFLOW: Subject = { issuer: 'https://ci.example', subject: 'repo:pilot/firmware:ref:refs/heads/main' };
export const SOURCE_URI = 'https://source.example/pilot/firmware';

/** The factory that names the pilot's devices, and the CA that gives them identities. */
export const FACTORY = 'pilot-factory';
export const CA = 'pilot-ca';

/** The pilot's transparency log: the first line of its checkpoints. */
export const LOG_ORIGIN = 'log.example/pilot-gateway';

export type Stage = {
  readonly folder: string;
  readonly store: PublishedStore;
  readonly account: Account;
  readonly now: Clock['now'];
  readonly onDeviceEvent: (event: ToldEvent) => void;
  readonly onRelease: (release: ReleaseNews) => void;
};

/** The options of `firmament-device provision` that say what a device of the pilot is. */
export const DEVICE_OPTIONS: readonly string[] = [
  ...['--product', PRODUCT, '--channel', CHANNEL],
  ...['--component', `${COMPONENT}:${HARDWARE}:slot`, `${MICROCONTROLLER}:${MICROCONTROLLER_HARDWARE}:transfer`],
];

/** Where the flash of a device's microcontroller lies: beside the device's own. */
export function microcontrollerOf(flash: string): string {
  return `${flash}-${MICROCONTROLLER}`;
}

/** Where a device of the pilot keeps its flash and that of its microcontroller, as options of `firmament-device run`. */
export function flashOptions(flash: string): readonly string[] {
  return ['--flash', flash, '--microcontroller', `${MICROCONTROLLER}=${microcontrollerOf(flash)}`];
}

/** The options of `firmament-device run` for a device of the pilot that polls `url`. */
export function runOptions(flash: string, url: string): readonly string[] {
  return [...flashOptions(flash), '--url', url];
}

/** What a step says of itself; `tookMs` where the work was done before it is told. */
type Outcome = Partial<Pick<Step, 'digest' | 'code' | 'detail' | 'ok' | 'tookMs'>>;

/**
 * Does one step's work and writes it to the account.
 * @returns what the work returned beside its outcome.
 * @throws Error what the work throws, or that a step did not go as expected.
 */
export async function tell<T extends Outcome>(
  stage: Stage,
  named: Pick<Step, 'step' | 'by'>,
  work: () => Promise<T>,
): Promise<T> {
  const at = stage.now();
  const done = await work();
  const { ok = true, digest, code, detail = '', tookMs = stage.now() - at } = done;
  stage.account.add({ ...named, ok, digest, code, detail, at, tookMs });
  if (!ok) throw new Error(`${named.step} did not go as expected: ${code ?? ''} ${detail}`);
  return done;
}
