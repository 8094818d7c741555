/**
 * The bytes behind the targets of a candidate: those that are new, and the evidence of what devices may have to take.
 *
 * - A file that is handed in is found by its digest, so that it cannot take the place of another.
 * - What is not handed in must lie in the store already, with the digest that the channel names.
 * - A file that no channel names is refused: it was meant for something.
 */
import { parseChannelPart } from '../formats/channel-part.ts';
import { evidenceTargets, parseRelease } from '../formats/release.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { TargetFile } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { readRole } from './parsed-role.ts';
import type { ObjectStore } from './object-store.ts';
import type { Candidate, Changes, Published, TargetContent } from './publication.ts';
import { targetObject } from './repository-layout.ts';

export type Collected = Pick<Candidate, 'newTargets' | 'evidence'>;
type Input = {
  readonly store: ObjectStore;
  readonly product: string;
  readonly published: Published;
  readonly changes: Changes;
};

/** Finds the bytes of all targets of `roles` that the published roles do not list, and of all evidence in force. */
export async function collectTargets(
  input: Input,
  roles: ReadonlyMap<string, Uint8Array>,
): Promise<Verdict<Collected, 'PUBLICATION_REFUSED'>> {
  const given = new Map((input.changes.targetFiles ?? []).map((bytes) => [sha256Hex(bytes), bytes]));
  const stray = [...given.keys()].find((sha256) => !isListed(roles, sha256));
  if (stray !== undefined) {
    return reject('PUBLICATION_REFUSED', `IMAGE_HASH_MISMATCH: no channel names the file with SHA-256 ${stray}`);
  }
  // What was read once is known by its digest: releases that share a file share its bytes.
  const known = new Map(given);
  const bytesOf = async (target: Target): Promise<Uint8Array | undefined> => {
    const bytes = known.get(target.sha256) ?? (await stored(input, target));
    if (bytes !== undefined) known.set(target.sha256, bytes);
    return bytes;
  };
  const newTargets: TargetContent[] = [];
  for (const target of newIn(roles, input.published.roles)) {
    const bytes = await bytesOf(target);
    if (bytes === undefined) {
      return reject(
        'PUBLICATION_REFUSED',
        `NOT_FOUND: the file of ${target.name}, SHA-256 ${target.sha256}, is missing`,
      );
    }
    newTargets.push({ ...target, bytes });
  }
  const evidence = new Map(given);
  for (const target of evidenceIn(roles)) {
    const bytes = await bytesOf(target);
    if (bytes !== undefined) evidence.set(target.sha256, bytes);
  }
  return accept({ newTargets, evidence });
}

type Target = { readonly name: string; readonly length: number; readonly sha256: string };
type Roles = ReadonlyMap<string, Uint8Array>;

/** Whether any of `roles` lists a file of this digest. */
function isListed(roles: Roles, sha256: string): boolean {
  return [...roles.values()].some((bytes) => [...targetsOf(bytes).values()].some((target) => target.sha256 === sha256));
}

/** The targets of `roles` that nothing `published` lists, by name and digest: one name may have two contents in two channels. */
function newIn(roles: Roles, published: Roles): Iterable<Target> {
  const before = [...published.values()].map(targetsOf);
  const found = new Map<string, Target>();
  for (const [role, bytes] of roles) {
    if (published.get(role) === bytes) continue;
    for (const [name, { length, sha256 }] of targetsOf(bytes)) {
      // Without a SHA-256 it has no place of its own; verifying refuses its channel.
      if (sha256 === undefined || before.some((listed) => isSame(listed.get(name), length, sha256))) continue;
      found.set(`${sha256} ${length} ${name}`, { name, length, sha256 });
    }
  }
  return found.values();
}

function isSame(listed: TargetFile | undefined, length: number, sha256: string): boolean {
  return listed?.sha256 === sha256 && listed.length === length;
}

function targetsOf(role: Uint8Array): ReadonlyMap<string, TargetFile> {
  return readRole(role)?.signed.targets ?? new Map<string, TargetFile>();
}

/** The evidence of every release in force, and of every waypoint. A role that cannot be read has none; verifying refuses it. */
function evidenceIn(roles: ReadonlyMap<string, Uint8Array>): readonly Target[] {
  return [...roles.values()].flatMap((bytes) => {
    const role = readRole(bytes);
    const part = parseChannelPart(role?.signed.firmament);
    if (role === undefined || !part.ok) return [];
    return [part.value.release, ...(part.value.graph?.waypoints ?? [])].flatMap((name) => {
      const release = parseRelease(role.signed.targets, name);
      return release.ok ? release.value.components.flatMap(evidenceTargets) : [];
    });
  });
}

async function stored({ store, product }: Input, target: Target): Promise<Uint8Array | undefined> {
  const name = targetObject(product, target);
  const found = name === undefined ? undefined : await store.get(name, target.length);
  return found !== undefined && sha256Hex(found.bytes) === target.sha256 ? found.bytes : undefined;
}
