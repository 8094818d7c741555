/** Metadata in memory: never stale, never more than its bounds, and no cover for a store that fails. */
import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { OperationError } from '../../formats/operation-error.ts';
import type { ArtifactStore } from '../../ota-server/artifact-store.ts';
import { createMetadataMemory, METADATA_BYTES_MAX } from '../../ota-server/metadata-memory.ts';
import { parseObjectUrl, type ServedMetadata } from '../../ota-server/object-name.ts';

const LIMITS = { entriesMax: 3, bytesMax: 1000 };

function metadata(file: string): ServedMetadata {
  const object = parseObjectUrl(`/r/gw/metadata/${file}`);
  if (!object.ok || object.value.kind !== 'metadata') throw new Error(`${file} is no metadata`);
  return object.value;
}
const TIMESTAMP = metadata('timestamp.json');

/** A store in memory that counts what it is asked for. */
function countingStore(): ArtifactStore & { readonly objects: Map<string, Uint8Array>; tags: number; opens: number } {
  const objects = new Map<string, Uint8Array>();
  const tagOf = (name: string) => {
    const bytes = objects.get(name);
    return bytes === undefined ? undefined : hash('sha256', bytes, 'hex');
  };
  const store = {
    objects,
    tags: 0,
    opens: 0,
    tag: async (name: string) => {
      store.tags++;
      return tagOf(name);
    },
    open: async (name: string) => {
      store.opens++;
      const [bytes, tag] = [objects.get(name), tagOf(name)];
      if (bytes === undefined || tag === undefined) return undefined;
      return {
        sizeBytes: bytes.length,
        tag,
        read: () =>
          (async function* () {
            yield bytes;
          })(),
        close: async () => undefined,
      };
    },
  };
  return store;
}

test('a publication is seen by the very next question, and so is its end', async () => {
  const store = countingStore();
  const memory = createMetadataMemory(store, LIMITS);
  for (let version = 1; version <= 20; version++) {
    store.objects.set(TIMESTAMP.name, Buffer.from(`{"version":${version}}`));
    const copy = await memory.current(TIMESTAMP);
    expect(Buffer.from(copy?.body ?? []).toString()).toBe(`{"version":${version}}`);
    expect(copy?.representation.etag).toBe(`"${hash('sha256', `{"version":${version}}`, 'hex')}"`);
  }
  store.objects.delete(TIMESTAMP.name);
  expect(await memory.current(TIMESTAMP)).toBeUndefined();
  expect(memory.held(TIMESTAMP.name)).toBeUndefined();
});

test('while nothing is published, content is read once, and a crowd of questions looks at the store once', async () => {
  const store = countingStore();
  store.objects.set(TIMESTAMP.name, Buffer.from('{}'));
  const memory = createMetadataMemory(store, LIMITS);
  await memory.current(TIMESTAMP);
  expect(memory.held(TIMESTAMP.name)).toEqual(TIMESTAMP);
  const before = store.tags;
  await Promise.all(Array.from({ length: 1000 }, () => memory.current(TIMESTAMP)));
  expect(store.opens).toBe(1);
  expect(store.tags - before).toBe(1);
});

test('a crowd of questions for what is absent looks once, too, and leaves nothing behind', async () => {
  const store = countingStore();
  const memory = createMetadataMemory(store, LIMITS);
  const answers = await Promise.all(Array.from({ length: 1000 }, () => memory.current(metadata('2.root.json'))));
  expect(new Set(answers)).toEqual(new Set([undefined]));
  expect([store.tags, store.opens]).toEqual([1, 0]);
  expect(memory.held('gw/metadata/2.root.json')).toBeUndefined();
});

test('no more is held than the limits allow, and what was asked for longest ago goes first', async () => {
  const store = countingStore();
  const memory = createMetadataMemory(store, LIMITS);
  const objects = [1, 2, 3, 4].map((version) => metadata(`${version}.root.json`));
  for (const { name } of objects) store.objects.set(name, new Uint8Array(400));
  const heldNow = () => objects.map(({ name }) => memory.held(name) !== undefined);
  for (const object of objects.slice(0, 3)) await memory.current(object);
  expect(heldNow()).toEqual([false, true, true, false]);
  for (const { name } of objects) store.objects.set(name, new Uint8Array(10));
  for (const object of objects) await memory.current(object);
  expect(heldNow()).toEqual([false, true, true, true]);
});

test('metadata longer than its limit is a fault of the store; at the limit it is served', async () => {
  const store = countingStore();
  const memory = createMetadataMemory(store, LIMITS);
  store.objects.set(TIMESTAMP.name, new Uint8Array(METADATA_BYTES_MAX));
  expect((await memory.current(TIMESTAMP))?.body.length).toBe(METADATA_BYTES_MAX);
  store.objects.set(TIMESTAMP.name, new Uint8Array(METADATA_BYTES_MAX + 1));
  await expect(memory.current(TIMESTAMP)).rejects.toMatchObject({ code: 'METADATA_TOO_LARGE', retriable: false });
});

test('a store that fails is never covered by an old copy', async () => {
  const store = countingStore();
  store.objects.set(TIMESTAMP.name, Buffer.from('{}'));
  let away = false;
  const memory = createMetadataMemory(
    {
      tag: async (name) => {
        if (away) throw new OperationError('NETWORK_UNREACHABLE', 'no bucket', { retriable: true });
        return store.tag(name);
      },
      open: store.open,
    },
    LIMITS,
  );
  await memory.current(TIMESTAMP);
  away = true;
  await expect(memory.current(TIMESTAMP)).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' });
  away = false;
  expect(await memory.current(TIMESTAMP)).toBeDefined();
});

test('the text of a body is its bytes, each one, whatever they are', async () => {
  const store = countingStore();
  store.objects.set(
    TIMESTAMP.name,
    Uint8Array.from({ length: 256 }, (_, i) => i),
  );
  const copy = await createMetadataMemory(store, LIMITS).current(TIMESTAMP);
  expect(new Uint8Array(Buffer.from(copy?.text ?? '', 'latin1'))).toEqual(store.objects.get(TIMESTAMP.name));
});
