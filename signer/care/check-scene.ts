/** What a check of a published repository works with, and what it has come to know for its later parts. */
import type { RepositoryId } from '../../formats/binding.ts';
import type { Instant } from '../../formats/instant.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import type { Verdict } from '../../formats/verdict.ts';
import type { TrustedRoot } from '../../bootloader-verifier/boot/verify-root.ts';
import type { LogMemory } from '../log-memory.ts';
import type { SignerState } from '../signer-state.ts';
import type { Findings } from './finding.ts';
import { orUnreadable, readObject, type ObjectList, type PublishedSource } from './published-source.ts';
import type { KnownTree, ReachedLog } from './reach-log.ts';
import type { ReachedOnline } from './reach-roles.ts';

/** How long before its expiry a role is named, in milliseconds. */
export type ExpiryLimits = { readonly peopleMs: number; readonly onlineMs: number };
type RememberedBySigner = {
  /** Read once the store was looked at: a publication meanwhile is no damage. */
  readonly state: () => Promise<SignerState | undefined>;
  /** As it was before: the log only grows. */
  readonly log: LogMemory | undefined;
};
export type CheckInput = {
  readonly source: PublishedSource;
  readonly list: ObjectList;
  readonly repository: RepositoryId;
  readonly check: SignatureCheck;
  readonly now: Instant;
  readonly limits: ExpiryLimits;
  /** What the signer remembers, where it is at hand. */
  readonly memory: RememberedBySigner | undefined;
  /** Trees that must be of this log, known from elsewhere: a mirror, a witness. */
  readonly trees?: readonly KnownTree[];
};
/** What a check has come to know, for its later parts. */
export type Known = {
  readonly input: CheckInput;
  readonly found: Findings;
  /** Names below the product that were judged already. */
  readonly reached: ReadonlySet<string>;
  readonly roots: readonly TrustedRoot[];
  readonly online: ReachedOnline | undefined;
  readonly log: ReachedLog | undefined;
};

/** The name in the store of what devices ask for as `name`. */
export function objectOf({ repository }: Pick<CheckInput, 'repository'>, name: string): string {
  return `${repository.product}/${name}`;
}

/** The object `name`, as it is asked for, or that it lies there and cannot be read. */
export function readToCheck(
  input: Pick<CheckInput, 'repository' | 'source'>,
  name: string,
  bytesMax: number,
): Promise<Verdict<Uint8Array | undefined, 'METADATA_TOO_LARGE' | 'FILE_UNREADABLE'>> {
  return orUnreadable(() => readObject(input.source, objectOf(input, name), bytesMax));
}
