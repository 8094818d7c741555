/**
 * The port through which a device fetches from its repository.
 *
 * - Names are relative to the product's address: `metadata/timestamp.json`, `targets/RELEASE/COMPONENT/SHA256.FILE`.
 * - Absent is `undefined`; every other fault is an `OperationError`: an attack must never look like an absence.
 * - The limit holds while streaming: at most `bytesMax` bytes are ever kept.
 */
import { OperationError } from '../../formats/operation-error.ts';

export type RepositoryClient = {
  readonly get: (name: string, bytesMax: number) => Promise<Uint8Array | undefined>;
};

/** A file that must be there. */
export async function getPresent(client: RepositoryClient, name: string, bytesMax: number): Promise<Uint8Array> {
  const bytes = await client.get(name, bytesMax);
  if (bytes === undefined) throw new OperationError('NOT_FOUND', `${name} is not on the server`, { retriable: true });
  return bytes;
}
