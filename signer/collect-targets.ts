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
  const listed = listedIn(roles);
  const known = new Set([...listed.values()].map(({ sha256 }) => sha256));
  const stray = [...given.keys()].find((sha256) => !known.has(sha256));
  if (stray !== undefined) {
    return reject('PUBLICATION_REFUSED', `IMAGE_HASH_MISMATCH: no channel names the file with SHA-256 ${stray}`);
  }
  const published = listedIn(input.published.roles);
  const newTargets: TargetContent[] = [];
  for (const [key, target] of listed) {
    if (published.has(key)) continue;
    const bytes = given.get(target.sha256) ?? (await stored(input, target));
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
    const bytes = evidence.get(target.sha256) ?? (await stored(input, target));
    if (bytes !== undefined) evidence.set(target.sha256, bytes);
  }
  return accept({ newTargets, evidence });
}

type Target = { readonly name: string; readonly length: number; readonly sha256: string };

/** All targets of `roles`, by name and digest: one name may have two contents in two channels. */
function listedIn(roles: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Target> {
  const listed = new Map<string, Target>();
  for (const bytes of roles.values()) {
    for (const [name, { length, sha256 }] of targetsOf(bytes)) {
      // Without a SHA-256 it has no place of its own; verifying refuses its channel.
      if (sha256 === undefined) continue;
      listed.set(`${sha256} ${length} ${name}`, { name, length, sha256 });
    }
  }
  return listed;
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
