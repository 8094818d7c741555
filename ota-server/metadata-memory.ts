/**
 * Metadata held in memory: what polls are answered from.
 *
 * - Never staler than one look: each answer follows a look at the store that began after its question (`shared-look.ts`).
 *   A publication is seen by the very next poll, and a burst of polls shares one look.
 * - Content and entity tag belong together by construction: the tag is the hash of the very bytes that are sent.
 * - Bounded in number and in bytes. One object above its limit is a fault of the store.
 * - A fault of the store is told, never covered by an old copy: nobody would notice that the store is gone.
 */
import { hash } from 'node:crypto';
import { OperationError } from '../formats/operation-error.ts';
import type { Artifact, ArtifactStore } from './artifact-store.ts';
import { createBoundedCache, type CacheLimits } from './bounded-cache.ts';
import type { ObjectName, HeldObject } from './object-name.ts';
import { describeObject, type Representation } from './representation.ts';
import { shareLook } from './shared-look.ts';

export type MetadataCopy = {
  readonly object: HeldObject;
  /** The store's tag of these bytes. */
  readonly tag: string;
  readonly representation: Representation;
  readonly body: Uint8Array;
  /**
   * The body once more, a character for each byte (Latin-1), unless it is long: Node sends head and body
   * in one system call if both are text, which is a fifth of the cost of a poll.
   */
  readonly text: string | undefined;
};

export type MetadataMemory = {
  /** The object that is held under this name, if any; says nothing about what the store holds now. */
  held(name: string): HeldObject | undefined;
  /** The object as the store has it after this call, undefined where it has none; rejects with the store's `OperationError`. */
  current(object: HeldObject): Promise<MetadataCopy | undefined>;
};

/** Longest metadata that is served: more than any client of ours, or tuf-js by default, reads of a role. */
export const METADATA_BYTES_MAX = 8_388_608;

/** Memory over `store`, empty; `limits` bound what is held. */
export function createMetadataMemory(store: ArtifactStore, limits: CacheLimits): MetadataMemory {
  const copies = createBoundedCache<MetadataCopy>(limits, (copy) => copy.body.length);
  // No longer than the number of objects that are asked for at this moment.
  const questions = new Map<ObjectName, () => Promise<MetadataCopy | undefined>>();

  const look = async (object: HeldObject): Promise<MetadataCopy | undefined> => {
    const tag = await store.tag(object.name);
    const copy = copies.get(object.name);
    if (copy !== undefined && copy.tag === tag) return copy;
    copies.delete(object.name);
    const loaded = tag === undefined ? undefined : await loadCopy(store, object);
    if (loaded !== undefined) copies.set(object.name, loaded);
    return loaded;
  };
  const question = (object: HeldObject): (() => Promise<MetadataCopy | undefined>) => {
    const ask = shareLook(
      () => look(object),
      () => questions.delete(object.name),
    );
    questions.set(object.name, ask);
    return ask;
  };
  return {
    held: (name) => copies.peek(name)?.object,
    current: (object) => (questions.get(object.name) ?? question(object))(),
  };
}

async function loadCopy(store: ArtifactStore, object: HeldObject): Promise<MetadataCopy | undefined> {
  const artifact = await store.open(object.name);
  if (artifact === undefined) return undefined;
  try {
    const body = await readBody(artifact, object.name);
    const sha256 = hash('sha256', body, 'hex');
    const representation = describeObject({ ...object, sha256, sizeBytes: body.length, immutable: object.versioned });
    return { object, tag: artifact.tag, representation, body, text: latin1(body) };
  } finally {
    await artifact.close();
  }
}

async function readBody(artifact: Artifact, name: ObjectName): Promise<Uint8Array> {
  if (artifact.sizeBytes > METADATA_BYTES_MAX) {
    const detail = `${name} has ${artifact.sizeBytes} bytes, at most ${METADATA_BYTES_MAX} are served`;
    throw new OperationError('METADATA_TOO_LARGE', detail, { retriable: false });
  }
  const body = new Uint8Array(artifact.sizeBytes);
  let at = 0;
  for await (const chunk of artifact.read()) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** Above this the copy into one string costs more than a second system call. */
const TEXT_BYTES_MAX = 8_192;

function latin1(bytes: Uint8Array): string | undefined {
  return bytes.length <= TEXT_BYTES_MAX ? String.fromCharCode(...bytes) : undefined;
}
