/**
 * A capsule in the place of a server: the files that it carries, under the names that a server would serve them by.
 *
 * - Reading is by place: no more than the head and what is asked for is ever held.
 * - A name that it does not carry is absent, as on a server; a file beyond its limit is a fault, as on a server.
 */
import { parseCapsuleHead, CAPSULE_HEAD_BYTES_MAX } from '../../formats/capsule.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';
import type { RepositoryClient } from './repository-client.ts';

/** Port: the bytes of one capsule, wherever it lies. */
export type CapsuleBytes = {
  readonly length: number;
  /** `length` bytes from `offset` on, fewer only at the end. Faults of the medium throw `OperationError`. */
  readonly read: (offset: number, length: number) => Promise<Uint8Array>;
};

export type OpenCapsule = { readonly names: readonly string[]; readonly client: RepositoryClient };

/** Reads the head of a capsule. What its files say is for others to verify. */
export async function openCapsule(capsule: CapsuleBytes): Promise<Verdict<OpenCapsule, 'CAPSULE_MALFORMED'>> {
  const start = await capsule.read(0, Math.min(capsule.length, CAPSULE_HEAD_BYTES_MAX));
  const files = parseCapsuleHead(start, capsule.length);
  if (!files.ok) return files;
  const places = new Map(files.value.map((file) => [file.name, file]));
  const get: RepositoryClient['get'] = async (name, bytesMax) => {
    const place = places.get(name);
    if (place === undefined) return undefined;
    if (place.length > bytesMax) {
      const detail = `${name}: ${place.length} bytes, at most ${bytesMax} are read`;
      throw new OperationError('RESPONSE_TOO_LARGE', detail, { retriable: false });
    }
    return capsule.read(place.offset, place.length);
  };
  return accept({ names: [...places.keys()], client: { get } });
}
