/**
 * Why a device does not run a release: decided for it by its own code, step by step, over what is published now.
 *
 * - The steps are those of a poll, in their order; so the first reason is what the device itself would tell.
 * - Where a step refuses, the later ones are asked all the same, as far as they can be: whoever repairs sees all that is to be repaired.
 * - No reason at all means that the device takes the release at its next poll.
 */
import type { Code } from '../../formats/codes.ts';
import { encodeBootBundle } from '../../formats/boot-bundle.ts';
import type { DeviceStatus } from '../../formats/device-status.ts';
import { parseFactoryRecord } from '../../formats/factory-record.ts';
import { parseFloors } from '../../formats/floors.ts';
import type { Instant } from '../../formats/instant.ts';
import { listsRelease } from '../../formats/release.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { accept, type Rejected, type Verdict } from '../../formats/verdict.ts';
import { verifyBundle, verifySignedParts, type DeviceTrust } from '../boot/verify-bundle.ts';
import { decideRelease, type ChosenRelease, type Decided } from './decide-release.ts';
import { fetchBundle } from './install.ts';
import { refresh, type Refreshed } from './refresh.ts';
import type { RepositoryClient } from './repository-client.ts';

export type Reason = { readonly code: Code; readonly detail: string };
export type WhyNot = {
  /** What the device runs; undefined if nothing. */
  readonly runs: string | undefined;
  readonly answer: 'runs' | 'next-poll' | 'not';
  /** The first is what the device tells. */
  readonly reasons: readonly Reason[];
};
export type WhyNotInput = {
  readonly status: DeviceStatus;
  readonly release: string;
  readonly client: RepositoryClient;
  readonly check: SignatureCheck;
  readonly now: Instant;
};

/** Explains it. Network faults throw `OperationError`. @returns a refusal only if the status itself cannot be read. */
export async function explainWhyNot(input: WhyNotInput): Promise<Verdict<WhyNot, 'PROTECTED_STORE_MISSING'>> {
  const { status, check } = input;
  const factory = parseFactoryRecord(status.factory);
  if (!factory.ok) return factory;
  const floors = parseFloors(status.floors);
  if (!floors.ok) return floors;
  const device = { factory: factory.value, floors: floors.value, check };
  const runs = status.runs?.release;
  const reasons = await findReasons(input, device);
  if (reasons === 'runs') return accept({ runs, answer: 'runs', reasons: [] });
  // One fault that several steps meet is one reason.
  const distinct = reasons.filter(
    ({ code, detail }, i) => reasons.findIndex((other) => other.code === code && other.detail === detail) === i,
  );
  return accept({ runs, answer: distinct.length === 0 ? 'next-poll' : 'not', reasons: distinct });
}

async function findReasons(input: WhyNotInput, device: DeviceTrust): Promise<readonly Reason[] | 'runs'> {
  const { status, client, now, release } = input;
  const refreshed = await refresh({ device, client, now, rootsAtHand: [device.factory.root], seen: undefined });
  if (!refreshed.ok) return [reason(refreshed)];
  const runs = status.runs && { release: status.runs.release, version: status.runs.firmwareVersion };
  const decided = decideRelease({ device, refreshed: refreshed.value, runs, now });
  if (!decided.ok) return [reason(decided)];
  const scene = { input, device, refreshed: refreshed.value };
  return status.runs?.release === release && isTarget(decided.value, release)
    ? judgeRunning(scene, decided.value)
    : judgeWay(scene, decided.value);
}

type Scene = { readonly input: WhyNotInput; readonly device: DeviceTrust; readonly refreshed: Refreshed };

/** Whether the device goes nowhere else from the release that it runs. */
function isTarget(decided: Decided, release: string): boolean {
  return decided.kind === 'stuck' || decided.chosen.release === release;
}

/** It runs the release: nothing to explain, unless the release now names other images. */
async function judgeRunning(scene: Scene, decided: Decided): Promise<readonly Reason[] | 'runs'> {
  if (decided.kind === 'stuck') return 'runs';
  const reasons = await judgeChosen(scene, decided.chosen);
  return reasons === 'current' ? 'runs' : reasons;
}

async function judgeWay(scene: Scene, decided: Decided): Promise<readonly Reason[]> {
  const { input, device, refreshed } = scene;
  const { release } = input;
  const reasons: Reason[] = [];
  if (decided.kind === 'stuck') {
    const parts = verifySignedParts(refreshed, device);
    reasons.push(parts.ok ? { code: decided.code, detail: decided.detail } : reason(parts));
  } else if (decided.chosen.release !== release) {
    const first = await judgeChosen(scene, decided.chosen);
    reasons.push(...(first === 'current' ? [] : first), elsewhere(scene, decided.chosen.release));
  }
  if (!listsRelease(refreshed.channelRole.signed.targets, release))
    return [...reasons, notOffered(release)].filter(isOnce);
  const wave = decided.kind === 'chosen' ? decided.chosen.wave : undefined;
  const own = await judgeChosen(scene, { release, wave });
  return own === 'current' ? reasons : [...reasons, ...own];
}

/** What becomes of an installation of `chosen`, in the order of the agent; `current` if its images run already. */
async function judgeChosen(
  { input, device, refreshed }: Scene,
  chosen: ChosenRelease,
): Promise<readonly Reason[] | 'current'> {
  const { client, status } = input;
  const held = chosen.wave?.kind === 'held' ? [{ code: chosen.wave.code, detail: chosen.wave.detail }] : [];
  const bundle = await fetchBundle({ chosen, device, client, refreshed });
  if (!bundle.ok) return [reason(bundle), ...held];
  const permit = verifyBundle(encodeBootBundle(bundle.value), device);
  if (!permit.ok) return [reason(permit), ...held];
  const { imagesSha256 } = permit.value;
  if (imagesSha256 === status.runs?.imagesSha256) return 'current';
  const tried = {
    code: 'IMAGE_TRIED_BEFORE',
    detail: `${chosen.release} has failed its trial on this device`,
  } as const;
  return status.failed.includes(imagesSha256) ? [...held, tried] : held;
}

/** Why the device goes somewhere else first, or instead. */
function elsewhere({ input, refreshed }: Scene, next: string): Reason {
  const { release } = input;
  const inForce = refreshed.channelRole.signed.firmament?.get('release');
  return release === inForce
    ? { code: 'WAYPOINT_FIRST', detail: `the device takes ${next} first, then goes on to ${release}` }
    : notOffered(release, `; what it takes next is ${next}`);
}

function notOffered(release: string, more = ''): Reason {
  return { code: 'RELEASE_NOT_OFFERED', detail: `the channel does not lead this device to ${release}${more}` };
}

function isOnce({ code }: Reason, index: number, all: readonly Reason[]): boolean {
  return all.findIndex((other) => other.code === code) === index;
}

function reason({ code, detail }: Rejected): Reason {
  return { code, detail };
}
