/**
 * Whether a new channel may be published now: it follows what is published, its time is not over, nobody has withdrawn it (R5).
 *
 * - What it follows is named by the digest of the published file: a draft that was overtaken is stale, whatever its version says.
 * - A channel without an event has nothing to be held to; where people are listed, devices refuse it (`boot/verify-quorum.ts`).
 */
import { parseChannelPart } from '../formats/channel-part.ts';
import { encodeInstant, type Instant } from '../formats/instant.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { parsedRole } from './parsed-role.ts';
import type { Candidate } from './publication.ts';

export type CurrentCode = 'EVENT_STALE' | 'EVENT_EXPIRED' | 'EVENT_WITHDRAWN';

/** Decides it for `role`, whose file in `candidate` is new. A file that is no channel is not judged here. */
export function verifyCurrent(candidate: Candidate, role: string, now: Instant): Verdict<void, CurrentCode> {
  const parsed = parsedRole(candidate.roles.get(role) ?? new Uint8Array());
  const part = parsed.ok ? parseChannelPart(parsed.value.signed.firmament) : parsed;
  if (!parsed.ok || !part.ok) return accept(undefined);
  const digest = sha256Hex(parsed.value.signedBytes);
  if (candidate.withdrawn.some((draft) => draft.role === role && draft.sha256 === digest)) {
    return reject('EVENT_WITHDRAWN', `${role} ${digest.slice(0, 12)}… was withdrawn, for ever`);
  }
  const { event } = part.value;
  if (event === undefined) return accept(undefined);
  const published = candidate.before.roles.get(role);
  if (event.predecessor !== (published && sha256Hex(published))) {
    return reject('EVENT_STALE', `${role} does not follow the file that is published`);
  }
  return event.notAfter < now
    ? reject('EVENT_EXPIRED', `${role} was to be published until ${encodeInstant(event.notAfter)}`)
    : accept(undefined);
}
