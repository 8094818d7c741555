/**
 * The port to the folder in which a TUF client keeps its metadata.
 *
 * - Names are `ROLE.json`; what a role's name means for the folder is the adapter's affair.
 * - Absent is `undefined`; a write is whole or not at all, also across a crash. Other faults throw `OperationError`.
 */
export type MetadataStore = {
  readonly read: (role: string) => Promise<Uint8Array | undefined>;
  readonly write: (role: string, bytes: Uint8Array) => Promise<void>;
  readonly remove: (role: string) => Promise<void>;
};
