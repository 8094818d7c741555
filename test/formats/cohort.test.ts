/** Cohorts (rule R20): the same for everybody, even, and not to be chosen. */
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { COHORTS, cohortOf, placeDevice } from '../../formats/cohort.ts';
import { sha256Bytes, sha256Hex } from '../../formats/sha256.ts';
import { SEED } from '../simulation/seed.ts';

const PLAN = sha256Hex(encodeUtf8('plan'));
const ANCHOR = sha256Hex(encodeUtf8('anchor'));
const device = (name: string): string => sha256Hex(encodeUtf8(name));

test('a cohort is floor(x * 10000 / 2^64) of the first 64 bits of the hash, as big numbers compute it', () => {
  for (let i = 0; i < 500; i++) {
    const of = { planSha256: PLAN, anchor: ANCHOR, deviceId: device(`${SEED} ${i}`) };
    const digest = sha256Bytes(encodeUtf8(`firmament-cohort-v1\n${PLAN}\n${ANCHOR}\n${of.deviceId}\n`));
    const x = Buffer.from(digest).readBigUInt64BE(0);
    expect(cohortOf(of), `seed ${SEED}`).toBe(Number((x * 10_000n) / 2n ** 64n));
  }
});

test('devices spread evenly over the cohorts: a chi-squared test over 20 bins does not refuse it', () => {
  const bins = new Array<number>(20).fill(0);
  const count = 10_000;
  for (let i = 0; i < count; i++) {
    const cohort = cohortOf({ planSha256: PLAN, anchor: ANCHOR, deviceId: device(`${SEED} ${i}`) });
    expect(cohort >= 0 && cohort < COHORTS && Number.isInteger(cohort)).toBe(true);
    const bin = Math.floor((cohort * bins.length) / COHORTS);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const expected = count / bins.length;
  const chi = bins.reduce((sum, found) => sum + (found - expected) ** 2 / expected, 0);
  // 19 degrees of freedom: above 73 once in a hundred million seeds.
  expect(chi, `seed ${SEED}`).toBeLessThan(73);
});

test('a device has another place in every plan and under every anchor: nobody is always among the first', () => {
  const of = { planSha256: PLAN, anchor: ANCHOR, deviceId: device('one') };
  const places = new Set([
    cohortOf(of),
    cohortOf({ ...of, planSha256: ANCHOR }),
    cohortOf({ ...of, anchor: PLAN }),
    cohortOf({ ...of, deviceId: device('two') }),
  ]);
  expect(places.size).toBe(4);
});

test('a device listed after the rollout began joins at the end, and so does one without an identity', () => {
  const rollout = { planSha256: PLAN, anchor: ANCHOR, joinsLast: 1000 };
  const deviceId = device('one');
  const own = cohortOf({ planSha256: PLAN, anchor: ANCHOR, deviceId });
  expect(placeDevice(rollout, { deviceId, since: 1000 })).toBe(own);
  expect(placeDevice(rollout, { deviceId, since: undefined })).toBe(own);
  expect(placeDevice(rollout, { deviceId, since: 1001 })).toBe(COHORTS - 1);
  expect(placeDevice({ ...rollout, joinsLast: undefined }, { deviceId, since: 1001 })).toBe(own);
  expect(placeDevice(rollout, { deviceId: undefined, since: undefined })).toBe(COHORTS - 1);
});
