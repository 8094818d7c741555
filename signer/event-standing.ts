/**
 * How far a signing event has come: who has signed, who still can, and what is missing of the quorum.
 *
 * - Counted as the device counts (`boot/verify-quorum.ts`): by people where they are listed, else by keys.
 */
import { signersOf, votersOf, type Voter } from '../bootloader-verifier/boot/verify-quorum.ts';
import type { SigningEvent } from '../formats/signing-event.ts';
import { parseTargets } from '../formats/tuf-targets.ts';
import { checkSignature } from './signature-check-node.ts';
import type { JudgedEvent } from './verify-event.ts';

export type Standing = {
  /** How many must sign. */
  readonly threshold: number;
  /** Who has signed and counts. */
  readonly signed: readonly Voter[];
  /** Who could sign and would count. */
  readonly open: readonly Voter[];
  /** Whether an independent key is demanded and none has signed. */
  readonly lacksIndependent: boolean;
  readonly isQuorum: boolean;
};

/** The standing of `event`, judged as `judged` before a signature was added, perhaps. */
export function standingOf(judged: JudgedEvent, event: SigningEvent = judged.event): Standing {
  const { targets, trust, authors } = judged;
  const { role } = event;
  const delegations = targets.signed.delegations ?? { keys: new Map<string, never>(), roles: [] };
  const listed = delegations.roles.find(({ name }) => name === role);
  const metadata = parseTargets(event.metadata);
  const keyids = metadata.ok ? signersOf(metadata.value, delegations, checkSignature) : new Set<string>();
  const { people } = trust;
  const of = (ids: ReadonlySet<string>): readonly Voter[] =>
    people === undefined
      ? (listed?.keyids ?? []).filter((id) => ids.has(id)).map((id) => ({ person: id.slice(0, 12), independent: true }))
      : votersOf({ name: role, delegations, people }, ids).filter(({ person }) => !authors.has(person));
  const signed = of(keyids);
  const names = new Set(signed.map(({ person }) => person));
  const open = of(new Set(delegations.keys.keys())).filter(({ person }) => !names.has(person));
  const threshold = listed?.threshold ?? Infinity;
  const lacksIndependent = !signed.some(({ independent }) => independent);
  return { threshold, signed, open, lacksIndependent, isQuorum: signed.length >= threshold && !lacksIndependent };
}
