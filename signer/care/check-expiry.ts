/**
 * What of a published repository has expired, and what expires soon enough that somebody must act now.
 *
 * - People need weeks to meet, the signer needs a moment: their roles have limits of their own.
 * - A role beside a channel ends by design: a lease is renewed, a halt has no end.
 */
import type { Instant } from '../../formats/instant.ts';
import { isSideRole } from '../../formats/names.ts';
import { reject } from '../../formats/verdict.ts';
import { objectOf, type Known } from './check-scene.ts';
import { metadataName } from './reach-roles.ts';

/** A role with the end of its life. */
type RoleEnd = {
  readonly name: string;
  readonly role: string;
  readonly expires: Instant;
  readonly isOnline: boolean;
};

/** When each role that is in force expires, by the name of its object. */
function roleEnds({ roots, online }: Pick<Known, 'roots' | 'online'>): readonly RoleEnd[] {
  const ends: RoleEnd[] = [];
  const root = roots.at(-1)?.metadata.signed;
  if (root !== undefined) {
    ends.push({ name: metadataName('root', root.version), role: 'root', expires: root.expires, isOnline: false });
  }
  if (online === undefined) return ends;
  const { signed } = online.timestamp.role;
  ends.push({ name: 'metadata/timestamp.json', role: 'timestamp', expires: signed.expires, isOnline: true });
  const snapshot = online.snapshot?.role.signed;
  if (snapshot !== undefined) {
    const name = metadataName('snapshot', snapshot.version);
    ends.push({ name, role: 'snapshot', expires: snapshot.expires, isOnline: true });
  }
  for (const { name: role, version, expires } of online.roles) {
    if (expires === undefined || isSideRole(role)) continue;
    ends.push({ name: metadataName(role, version), role, expires, isOnline: false });
  }
  return ends;
}

/** Names what has expired as damage, for devices refuse it, and what soon will as a warning. */
export function checkExpiry(known: Known): void {
  const { input, found } = known;
  for (const { name, role, expires, isOnline } of roleEnds(known)) {
    const leftMs = expires - input.now;
    const limitMs = isOnline ? input.limits.onlineMs : input.limits.peopleMs;
    const object = objectOf(input, name);
    if (leftMs <= 0) found.damage(object, reject('METADATA_EXPIRED', `${role} has expired`));
    else if (leftMs <= limitMs) found.warning(object, reject('EXPIRY_NEAR', `${role} expires in ${inWords(leftMs)}`));
  }
}

/** A time in days, or in hours where it is short. */
function inWords(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  return hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
}
