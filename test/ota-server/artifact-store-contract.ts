/** What every artifact store must do, whatever it stands on. Each adapter's tests run this. */
import { expect, test } from 'vitest';
import { concatBytes } from '../../formats/bytes.ts';
import type { ArtifactStore } from '../../ota-server/artifact-store.ts';
import { isObjectName, type ObjectName } from '../../ota-server/object-name.ts';

/** A store under test and a publisher's hand in it. */
export type StoreUnderTest = {
  readonly store: ArtifactStore;
  /** Publishes an object as a whole, replacing what is there. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
};

/** `text` as the name it must be. */
export function named(text: string): ObjectName {
  expect(isObjectName(text), text).toBe(true);
  if (!isObjectName(text)) throw new Error(`${text} is no object name`);
  return text;
}

/** All bytes that `read` yields. */
export async function bytesOf(read: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of read) chunks.push(chunk);
  return concatBytes(...chunks);
}

const TIMESTAMP = named('gw/metadata/timestamp.json');
const ROLE = named('gw/metadata/3.eu%2Fstable.json');
const TARGET = named(`gw/targets/1.0.0/app/${'a'.repeat(64)}.app.bin`);
const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

/** Registers the tests of the contract for the stores that `make` makes, each empty. */
export function testArtifactStore(make: () => Promise<StoreUnderTest>): void {
  test('an object that is not there is absent, not a fault', async () => {
    const { store, put } = await make();
    expect(await store.tag(TIMESTAMP)).toBeUndefined();
    expect(await store.open(TIMESTAMP)).toBeUndefined();
    await put(TARGET, bytes(3));
    expect(await store.open(named('gw/metadata/1.root.json'))).toBeUndefined();
    expect(await store.open(named(`${TARGET}/${'b'.repeat(64)}.below-a-file`))).toBeUndefined();
  });

  test('what lies above objects is no object', async () => {
    const { store, put } = await make();
    await put(`gw/targets/1.0.0/${'a'.repeat(64)}.d/${'b'.repeat(64)}.f`, bytes(3));
    expect(await store.tag(named(`gw/targets/1.0.0/${'a'.repeat(64)}.d`))).toBeUndefined();
    expect(await store.open(named(`gw/targets/1.0.0/${'a'.repeat(64)}.d`))).toBeUndefined();
  });

  test('an object is read whole and in ranges, byte for byte', async () => {
    const { store, put } = await make();
    const content = bytes(200_000);
    for (const name of [TIMESTAMP, ROLE, TARGET]) {
      await put(name, content);
      const artifact = await store.open(name);
      expect(artifact?.sizeBytes).toBe(content.length);
      if (artifact === undefined) continue;
      expect(await bytesOf(artifact.read())).toEqual(content);
      for (const [start, endExclusive] of [
        [0, 1],
        [199_999, 200_000],
        [65_535, 131_073],
        [0, 200_000],
      ] as const) {
        expect(await bytesOf(artifact.read({ start, endExclusive }))).toEqual(content.slice(start, endExclusive));
      }
      await artifact.close();
    }
  });

  test('an empty object is an object', async () => {
    const { store, put } = await make();
    await put(TARGET, new Uint8Array());
    const artifact = await store.open(TARGET);
    expect(artifact?.sizeBytes).toBe(0);
    if (artifact !== undefined) expect(await bytesOf(artifact.read())).toEqual(new Uint8Array());
    await artifact?.close();
  });

  test('a name with %2F is a name of its own, not a path', async () => {
    const { store, put } = await make();
    await put(ROLE, bytes(5));
    expect(await store.open(named('gw/metadata/3.stable.json'))).toBeUndefined();
    expect(await store.tag(ROLE)).toBeDefined();
  });

  test('the tag changes with every publication, however quick and however alike', async () => {
    const { store, put, remove } = await make();
    const tags: (string | undefined)[] = [];
    for (let i = 0; i < 20; i++) {
      await put(TIMESTAMP, Uint8Array.of(i));
      tags.push(await store.tag(TIMESTAMP));
    }
    expect(new Set(tags).size).toBe(20);
    await remove(TIMESTAMP);
    expect(await store.tag(TIMESTAMP)).toBeUndefined();
  });

  test('the tag of an object left alone settles, and is the one that opening gives', async () => {
    const { store, put } = await make();
    await put(TIMESTAMP, bytes(10));
    const tagOfOpened = async (): Promise<string | undefined> => {
      const artifact = await store.open(TIMESTAMP);
      await artifact?.close();
      return artifact?.tag;
    };
    await expect.poll(async () => (await store.tag(TIMESTAMP)) === (await tagOfOpened())).toBe(true);
    expect(await store.tag(TIMESTAMP)).toBe(await store.tag(TIMESTAMP));
  });

  test('an opened artifact keeps its bytes while another is published under its name', async () => {
    const { store, put } = await make();
    const content = bytes(150_000);
    await put(TIMESTAMP, content);
    const artifact = await store.open(TIMESTAMP);
    await put(TIMESTAMP, new Uint8Array(150_000));
    if (artifact === undefined) throw new Error('it was just published');
    expect(await bytesOf(artifact.read())).toEqual(content);
    await artifact.close();
  });
}
