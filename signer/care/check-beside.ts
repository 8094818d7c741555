/**
 * What lies in the store and is not what devices ask for now: judged by itself, and named.
 *
 * - Former versions of roles are good if any version of their delegator that stands there vouches for them, as it did then.
 * - A target is good if it has the digest of its name; one that no version of a role lists is an orphan.
 * - Orphans and foreign objects are warnings: they harm nobody, and tell of cut publications or of other hands.
 */
import { verifyBinding } from '../../formats/binding.ts';
import { NOTE_BYTES_MAX, verifyNote } from '../../formats/signed-note.ts';
import { parseSnapshot, SNAPSHOT_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { TARGETS_BYTES_MAX, parseTargets } from '../../formats/tuf-targets.ts';
import { hashedTargetPath } from '../../formats/names.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import {
  isDelegated,
  verifyDelegatedRole,
  verifyTargetsRole,
  type TrustedTargets,
} from '../../bootloader-verifier/boot/verify-targets.ts';
import { verifyRememberedSnapshot } from '../../bootloader-verifier/boot/verify-timestamp.ts';
import { parseLogClaim } from '../log-claim.ts';
import { objectOf, readToCheck, type Known } from './check-scene.ts';
import type { Beside } from './list-beside.ts';
import { placeOf, type ObjectPlace } from './object-place.ts';
import { judgeContent, orUnreadable } from './published-source.ts';
import { metadataName } from './reach-roles.ts';

/** How many former versions of delegators are kept to judge former versions by; the newest are. */
const DELEGATORS_MAX = 64;

type RoleObject = { readonly name: string; readonly role: string; readonly version: number };
type Scene = Known & {
  /** Roles whose signatures counted, the newest first, to judge what they delegate. */
  readonly delegators: TrustedTargets[];
  /** Places of targets that any version lists. */
  readonly listed: Set<string>;
};

/** Judges all that was not reached. */
export async function checkBeside(known: Known, beside: Beside): Promise<void> {
  const isLeft = (name: string): boolean => !known.reached.has(name) && !beside.judged.has(name);
  const left = [...beside.objects.keys()].filter(isLeft).sort();
  const isFolder = (name: string): boolean => beside.objects.get(name)?.isFolder === true;
  for (const name of left.filter(isFolder)) {
    known.found.damage(
      objectOf(known.input, name),
      reject('FILE_UNREADABLE', 'a folder stands in its place: remove it'),
    );
  }
  const rest = left.filter((name) => !isFolder(name));
  const places = rest.map((name) => ({ name, place: placeOf(name) }));
  const roles = places.flatMap(({ name, place }) => (place?.kind === 'role' ? [{ ...place, name }] : []));
  const scene: Scene = { ...known, delegators: [], listed: new Set() };
  for (const { role, bytes } of known.online?.roles ?? []) {
    if (role === undefined) keepTargets(scene, bytes);
    else keepRole(scene, role);
  }
  await checkFormerRoles(scene, roles);
  for (const { name, place } of places) {
    if (place?.kind !== 'role') await checkOther(scene, beside, { name, place });
  }
}

function keepRole({ delegators, listed }: Scene, role: TrustedTargets): void {
  if (role.signed.delegations !== undefined && delegators.length < DELEGATORS_MAX) delegators.push(role);
  listTargets(listed, role.signed);
}

/** The targets of a role that nobody delegates any more: the snapshot names the file, and keeps it. */
function keepTargets({ listed }: Scene, bytes: Uint8Array): void {
  const role = parseTargets(bytes);
  if (role.ok) listTargets(listed, role.value.signed);
}

function listTargets(listed: Set<string>, { targets }: Pick<TrustedTargets['signed'], 'targets'>): void {
  for (const [name, { sha256 }] of targets) {
    if (sha256 !== undefined) listed.add(hashedTargetPath({ name, sha256 }));
  }
}

/** Those who delegate come first: the targets role, the newest version first; then all else. */
async function checkFormerRoles(scene: Scene, roles: readonly RoleObject[]): Promise<void> {
  const order = [...roles].sort((a, b) => byRank(a, b));
  for (const object of order) {
    if (object.role === 'root') checkRootGap(scene, object);
    else await checkFormerRole(scene, object);
  }
}

function byRank(a: RoleObject, b: RoleObject): number {
  const difference = rank(a) - rank(b);
  return difference === 0 ? b.version - a.version : difference;
}

function rank({ role }: RoleObject): number {
  return role === 'targets' ? 0 : 1;
}

/** A root that the chain does not reach: one before it is missing. */
function checkRootGap({ input, found, roots }: Scene, { version }: RoleObject): void {
  const next = metadataName('root', roots.length + 1);
  found.damage(
    objectOf(input, next),
    reject('NOT_FOUND', `it is missing or refused, and root ${version} stands there`),
  );
}

async function checkFormerRole(scene: Scene, { name, role, version }: RoleObject): Promise<void> {
  const { input, found, online } = scene;
  const isSnapshot = role === 'snapshot';
  const bytes = await readToCheck(input, name, isSnapshot ? SNAPSHOT_BYTES_MAX : TARGETS_BYTES_MAX);
  if (!bytes.ok) return found.damage(objectOf(input, name), bytes);
  if (bytes.value === undefined) return;
  const judged = isSnapshot ? judgeSnapshot(scene, bytes.value) : judgeRole(scene, role, bytes.value);
  const exact = judged.ok && judged.value.version !== version ? versionMismatch(judged.value.version, version) : judged;
  if (!exact.ok) return found.damage(objectOf(input, name), exact);
  const published = isSnapshot
    ? online?.timestamp.role.signed.snapshot.version
    : online?.roles.find((reached) => reached.name === role)?.version;
  if (version > (published ?? 0)) {
    const detail = `version ${published ?? 'none'} is published`;
    found.warning(objectOf(input, name), reject('PUBLICATION_UNFINISHED', detail));
  }
}

function versionMismatch(is: number, expected: number): Verdict<never, 'METADATA_VERSION_MISMATCH'> {
  return reject('METADATA_VERSION_MISMATCH', `it says version ${is}, its name ${expected}`);
}

function judgeSnapshot({ input, roots }: Scene, bytes: Uint8Array): Verdict<{ readonly version: number }> {
  let verdict: Verdict<{ readonly version: number }> = parsedOnly(bytes);
  for (const root of [...roots].reverse()) {
    const signed = verifyRememberedSnapshot({ root, now: 0, check: input.check }, bytes);
    if (!signed.ok) {
      verdict = signed;
      continue;
    }
    const bound = verifyBinding(signed.value.signed.firmament, { repository: input.repository, role: 'snapshot' });
    return bound.ok ? accept({ version: signed.value.signed.version }) : bound;
  }
  return verdict;
}

/** Where there is no root to judge by. */
function parsedOnly(bytes: Uint8Array): Verdict<{ readonly version: number }> {
  const parsed = parseSnapshot(bytes);
  return parsed.ok ? accept({ version: parsed.value.signed.version }) : parsed;
}

function judgeRole(scene: Scene, name: string, bytes: Uint8Array): Verdict<{ readonly version: number }> {
  const { input, roots, delegators } = scene;
  const judges =
    name === 'targets'
      ? [...roots].reverse().map((root) => () => verifyTargetsRole(root, bytes, input))
      : delegators
          .filter((delegator) => isDelegated(delegator, name))
          .map((delegator) => () => verifyDelegatedRole(delegator, { name, bytes }, input));
  const parsed = parseTargets(bytes);
  let verdict: Verdict<TrustedTargets> = parsed.ok
    ? reject('ROLE_NOT_DELEGATED', 'nothing that stands there delegates it')
    : parsed;
  for (const judge of judges) {
    verdict = judge();
    if (verdict.ok) break;
  }
  if (!verdict.ok) return verdict;
  const bound = verifyBinding(verdict.value.signed.firmament, { repository: input.repository, role: name });
  if (!bound.ok) return bound;
  keepRole(scene, verdict.value);
  return accept({ version: verdict.value.signed.version });
}

async function checkOther(
  scene: Scene,
  beside: Beside,
  { name, place }: { readonly name: string; readonly place: ObjectPlace | undefined },
): Promise<void> {
  const { input, found } = scene;
  const object = objectOf(input, name);
  switch (place?.kind) {
    case undefined:
      return found.warning(object, reject('OBJECT_FOREIGN', 'no object of a repository has such a name'));
    case 'leftover':
      return found.warning(object, reject('OBJECT_ORPHANED', 'a cut has left it behind'));
    case 'claim':
      return checkClaim(scene, beside);
    case 'target': {
      const whole = await orUnreadable(async () => {
        const body = await input.source.open(object);
        return body === undefined ? accept(undefined) : judgeContent(body, place);
      });
      if (!whole.ok) return found.damage(object, whole);
      if (scene.listed.has(name)) return;
      return found.warning(object, reject('OBJECT_ORPHANED', 'no version of a role that stands there lists it'));
    }
    case 'role':
    case 'timestamp':
    case 'checkpoint':
      // Not reached: what names it is refused, and named.
      return;
    case 'proof':
    case 'tile':
      return found.warning(object, reject('OBJECT_ORPHANED', 'the log does not reach it'));
  }
}

/** The claim of an earlier version must be one, of this log, or no publisher of it goes on. */
async function checkClaim({ input, found, roots, log }: Scene, { claim }: Beside): Promise<void> {
  const object = objectOf(input, 'log/claim');
  const bytes = await readToCheck(input, 'log/claim', NOTE_BYTES_MAX);
  if (!bytes.ok) return found.damage(object, bytes);
  if (bytes.value === undefined) return;
  const parsed = parseLogClaim(bytes.value);
  if (!parsed.ok) return found.damage(object, parsed);
  const keys = roots.flatMap(({ part }) =>
    (part.log?.keys ?? []).map(({ key }) => ({ name: part.log?.origin ?? '', type: 'signature' as const, key })),
  );
  const signed = verifyNote(parsed.value.note, keys, input.check);
  if (!signed.ok || signed.value.length === 0) {
    return found.damage(object, reject('LOG_SIGNATURE_INVALID', 'no key that a root lists for the log has signed it'));
  }
  // A memory that knows its last entries claims by itself, and nobody reads this any more.
  if (log === undefined || (claim?.size ?? 0) <= log.head.size || input.memory?.log?.entries !== undefined) return;
  found.warning(
    object,
    reject('PUBLICATION_UNFINISHED', `it leads to ${claim?.size} entries, ${log.head.size} are shown`),
  );
}
