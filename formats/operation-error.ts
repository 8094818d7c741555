/**
 * The one error that adapters throw: the world failed, nobody lied.
 *
 * - Thrown by adapters only, retried or shown by shells, never turned into a verdict.
 * - Carries a stable code like every refusal, so that each surface shows it the same way.
 */
import type { Code } from './codes.ts';

export class OperationError extends Error {
  readonly code: Code;
  readonly retriable: boolean;

  /**
   * @param code what failed, from the table of codes.
   * @param detail a sentence with the values at hand; no secrets.
   * @param options.retriable whether the same call may succeed later.
   * @param options.cause the error of the host, for the log.
   */
  constructor(code: Code, detail: string, options: { readonly retriable: boolean; readonly cause?: unknown }) {
    super(detail, { cause: options.cause });
    this.name = 'OperationError';
    this.code = code;
    this.retriable = options.retriable;
  }
}
