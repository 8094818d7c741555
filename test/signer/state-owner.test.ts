/** One daemon, or publishers without one: nobody works behind a daemon's back. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { OperationError } from '../../formats/operation-error.ts';
import { whileLocked } from '../../signer/lock-file.ts';
import { asDaemon, asPublisher } from '../../signer/state-owner.ts';

let folder: string;
let state: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-owner-'));
  state = join(folder, 'state.json');
});
afterEach(() => rm(folder, { recursive: true }));

test('a publisher that finds a daemon does nothing at all, and works again once the daemon has ended', async () => {
  let hasWorked = false;
  const publisher = (): Promise<void> => asPublisher(state, () => Promise.resolve(void (hasWorked = true)));
  await asDaemon(state, async () => {
    await expect(publisher()).rejects.toMatchObject({ code: 'SIGNER_RUNNING' });
    expect(hasWorked).toBe(false);
  });
  await publisher();
  expect(hasWorked).toBe(true);
});

test('publishers wait for each other: at no moment do two work', async () => {
  let working = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++working);
    await new Promise((resolve) => setImmediate(resolve));
    working--;
  };
  await Promise.all([asPublisher(state, work), asPublisher(state, work), asPublisher(state, work)]);
  expect(most).toBe(1);
});

test.each([
  ['a publisher', asPublisher],
  ['the daemon before it', asDaemon],
] as const)(
  'a daemon waits for %s: it looks again and again, and does nothing until the other has ended',
  async (_, as) => {
    const order: string[] = [];
    const [begun, end] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const first = as(state, async () => {
      begun.resolve(undefined);
      await end.promise;
      order.push('the first ends');
    });
    await begun.promise;
    const looks = vi.spyOn(DatabaseSync.prototype, 'exec');
    onTestFinished(() => looks.mockRestore());
    const daemon = asDaemon(state, () => Promise.resolve(order.push('the daemon works')));
    await expect.poll(() => looks.mock.results.filter(({ type }) => type === 'throw').length).toBeGreaterThan(2);
    expect(order).toEqual([]);
    end.resolve(undefined);
    await Promise.all([first, daemon]);
    expect(order).toEqual(['the first ends', 'the daemon works']);
  },
);

test('what fails inside keeps its own code: another lock that is held is no running daemon', async () => {
  const held = new OperationError('LOCK_HELD', 'another one', { retriable: true });
  await expect(asPublisher(state, () => Promise.reject(held))).rejects.toMatchObject({ code: 'LOCK_HELD' });
  const patience = { looksMax: 0, held: (): OperationError => held };
  await whileLocked(join(folder, 'other'), async () => {
    await expect(whileLocked(join(folder, 'other'), () => Promise.resolve(), patience)).rejects.toBe(held);
  });
});
