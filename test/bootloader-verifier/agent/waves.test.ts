/** Waves on the device: it takes no release before the signed plan and an open wave let it in (P3, R13). */
import { beforeEach, expect, test } from 'vitest';
import { haltDigest, parseHaltPart } from '../../../formats/halt.ts';
import { parseTargets } from '../../../formats/tuf-targets.ts';
import { simulatedImage } from '../../../simulation/simulated-device.ts';
import { accepted } from '../../accepted.ts';
import { makeTinyDevice, steps, type TinyDevice } from '../../tiny-device.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../../tiny-repository.ts';
import {
  deviceIn,
  HOUR_MS,
  LEASE_MS,
  placeOf,
  publishHalt,
  publishPlanned,
  publishStep,
  TINY_ANCHOR,
  tinyPlan,
} from '../../tiny-rollout.ts';

let repository: TinyRepository;
let start: number;

beforeEach(async () => {
  repository = await makeTinyRepository({ first: { image: simulatedImage('one', 'healthy') } });
  start = repository.now;
});

/** A device that runs 1.0.0, in the first wave or the second of the plan of 2.0.0, which is published then. */
async function deviceOf(
  wave: 'first' | 'second',
  change: Parameters<typeof publishPlanned>[2] = {},
): Promise<TinyDevice> {
  const blank = await makeTinyDevice(repository);
  await blank.live();
  await publishPlanned(repository, '2.0.0', change);
  const deviceKey = deviceIn(repository, (cohort) => cohort < 5000 === (wave === 'first'));
  return makeTinyDevice(repository, { flash: blank.flash, deviceKey });
}

/** What the device tells of releases and waves in one life. */
async function liveOnce(device: TinyDevice): Promise<readonly string[]> {
  const told = steps(await device.live());
  return told.filter((step) => /^(wave|install|poll [A-Z]|confirm|revert|trust)/.test(step));
}

test('a planned release waits on every device until its first wave opens, and what runs goes on', async () => {
  const device = await deviceOf('first');
  expect(await liveOnce(device)).toEqual(['wave WAVE_NOT_OPEN']);
  expect(device.runs.at(-1)).toMatchObject({ mode: 'normal' });
});

test('the first wave takes the release, the second waits until its own wave opens, with cohort and bound told', async () => {
  const first = await deviceOf('first');
  await publishStep(repository, [start]);
  expect(await liveOnce(first)).toEqual(['install', 'confirm']);
  const second = await makeTinyDevice(repository, { deviceKey: deviceIn(repository, (cohort) => cohort >= 5000) });
  expect(await liveOnce(second)).toEqual(['wave WAVE_NOT_OPEN']);
  const told = second.events.find(({ step }) => step === 'wave');
  expect(told).toMatchObject({ ok: true, detail: { release: '2.0.0', boundBp: 5000 } });
  expect(told?.detail['cohort']).toBeGreaterThanOrEqual(5000);
  await second.clock.advance(HOUR_MS);
  await publishStep(repository, [start, start + HOUR_MS]);
  expect(await liveOnce(second)).toEqual(['install', 'confirm']);
});

test('a lease that has ended opens nothing, although every signature still holds', async () => {
  const device = await deviceOf('first');
  await publishStep(repository, [start]);
  await device.clock.advance(LEASE_MS);
  expect(await liveOnce(device)).toEqual(['wave LEASE_EXPIRED']);
});

test('a trial whose lease ends before its first start is not started, and is installed anew by a later lease', async () => {
  const device = await deviceOf('first');
  await publishStep(repository, [start]);
  await device.live();
  const { flash } = device;
  const deviceKey = deviceIn(repository, (cohort) => cohort < 5000);
  const late = await makeTinyDevice(repository, { flash, deviceKey });
  await late.putState({ good: 'a', trial: { slot: 'b', starts: 0, leaseEnds: start + LEASE_MS } });
  await late.clock.advance(LEASE_MS);
  const runs = late.runs.length;
  expect((await liveOnce(late))[0]).toBe('wave LEASE_EXPIRED');
  expect(late.runs.slice(runs).map(({ mode }) => mode)).toEqual(['normal']);
  await publishStep(repository, [start], { now: start + LEASE_MS });
  expect(await liveOnce(late)).toEqual(['install', 'confirm']);
});

test('one manager halts: no further device takes the release, and the quorum alone resumes', async () => {
  const device = await deviceOf('first');
  await publishStep(repository, [start]);
  await publishHalt(repository, start);
  expect(await liveOnce(device)).toEqual(['wave PLAN_HALTED']);
  const [halt] = accepted(
    parseHaltPart(accepted(parseTargets(repository.newest('stable-halt'))).signed.firmament),
  ).halts;
  if (halt === undefined) throw new Error('it is halted');
  const resumes = [haltDigest(halt, placeOf(repository))];
  await repository.publishRelease({ release: '2.0.0', channels: ['stable'], draft: { release: undefined, resumes } });
  expect(await liveOnce(device)).toEqual(['install', 'confirm']);
});

test('a step of a former plan opens nothing of a new one', async () => {
  const device = await deviceOf('first');
  await publishStep(repository, [start]);
  const draft = { plan: tinyPlan(start) };
  await repository.publishRelease({ release: '3.0.0', channels: ['stable'], draft });
  expect(await liveOnce(device)).toEqual(['wave PLAN_MISMATCH']);
});

test('a stolen rollout key that opens the second wave at once opens it for nobody', async () => {
  const device = await deviceOf('second');
  await publishStep(repository, [start, start]);
  expect(await liveOnce(device)).toEqual(['wave WAVE_TOO_EARLY']);
  await publishStep(repository, [start - HOUR_MS, start], { now: start });
  expect(await liveOnce(device)).toEqual(['wave WAVE_TOO_EARLY']);
});

test('a completed rollout needs no lease any more', async () => {
  const device = await deviceOf('second');
  const completedAt = start + HOUR_MS;
  await device.clock.advance(2 * HOUR_MS);
  await publishStep(repository, [start, completedAt], { completedAt, expires: start + HOUR_MS });
  expect(await liveOnce(device)).toEqual(['install', 'confirm']);
});

test('a device that runs nothing takes the base of the plan while its wave is not open', async () => {
  await publishPlanned(repository, '2.0.0', { base: '1.0.0' });
  const device = await makeTinyDevice(repository);
  expect(await liveOnce(device)).toEqual(['install', 'confirm', 'wave WAVE_NOT_OPEN', 'wave WAVE_NOT_OPEN']);
});

test('a plan without a role that opens its waves is refused, not ignored', async () => {
  const device = await makeTinyDevice(repository);
  await device.live();
  await repository.publishRelease({ release: '2.0.0', channels: ['stable'], draft: { plan: tinyPlan(start) } });
  expect(await liveOnce(device)).toEqual(['poll ROLLOUT_NOT_DELEGATED']);
});

test("a channel's own managers, or the rollout key of another channel, open no wave", async () => {
  const device = await deviceOf('first');
  await publishStep(repository, [start]);
  const signed = signedOf(repository.newest('stable-rollout'));
  for (const role of ['stable', 'beta-rollout', 'stable-halt', 'snapshot']) {
    repository.put('stable-rollout', await repository.sign(role, signed));
    await repository.publishOnline();
    expect(await liveOnce(device)).toEqual(['poll METADATA_THRESHOLD_UNMET']);
  }
});

test('a step that was signed for another channel opens nothing, although its key is right', async () => {
  const device = await deviceOf('first');
  await publishStep(repository, [start]);
  const signed = signedOf(repository.newest('stable-rollout'));
  const firmament = signed.get('firmament');
  if (!(firmament instanceof Map)) throw new Error('it is bound');
  signed.set('firmament', new Map([...firmament, ['role', 'beta-rollout'] as const]));
  repository.put('stable-rollout', await repository.sign('stable-rollout', signed));
  await repository.publishOnline();
  expect(await liveOnce(device)).toEqual(['poll ROLE_MISMATCH']);
});

test('a rollout or halt role that lists a target is refused: neither can approve', async () => {
  const device = await deviceOf('first');
  await publishStep(repository, [start]);
  const signed = signedOf(repository.newest('stable-rollout'));
  const file = new Map<string, number | ReadonlyMap<string, string>>([
    ['length', 1],
    ['hashes', new Map([['sha256', TINY_ANCHOR]])],
  ]);
  signed.set('targets', new Map([['-', file]]));
  repository.put('stable-rollout', await repository.sign('stable-rollout', signed));
  await repository.publishOnline();
  expect(await liveOnce(device)).toEqual(['poll TARGET_NAME_REFUSED']);
});

test('a halt once seen cannot be taken away by serving an older version of it or dropping it', async () => {
  const device = await deviceOf('first');
  await publishStep(repository, [start]);
  await publishHalt(repository, start);
  await device.live();
  repository.files.delete('metadata/1.stable-halt.json');
  await repository.publishOnline();
  expect(await liveOnce(device)).toEqual(['poll SNAPSHOT_ROLLBACK']);
});
