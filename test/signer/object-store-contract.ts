/** What every object store must do; each adapter's test runs it against a store of its own. */
import { expect, test } from 'vitest';
import type { ObjectStore } from '../../signer/object-store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const NAME = 'gateway/metadata/timestamp.json';

/** Runs the contract. @param make an empty store each time. */
export function testObjectStore(make: () => Promise<ObjectStore>): void {
  test('what is put is got, whole, and what is not there is undefined', async () => {
    const store = await make();
    expect(await store.get(NAME, 100)).toBeUndefined();
    expect((await store.put(NAME, bytes('one'), 'create-only')).ok).toBe(true);
    expect((await store.get(NAME, 3))?.bytes).toEqual(bytes('one'));
  });

  test('an object longer than its reader allows is a fault, not a part of it', async () => {
    const store = await make();
    await store.put(NAME, bytes('four'), 'create-only');
    await expect(store.get(NAME, 3)).rejects.toMatchObject({ name: 'OperationError' });
  });

  test('what was created is never created again, and stays as it was', async () => {
    const store = await make();
    await store.put(NAME, bytes('one'), 'create-only');
    for (const content of ['one', 'two']) {
      expect(await store.put(NAME, bytes(content), 'create-only')).toMatchObject({ code: 'CONDITION_FAILED' });
    }
    expect((await store.get(NAME, 100))?.bytes).toEqual(bytes('one'));
  });

  test('an object is replaced only in the state that its writer saw', async () => {
    const store = await make();
    expect(await store.put(NAME, bytes('one'), { replaces: 'nothing' })).toMatchObject({ code: 'CONDITION_FAILED' });
    await store.put(NAME, bytes('one'), 'create-only');
    const seen = (await store.get(NAME, 100))?.etag ?? '';
    expect((await store.put(NAME, bytes('two'), { replaces: seen })).ok).toBe(true);
    expect(await store.put(NAME, bytes('three'), { replaces: seen })).toMatchObject({ code: 'CONDITION_FAILED' });
    expect((await store.get(NAME, 100))?.bytes).toEqual(bytes('two'));
    expect((await store.get(NAME, 100))?.etag).not.toBe(seen);
  });

  test('of many writers at once exactly one creates, and exactly one replaces', async () => {
    const store = await make();
    const writers = Array.from({ length: 8 }, (_, i) => bytes(`writer ${i}`));
    const created = await Promise.all(writers.map((content) => store.put(NAME, content, 'create-only')));
    expect(created.filter(({ ok }) => ok)).toHaveLength(1);
    const seen = (await store.get(NAME, 100))?.etag ?? '';
    const replaced = await Promise.all(writers.map((_, i) => store.put(NAME, bytes(`next ${i}`), { replaces: seen })));
    expect(replaced.filter(({ ok }) => ok)).toHaveLength(1);
    const winner = replaced.findIndex(({ ok }) => ok);
    expect((await store.get(NAME, 100))?.bytes).toEqual(bytes(`next ${winner}`));
  });

  test('changing the bytes that were handed in or out changes nothing in the store', async () => {
    const store = await make();
    const content = bytes('one');
    await store.put(NAME, content, 'create-only');
    content.fill(0);
    (await store.get(NAME, 100))?.bytes.fill(0);
    expect((await store.get(NAME, 100))?.bytes).toEqual(bytes('one'));
  });
}
