/** Why not: for every reason the first code that is explained is the one that the device itself tells. */
import { beforeEach, describe, expect, test } from 'vitest';
import { encodeDeviceStatus, parseDeviceStatus } from '../../../formats/device-status.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import { readStatus } from '../../../bootloader-verifier/agent/read-status.ts';
import { explainWhyNot, type WhyNot } from '../../../bootloader-verifier/agent/why-not.ts';
import { describe as describeWhyNot } from '../../../cli/why-not.ts';
import { seededRandom, type Random } from '../../../simulation/seed.ts';
import { simulatedImage } from '../../../simulation/simulated-device.ts';
import { SEED } from '../../simulation/seed.ts';
import { accepted } from '../../accepted.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { makeTinyDevice, steps, type TinyDevice } from '../../tiny-device.ts';
import { makeTinyRepository, type ReleaseOptions, type TinyRepository } from '../../tiny-repository.ts';
import { deviceIn, HOUR_MS, publishHalt, publishStep, tinyPlan } from '../../tiny-rollout.ts';

let repository: TinyRepository;
let device: TinyDevice;
beforeEach(async () => {
  repository = await makeTinyRepository({ channels: ['stable'], first: { image: imageOf('1.0.0') } });
  device = await makeTinyDevice(repository);
  await device.live();
});

function imageOf(name: string): Uint8Array {
  return simulatedImage(name, 'healthy');
}

async function release(name: string, more: ReleaseOptions = {}): Promise<void> {
  await repository.publishRelease({ release: name, image: imageOf(name), ...more });
}

/** What is explained of `release` for `of` at its own time. */
async function why(name: string, of: TinyDevice = device): Promise<WhyNot> {
  const status = accepted(await readStatus(of.flash.view('system'), checkSignaturePortable));
  const travelled = accepted(parseDeviceStatus(encodeDeviceStatus(status)));
  const { client } = repository;
  return accepted(
    await explainWhyNot({
      status: travelled,
      release: name,
      client,
      check: checkSignaturePortable,
      now: of.clock.now(),
    }),
  );
}

/** The first code that a device tells of its next poll; undefined if it finds nothing wrong. */
async function tells(of: TinyDevice): Promise<string | undefined> {
  const told = await of.live();
  return told.find(({ step, code }) => ['poll', 'wave', 'way'].includes(step) && code !== undefined)?.code;
}

async function rollouts(): Promise<void> {
  const keys = (repository.signers.get('stable-rollout') ?? []).map(({ key }) => key);
  await repository.publishTargets({ rollouts: [{ channel: 'stable', keys }] });
}

type Case = {
  readonly says: string;
  readonly code: string;
  readonly asked?: string;
  readonly prepare: () => Promise<TinyDevice | void>;
};
const plan = (): ReleaseOptions => ({ draft: { plan: tinyPlan(repository.now) } });
const inWave = (first: boolean): Promise<TinyDevice> =>
  makeTinyDevice(repository, {
    flash: device.flash,
    deviceKey: deviceIn(repository, (cohort) => cohort < 5000 === first),
  });

const CASES: readonly Case[] = [
  {
    says: 'its wave is not open',
    code: 'WAVE_NOT_OPEN',
    prepare: async () => {
      await rollouts();
      await release('2.0.0', plan());
      await publishStep(repository, [repository.now]);
      return inWave(false);
    },
  },
  {
    says: 'a manager halted the plan',
    code: 'PLAN_HALTED',
    prepare: async () => {
      await rollouts();
      await release('2.0.0', plan());
      await publishStep(repository, [repository.now]);
      await publishHalt(repository, repository.now);
      return inWave(true);
    },
  },
  {
    says: 'the channel names a plan whose waves nobody may open',
    code: 'ROLLOUT_NOT_DELEGATED',
    prepare: () => release('2.0.0', plan()),
  },
  {
    says: 'it runs a dead end',
    code: 'DEAD_END',
    prepare: () => release('2.0.0', { draft: { graph: { deadEnds: [{ release: '1.0.0', reason: 'too small' }] } } }),
  },
  {
    says: 'the release goes over other versions',
    code: 'WAY_CLOSED',
    prepare: () =>
      release('2.0.0', { draft: { graph: { from: new Map([['2.0.0', [{ min: '1.5.0', below: undefined }]]]) } } }),
  },
  {
    says: 'what is in force is older, and nothing is recalled',
    code: 'RECALL_MISSING',
    asked: '0.9.0',
    prepare: () => release('0.9.0'),
  },
  {
    says: 'it is for other hardware',
    code: 'HARDWARE_MISMATCH',
    prepare: () => release('2.0.0', { hardwareIds: ['gw-2'] }),
  },
  {
    says: 'its counter is below what the channel demands',
    code: 'IMAGE_ROLLBACK',
    prepare: () => release('2.0.0', { draft: { minSecurityCounter: 3 } }),
  },
  {
    says: 'its counter rises too far at once',
    code: 'COUNTER_JUMP',
    prepare: () => release('2.0.0', { securityCounter: 40 }),
  },
  {
    says: 'its image is revoked',
    code: 'IMAGE_REVOKED',
    prepare: () => release('2.0.0', { draft: { revokedDigests: [sha256Hex(imageOf('2.0.0'))] } }),
  },
  {
    says: 'nobody who is listed built it',
    code: 'EVIDENCE_SIGNATURE_INVALID',
    prepare: () => release('2.0.0', { builder: seededSigner('stranger') }),
  },
  {
    says: 'what is published has expired',
    code: 'METADATA_EXPIRED',
    prepare: async () => {
      await release('2.0.0');
      await device.clock.advance(30 * 24 * HOUR_MS);
    },
  },
  {
    says: 'it has failed here before',
    code: 'IMAGE_TRIED_BEFORE',
    prepare: async () => {
      await release('2.0.0', { image: simulatedImage('2.0.0', 'unhealthy') });
      await device.live();
    },
  },
];

describe('each reason', () => {
  test.each(CASES)('that $says: $code, as the device tells it', async ({ code, prepare, asked = '2.0.0' }) => {
    const of = (await prepare()) ?? device;
    const explained = await why(asked, of);
    expect(explained).toMatchObject({ runs: '1.0.0', answer: 'not' });
    expect(explained.reasons[0]?.code).toBe(code);
    expect(await tells(of)).toBe(code);
    expect(describeWhyNot(explained, asked)).toContain(`1. ${code}: `);
  });

  test('that a waypoint comes first, and that the channel does not lead to a release at all', async () => {
    await release('2.0.0');
    await release('3.0.0', { draft: { graph: { waypoints: ['2.0.0'] } } });
    expect((await why('3.0.0')).reasons.map(({ code }) => code)).toEqual(['WAYPOINT_FIRST']);
    expect((await why('9.9.9')).reasons[0]?.code).toBe('RELEASE_NOT_OFFERED');
    expect(await why('2.0.0')).toMatchObject({ answer: 'next-poll', reasons: [] });
    expect(await why('1.0.0')).toMatchObject({ answer: 'not' });
  });

  test('nothing wrong: it takes the release at its next poll, and then it runs it', async () => {
    await release('2.0.0');
    const before = await why('2.0.0');
    expect(before).toEqual({ runs: '1.0.0', answer: 'next-poll', reasons: [] });
    expect(describeWhyNot(before, '2.0.0')).toContain('at its next poll');
    await device.live();
    expect(await why('2.0.0')).toEqual({ runs: '2.0.0', answer: 'runs', reasons: [] });
  });

  test('all reasons are told, not the first alone', async () => {
    await rollouts();
    await release('2.0.0', { securityCounter: 40, ...plan() });
    expect((await why('2.0.0')).reasons.map(({ code }) => code)).toEqual(['COUNTER_JUMP', 'WAVE_NOT_OPEN']);
  });
});

test('for random devices and channels the first reason is the one that the device tells, and none where it installs', async () => {
  const random: Random = seededRandom(SEED);
  const seen = new Map<string, number>();
  for (let round = 0; round < 24; round++) {
    repository = await makeTinyRepository({ channels: ['stable'], first: { image: imageOf('1.0.0') } });
    device = await makeTinyDevice(repository);
    await device.live();
    await release('2.0.0', random(2) === 0 ? {} : { securityCounter: 1 + random(3) });
    if (random(2) === 0) await device.live();
    const drawn = await drawRelease(random);
    const explained = await why(drawn);
    const code = await tells(device);
    const shown = `seed ${SEED}, round ${round}: ${drawn}: ${JSON.stringify(explained)}, the device told ${String(code)}`;
    const first = explained.reasons[0]?.code;
    if (first === 'WAYPOINT_FIRST') expect(code, shown).toBeUndefined();
    else expect(first, shown).toBe(code);
    if (explained.answer === 'next-poll') expect(steps(device.events), shown).toContain('install');
    seen.set(first ?? explained.answer, (seen.get(first ?? explained.answer) ?? 0) + 1);
  }
  expect(seen.size, `seed ${SEED}: ${JSON.stringify([...seen])}`).toBeGreaterThan(4);
});

/** Publishes something over 2.0.0, good or bad. @returns what is in force then. */
async function drawRelease(random: Random): Promise<string> {
  const graph = [
    {},
    { waypoints: ['2.0.0'] },
    { deadEnds: [{ release: random(2) === 0 ? '1.0.0' : '2.0.0', reason: 'drawn' }] },
    { from: new Map([['3.0.0', [{ min: random(2) === 0 ? '2.0.0' : '1.0.0', below: undefined }]]]) },
    { recalled: ['2.0.0'] },
  ][random(5)];
  const bad: readonly ReleaseOptions[] = [
    {},
    {},
    { securityCounter: 30 },
    { hardwareIds: ['gw-2'] },
    { draft: { minSecurityCounter: 9 } },
  ];
  const options = bad[random(bad.length)] ?? {};
  const name = random(4) === 0 ? '1.0.0' : '3.0.0';
  if (name === '1.0.0') await release(name, { draft: { graph: random(2) === 0 ? { recalled: ['2.0.0'] } : {} } });
  else await release(name, { ...options, draft: { ...options.draft, graph } });
  return name;
}
