/** A proposal as a store holds it: read from the place of its product and id, and of no other. */
import { OperationError } from '../formats/operation-error.ts';
import { parseStoredProposal, type StoredProposal } from '../formats/stored-proposal.ts';

/** Where a proposal is looked for. */
export type ProposalPlace = { readonly product: string; readonly id: string };

/**
 * The proposal in `bytes`, which stood at the place `at`. @param where what it is called in a fault.
 * @throws OperationError `FILE_UNREADABLE` if it is none, or that of another place: whoever owns the store may have moved it.
 */
export function readStoredProposal(bytes: Uint8Array, at: ProposalPlace, where: string): StoredProposal {
  const stored = parseStoredProposal(bytes);
  if (!stored.ok) throw unreadable(`${where} is no stored proposal: ${stored.detail}`);
  const { id, proposal } = stored.value;
  if (id !== at.id || proposal.product !== at.product) {
    throw unreadable(`${where} is proposal ${id} of ${proposal.product}, not ${at.id} of ${at.product}`);
  }
  return stored.value;
}

function unreadable(detail: string): OperationError {
  return new OperationError('FILE_UNREADABLE', detail, { retriable: false });
}
