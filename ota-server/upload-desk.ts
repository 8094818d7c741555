/**
 * Port: where the files of proposals are handed in. It gives out addresses, and tells what was put there.
 *
 * - An address is good for one name, one length, one SHA-256 and until one moment; whatever else is sent to it leaves nothing.
 * - Nothing that stands is ever replaced.
 * - `look` reads the bytes themselves: what an uploader or a store says of them is not believed.
 * - Every fault of the world is a thrown `OperationError`.
 */
import type { Instant } from '../formats/instant.ts';

export type UploadOrder = {
  /** `incoming/PRODUCT/ID/COMPONENT/FILE`. */
  readonly name: string;
  readonly length: number;
  readonly sha256: string;
  readonly until: Instant;
};
export type UploadInvitation = {
  /** Where to PUT the bytes; absolute, or relative to the control plane. */
  readonly url: string;
  /** Fields that must be sent with them, by names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
};

export type UploadDesk = {
  readonly invite: (order: UploadOrder, now: Instant) => UploadInvitation;
  /**
   * Length and SHA-256 of what stands under `name`; undefined where nothing does. What is longer than `lengthMax` is told by a
   * greater length and no digest, without reading all of it.
   */
  readonly look: (
    name: string,
    lengthMax: number,
  ) => Promise<{ readonly length: number; readonly sha256: string } | undefined>;
};

/** What arrives at an address that the control plane itself serves. */
export type Arrival = {
  readonly name: string;
  /** The address's query, as received. */
  readonly query: string;
  /** What Content-Length says; undefined where it says nothing. */
  readonly length: number | undefined;
  readonly bytes: AsyncIterable<Uint8Array>;
};
