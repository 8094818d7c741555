/**
 * What the server tells its operator: one event at a time, each fit to be one line of JSON.
 *
 * - Events carry no time: whoever writes them down has a clock.
 * - What a device must not see (paths, stacks, the text of faults) is told here and nowhere else.
 */
import type { Code } from '../formats/codes.ts';
import type { ProposalState } from '../formats/stored-proposal.ts';

export type ServerEvent =
  | { readonly event: 'listening'; readonly host: string; readonly port: number }
  | { readonly event: 'store-fault'; readonly code: Code; readonly detail: string; readonly object: string }
  | { readonly event: 'bug'; readonly detail: string; readonly object: string }
  | { readonly event: 'connections-refused'; readonly detail: string }
  | { readonly event: 'request'; readonly method: string; readonly url: string; readonly status: number }
  | {
      readonly event: 'proposal';
      readonly state: ProposalState;
      readonly product: string;
      readonly id: string;
      readonly issuer: string;
      readonly subject: string;
    }
  | { readonly event: 'refused'; readonly code: Code; readonly detail: string; readonly path: string }
  | { readonly event: 'check-in-refused'; readonly code: string; readonly detail: string }
  | { readonly event: 'identity-refused'; readonly code: string; readonly detail: string }
  | {
      readonly event: 'inventory-fault';
      readonly code: Code;
      readonly detail: string;
      /** Devices whose states wait, and states that were dropped since the last writing. */
      readonly waiting: number;
      readonly dropped: number;
    }
  | { readonly event: 'inventory-dropped'; readonly states: number }
  | { readonly event: 'closed' };

export type EventSink = (event: ServerEvent) => void;
