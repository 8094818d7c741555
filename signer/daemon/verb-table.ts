/**
 * The verbs of the signer daemon: what may be asked of the process that holds online keys.
 *
 * - A verb takes bytes and checks them again; it takes no summary, and nobody's word for who asks.
 * - Each has a limit of its own; whoever adds a verb adds a row.
 */
import type { Instant } from '../../formats/instant.ts';
import type { Verdict } from '../../formats/verdict.ts';

/** Plain data that stands in the JSON of an answer beside `ok`. */
export type VerbFacts = Readonly<Record<string, unknown>>;
export type SignerVerb = {
  /** The longest body that is read. */
  readonly bodyBytesMax: number;
  /** Whether it may run beside others of its product, because it has an order of its own; others run one at a time. */
  readonly isShared?: true;
  /** Faults of the world throw `OperationError`. */
  readonly run: (body: Uint8Array, now: Instant) => Promise<Verdict<VerbFacts>>;
};
/** By name: lower-case letters and dashes, as in the address. */
export type VerbTable = ReadonlyMap<string, SignerVerb>;
