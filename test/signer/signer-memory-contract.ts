/** What every memory of a signer must do (rule R6); each adapter's test runs it. */
import { expect, test } from 'vitest';
import type { LogMemory } from '../../signer/log-memory.ts';
import type { MemoryWrite, SignerMemory, SignerState } from '../../signer/signer-state.ts';
import { accepted } from '../accepted.ts';

const taken = { ok: false, code: 'CONDITION_FAILED' };

/** The memory of one product after so many timestamps. */
function stateAt(timestampVersion: number, change: Partial<SignerState> = {}): SignerState {
  const digests = { rootOneSha256: 'ab'.repeat(32), snapshotSha256: 'cd'.repeat(32) };
  return { product: 'gateway', ...digests, timestampVersion, snapshotVersion: 1, ...change };
}

function logOf(size: number): LogMemory {
  return { origin: 'log.example/gateway', size, rootHash: new Uint8Array(32).fill(size) };
}

/** A gate that somebody waits at until it is opened. */
function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, opened: promise };
}

/** Runs the contract. @param make a memory that has nothing yet, as often as it is opened. */
export function testSignerMemory(make: () => Promise<() => Promise<SignerMemory>>): void {
  test('contract: nothing is remembered before the first write, and then what was written, by whoever opens it anew', async () => {
    const open = await make();
    const memory = await open();
    expect([await memory.read(), await memory.readLog()]).toEqual([undefined, undefined]);
    const state = stateAt(1, { withdrawn: [{ role: 'stable', version: 2, sha256: 'ef'.repeat(32) }] });
    accepted(await memory.write(state, undefined));
    expect([await memory.read(), await memory.readLog()]).toEqual([state, undefined]);
    accepted(await memory.writeLog(logOf(3), undefined));
    const anew = await open();
    expect([await anew.read(), await anew.readLog()]).toEqual([state, logOf(3)]);
  });

  test('contract: what was read by nobody, or was replaced since, is replaced by nobody; the same once more is no change', async () => {
    const memory = await (await make())();
    expect(await memory.write(stateAt(2), stateAt(1))).toMatchObject(taken);
    expect(await memory.writeLog(logOf(2), logOf(1))).toMatchObject(taken);
    expect([await memory.read(), await memory.readLog()]).toEqual([undefined, undefined]);
    accepted(await memory.write(stateAt(1), undefined));
    accepted(await memory.writeLog(logOf(1), undefined));
    for (const former of [undefined, stateAt(7), stateAt(1, { snapshotVersion: 2 })]) {
      expect(await memory.write(stateAt(3), former)).toMatchObject(taken);
    }
    for (const former of [undefined, logOf(7)]) expect(await memory.writeLog(logOf(3), former)).toMatchObject(taken);
    expect([await memory.read(), await memory.readLog()]).toEqual([stateAt(1), logOf(1)]);
    accepted(await memory.write(stateAt(1), undefined));
    accepted(await memory.write(stateAt(2), stateAt(1)));
    accepted(await memory.writeLog(logOf(2), logOf(1)));
    expect([await memory.read(), await memory.readLog()]).toEqual([stateAt(2), logOf(2)]);
  });

  test('contract: of many publications at once that start from one state exactly one is written, the others are told', async () => {
    const open = await make();
    accepted(await (await open()).write(stateAt(1), undefined));
    const publish = async (version: number): Promise<MemoryWrite> => {
      const memory = await open();
      return memory.exclusively(() => memory.write(stateAt(version), stateAt(1)));
    };
    const written = await Promise.all([2, 3, 4, 5, 6].map(publish));
    expect(written.filter(({ ok }) => ok)).toHaveLength(1);
    const winner = written.findIndex(({ ok }) => ok);
    expect(await (await open()).read()).toEqual(stateAt(winner + 2));
  });

  test('contract: changing what was handed in or out changes nothing that is remembered', async () => {
    const memory = await (await make())();
    const log = logOf(5);
    accepted(await memory.writeLog(log, undefined));
    log.rootHash.fill(0);
    (await memory.readLog())?.rootHash.fill(0);
    expect(await memory.readLog()).toEqual(logOf(5));
  });

  test('contract: garbage is removed over the state that was looked at, or not at all', async () => {
    const memory = await (await make())();
    accepted(await memory.write(stateAt(1), undefined));
    let removals = 0;
    const remove = (): Promise<void> => Promise.resolve(void removals++);
    expect(await memory.collect(stateAt(2), remove)).toMatchObject(taken);
    expect(removals).toBe(0);
    const after = accepted(await memory.collect(stateAt(1), remove));
    expect([removals, await memory.read()]).toEqual([1, after]);
    expect(after).toMatchObject(stateAt(1));
    accepted(await memory.write(stateAt(2, { sweeps: after.sweeps }), after));
  });

  test('contract: a publication that has looked before garbage was removed is told, or nothing is removed', async () => {
    const open = await make();
    accepted(await (await open()).write(stateAt(1), undefined));
    const [looked, goOn] = [gate(), gate()];
    let isRemoved = false;
    const publisher = await open();
    const publication = publisher.exclusively(async () => {
      const seen = await publisher.read();
      looked.open();
      await goOn.opened;
      return publisher.write(stateAt(2), seen);
    });
    await looked.opened;
    const collector = await open();
    const collected = collector.collect(stateAt(1), () => Promise.resolve(void (isRemoved = true)));
    goOn.open();
    const [written, removed] = await Promise.all([publication, collected]);
    expect([written.ok, removed.ok]).toEqual([!isRemoved, isRemoved]);
  });

  test('contract: while garbage is removed nobody works from the state, and a removal that fails holds up nobody for ever', async () => {
    const open = await make();
    accepted(await (await open()).write(stateAt(1), undefined));
    const [begun, fail] = [gate(), gate()];
    const order: string[] = [];
    const collector = await open();
    const collected = collector.collect(stateAt(1), async () => {
      begun.open();
      await fail.opened;
      order.push('removed');
      throw new Error('for a test');
    });
    await begun.opened;
    const publisher = await open();
    const publication = publisher.exclusively(async () => {
      const seen = await publisher.read();
      order.push('looked');
      return publisher.write(stateAt(2, { sweeps: seen?.sweeps }), seen);
    });
    fail.open();
    await expect(collected).rejects.toThrow('for a test');
    accepted(await publication);
    expect(order).toEqual(['removed', 'looked']);
    expect(await (await open()).read()).toMatchObject(stateAt(2));
  });
}
