/**
 * What a verified publication leaves for the renewals of its timestamp: which root devices have, and until when all of it holds.
 *
 * - Made from a candidate that was judged as a whole, and remembered by the signer beside the digest of its snapshot.
 */
import { parseChannelPart } from '../formats/channel-part.ts';
import { isSideRole } from '../formats/names.ts';
import { parseSnapshot, parseTimestamp } from '../formats/tuf-snapshot.ts';
import type { TrustedRoot } from '../bootloader-verifier/boot/verify-root.ts';
import { readRole } from './parsed-role.ts';
import type { Candidate } from './publication.ts';
import type { Standing } from './signer-state.ts';

/** What stands once `candidate` is visible under `root`, the newest that is there by then. A part that cannot be read holds for no moment. */
export function standingOf({ snapshot, timestamp, roles }: Candidate, root: TrustedRoot): Standing {
  const [online, shown] = [parseSnapshot(snapshot), parseTimestamp(timestamp)];
  return {
    rootVersion: root.metadata.signed.version,
    rootSha256: root.sha256,
    snapshotLength: snapshot.length,
    snapshotExpires: online.ok ? online.value.signed.expires : 0,
    targetsExpires: readRole(roles.get('targets'))?.signed.expires ?? 0,
    timestampExpires: shown.ok ? shown.value.signed.expires : 0,
    hasPlan: [...roles.values()].some(hasPlan),
    rootExpires: root.metadata.signed.expires,
    channel: firstEnding(roles),
  };
}

/** The channel that ends first; what stands beside a channel ends by design. */
function firstEnding(roles: Candidate['roles']): Standing['channel'] {
  const channels = [...roles].flatMap(([name, bytes]) => {
    const expires = name === 'targets' || isSideRole(name) ? undefined : readRole(bytes)?.signed.expires;
    return expires === undefined ? [] : [{ name, expires }];
  });
  return channels.sort((a, b) => a.expires - b.expires)[0];
}

function hasPlan(role: Uint8Array): boolean {
  const part = parseChannelPart(readRole(role)?.signed.firmament);
  return part.ok && part.value.plan !== undefined;
}
