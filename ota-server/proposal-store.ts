/**
 * Port: where proposals are kept. It is trusted with availability, and with who proposed what until people have signed it.
 *
 * - A write is durable when it returns, and appears as a whole or not at all.
 * - A token makes one proposal: its digest is taken before the proposal is written, by whichever server is first.
 * - A proposal changes once, from `uploading` to `open`; opening it again changes nothing.
 * - Absent is undefined; every fault of the world is a thrown `OperationError`.
 */
import type { StoredProposal } from '../formats/stored-proposal.ts';
import type { Verdict } from '../formats/verdict.ts';

export type ProposalStore = {
  /** Keeps a new proposal. @param tokenSha256 names the token that it was made with, in hex. */
  readonly create: (
    stored: StoredProposal,
    tokenSha256: string,
  ) => Promise<Verdict<void, 'TOKEN_REPLAYED' | 'PROPOSAL_CONFLICT'>>;
  readonly find: (product: string, id: string) => Promise<StoredProposal | undefined>;
  /** Marks a proposal as open. @returns it as it is now. */
  readonly open: (product: string, id: string) => Promise<StoredProposal | undefined>;
  /** The newest proposals of a product, newest first, at most `countMax`. */
  readonly list: (product: string, countMax: number) => Promise<readonly StoredProposal[]>;
};
