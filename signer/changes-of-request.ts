/**
 * What a publish request changes: the one reading of its parts, for the daemon and for a publisher without one.
 *
 * - A signing event brings its channel, its history, its evidence and its withdrawals together: nobody hands in one of
 *   them without the others by mistake.
 * - A withdrawal is the signed statement itself; whether it holds is decided from its bytes, by who publishes (R5).
 * - A role that is handed in twice is refused: which of two was meant is not for the signer to guess.
 */
import { sideRole } from '../formats/names.ts';
import type { PartKind, RequestPart } from '../formats/publish-request.ts';
import { parseSigningEvent, type SigningEvent } from '../formats/signing-event.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import type { Changes } from './publication.ts';

/** The changes that `parts` ask for; nothing of them is verified yet. */
export function changesOfRequest(
  parts: readonly RequestPart[],
): Verdict<Changes, 'REQUEST_MALFORMED' | 'EVENT_MALFORMED'> {
  const of = (kind: PartKind): readonly Uint8Array[] =>
    parts.filter((part) => part.kind === kind).map(({ bytes }) => bytes);
  const events = readEvents(of('event'));
  if (!events.ok) return events;
  const withdrawn = readEvents(of('withdrawn'));
  if (!withdrawn.ok) return withdrawn;
  const channels = [
    ...parts.flatMap(({ name, bytes }) => (name === undefined ? [] : [[name, bytes] as const])),
    ...events.value.flatMap(rolesOf),
  ];
  const [targets, second] = of('targets');
  if (second !== undefined || new Map(channels).size < channels.length) {
    return reject('REQUEST_MALFORMED', 'a role is handed in twice');
  }
  return accept({
    roots: of('root'),
    targets,
    channels: new Map(channels),
    targetFiles: [...of('file'), ...events.value.flatMap(({ evidence }) => evidence)],
    withdrawals: [...events.value, ...withdrawn.value].map(({ role, metadata, withdrawn: envelopes }) => ({
      role,
      metadata,
      envelopes,
    })),
  });
}

/** The roles that an event brings, by name. */
function rolesOf({ role, metadata, history }: SigningEvent): readonly (readonly [string, Uint8Array])[] {
  const channel = [role, metadata] as const;
  return history === undefined ? [channel] : [channel, [sideRole(role, 'history'), history.metadata]];
}

function readEvents(files: readonly Uint8Array[]): Verdict<readonly SigningEvent[], 'EVENT_MALFORMED'> {
  const events: SigningEvent[] = [];
  for (const file of files) {
    const event = parseSigningEvent(file);
    if (!event.ok) return event;
    events.push(event.value);
  }
  return accept(events);
}
