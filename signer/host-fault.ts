/** What the file system of the host says when it fails, and the same as a fault of ours. */
import type { Code } from '../formats/codes.ts';
import { OperationError } from '../formats/operation-error.ts';

/** The host's own code of a fault (`ENOENT`), where it has one. */
export function hostCode(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

/** A fault at the file `path`; another attempt may do. */
export function fileFault(code: Code, path: string, cause: unknown): OperationError {
  return new OperationError(code, `${path} (${hostCode(cause) ?? 'unknown fault'})`, { retriable: true, cause });
}
