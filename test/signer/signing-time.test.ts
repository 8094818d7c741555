/** A clock that was set back or far ahead: versions only grow, nothing shown ends earlier than before, nothing signed lives too long. */
import { beforeEach, expect, test } from 'vitest';
import { parseSnapshot, parseTimestamp } from '../../formats/tuf-snapshot.ts';
import { makeFaultBooks } from '../../simulation/fault-books.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import { doDue } from '../../signer/daemon/signer-verbs.ts';
import { deviceRegister } from '../../signer/identity/device-register.ts';
import { SNAPSHOT_LIFETIME_MS, TIMESTAMP_LIFETIME_MS } from '../../signer/lifetimes.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { publishQueue } from '../../signer/publish-queue.ts';
import { renewTimestamp } from '../../signer/renew-timestamp.ts';
import { signingTime } from '../../signer/signing-time.ts';
import { accepted } from '../accepted.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';
import { allChanges, optionsFor, publishAll, refreshFrom } from './publishing.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let repository: TinyRepository;
let publisher: FaultStore;
beforeEach(async () => {
  repository = await makeTinyRepository();
  publisher = makeFaultStore();
  accepted(await publishAll(repository, publisher));
});

type Online = { readonly version: number; readonly expires: number };
function shown(): { readonly timestamp: Online; readonly snapshot: Online } {
  const timestamp = accepted(
    parseTimestamp(publisher.objects.get('gateway/metadata/timestamp.json') ?? new Uint8Array()),
  );
  const { version } = timestamp.signed.snapshot;
  const snapshot = publisher.objects.get(`gateway/metadata/${version}.snapshot.json`) ?? new Uint8Array();
  return { timestamp: timestamp.signed, snapshot: accepted(parseSnapshot(snapshot)).signed };
}

/** One look of the daemon for what is due. */
function look(now: number, vouchedTime?: number): ReturnType<typeof doDue> {
  const { now: _, ...options } = { ...optionsFor(repository, publisher), vouchedTime };
  const books = makeFaultBooks();
  const parts = { books, register: deviceRegister(books), open: new Map() };
  return doDue({ publishing: options, publish: publishQueue(options), ...parts }, now);
}

test.each([1000, HOUR_MS, 3 * DAY_MS, 365 * DAY_MS])(
  'by a clock set back by %d ms a release comes out that ends no earlier than what it takes the place of',
  async (back) => {
    const before = shown();
    await repository.publishRelease();
    const changes = allChanges(repository);
    accepted(await publishChanges(optionsFor(repository, publisher, repository.now - back), changes));
    const after = shown();
    expect(after.timestamp.version).toBe(before.timestamp.version + 1);
    expect(after.timestamp.expires).toBe(before.timestamp.expires);
    expect(after.snapshot.expires).toBeGreaterThanOrEqual(before.snapshot.expires);
    accepted(await refreshFrom(publisher.objects, repository, { now: before.timestamp.expires - 1000 }));
  },
);

test('a clock set back renews nothing, however often it is looked at, and is told of beyond an hour', async () => {
  publisher.restore();
  expect(await look(repository.now - HOUR_MS)).toMatchObject({ ok: true });
  for (let i = 0; i < 3; i++) {
    const told = await look(repository.now - 2 * HOUR_MS + i * 60_000);
    expect(told).toMatchObject({ ok: false, code: 'CLOCK_BEHIND' });
  }
  expect(publisher.writes()).toBe(0);
  // Set right again it goes on as if nothing had been.
  expect(await look(repository.now + TIMESTAMP_LIFETIME_MS / 2)).toMatchObject({ ok: true });
  expect(shown().timestamp).toEqual({
    ...shown().timestamp,
    version: 2,
    expires: repository.now + 1.5 * TIMESTAMP_LIFETIME_MS,
  });
});

test('a clock set back lets no draft out past its time: what was over by the last signature is over', () => {
  const state = { standing: { timestampExpires: 10 * DAY_MS } } as Parameters<typeof signingTime>[0];
  expect(signingTime(state, { now: 2 * DAY_MS })).toEqual({ ok: true, value: 9 * DAY_MS });
  expect(signingTime(state, { now: 9 * DAY_MS + 1 })).toEqual({ ok: true, value: 9 * DAY_MS + 1 });
  expect(signingTime(undefined, { now: 5 })).toEqual({ ok: true, value: 5 });
});

test('by a clock more than a week past the last signature nothing is signed, renewed or stepped, until somebody says the time', async () => {
  const last = repository.now + SNAPSHOT_LIFETIME_MS;
  publisher.restore();
  for (const now of [last + 1, last + 365 * DAY_MS]) {
    const refused = { ok: false, code: 'CLOCK_AHEAD' };
    expect(await publishChanges(optionsFor(repository, publisher, now), {})).toMatchObject(refused);
    expect(await renewTimestamp(optionsFor(repository, publisher, now))).toBe(false);
    expect(await look(now)).toMatchObject(refused);
    expect(await look(now, now - HOUR_MS - 1)).toMatchObject(refused);
  }
  expect(publisher.writes()).toBe(0);
  expect(await look(last)).toMatchObject({ ok: true });
  expect(shown().timestamp.expires).toBe(last + TIMESTAMP_LIFETIME_MS);
});

test('after an outage of a month somebody says the time, and the signer goes on', async () => {
  const now = repository.now + 30 * DAY_MS;
  expect(await look(now, now - HOUR_MS)).toMatchObject({ ok: true });
  expect(shown().timestamp).toMatchObject({ version: 2, expires: now + TIMESTAMP_LIFETIME_MS });
  accepted(await refreshFrom(publisher.objects, repository, { now: now + DAY_MS / 2 }));
});

test('what a clock ahead has signed is taken back as soon as somebody says the time: the next versions end when they should', async () => {
  const ahead = repository.now + 6 * DAY_MS;
  expect(await look(ahead)).toMatchObject({ ok: true });
  expect(shown().timestamp.expires).toBe(ahead + TIMESTAMP_LIFETIME_MS);
  const now = repository.now + HOUR_MS;
  expect(await look(now)).toMatchObject({ ok: false, code: 'CLOCK_BEHIND' });
  expect(await look(now, now)).toMatchObject({ ok: true });
  expect(shown()).toMatchObject({
    timestamp: { version: 3, expires: now + TIMESTAMP_LIFETIME_MS },
    snapshot: { expires: now + SNAPSHOT_LIFETIME_MS },
  });
  // Once it is put right nothing is due, with or without a word.
  publisher.restore();
  expect(await look(now + 60_000, now)).toMatchObject({ ok: true });
  expect(await look(now + 60_000)).toMatchObject({ ok: true });
  expect(publisher.writes()).toBe(0);
});
