/** One daemon, or publishers without one: nobody works behind a daemon's back. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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

test('publishers wait for each other, and a daemon for them: at no moment do two work', async () => {
  let working = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++working);
    await new Promise((resolve) => setImmediate(resolve));
    working--;
  };
  await Promise.all([asPublisher(state, work), asPublisher(state, work), asPublisher(state, work)]);
  let release = (): void => undefined;
  const publishing = asPublisher(state, async () => {
    await new Promise<void>((resolve) => (release = resolve));
    await work();
  });
  const daemon = asDaemon(state, work);
  while (working > 0) await new Promise((resolve) => setImmediate(resolve));
  setTimeout(() => release(), 60);
  await Promise.all([publishing, daemon]);
  expect(most).toBe(1);
});

test('what fails inside keeps its own code: another lock that is held is no running daemon', async () => {
  const held = new OperationError('LOCK_HELD', 'another one', { retriable: true });
  await expect(asPublisher(state, () => Promise.reject(held))).rejects.toMatchObject({ code: 'LOCK_HELD' });
  const patience = { looksMax: 0, held: (): OperationError => held };
  await whileLocked(join(folder, 'other'), async () => {
    await expect(whileLocked(join(folder, 'other'), () => Promise.resolve(), patience)).rejects.toBe(held);
  });
});
