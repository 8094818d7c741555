/**
 * Port: the published repository as the data plane sees it. There is nothing here to write with.
 *
 * - Objects appear and change as a whole (rename in a folder, PUT in a bucket); a publisher never writes into one in place.
 * - Absent is `undefined`. Every other fault of the world is a thrown `OperationError`: an attack never looks like an absence.
 * - An opened artifact keeps its bytes, whatever is published meanwhile: they are those of its tag, or reading throws.
 * - Every call ends; an adapter over a network bounds its own waiting.
 */
import type { ByteRange } from './byte-range.ts';
import type { ObjectName } from './object-name.ts';

export type Artifact = {
  readonly sizeBytes: number;
  /** Differs whenever the object differs; opaque, of no meaning to devices. */
  readonly tag: string;
  /** The bytes of `range`, or all, in order. Throws `OperationError` rather than end early. */
  read(range?: ByteRange): AsyncIterable<Uint8Array>;
  /** Frees what the artifact holds. Must be called once reading has ended. */
  close(): Promise<void>;
};

export type ArtifactStore = {
  /** The tag that `open` would find now, at the cost of one look; undefined where there is no such object. */
  tag(name: ObjectName): Promise<string | undefined>;
  open(name: ObjectName): Promise<Artifact | undefined>;
};
