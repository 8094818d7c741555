/**
 * What the tests of publishing share: a tiny repository's signed files as changes to publish, and a device that refreshes.
 *
 * - The files are the fixture's, signed by its quorums; snapshot and timestamp are the publisher's own.
 */
import { refresh, type Refreshed } from '../../bootloader-verifier/agent/refresh.ts';
import { verifyBundle } from '../../bootloader-verifier/boot/verify-bundle.ts';
import { encodeBootBundle } from '../../formats/boot-bundle.ts';
import type { Instant } from '../../formats/instant.ts';
import type { Code } from '../../formats/codes.ts';
import type { SeenMetadata } from '../../formats/seen-metadata.ts';
import type { Verdict } from '../../formats/verdict.ts';
import type { ObjectStore } from '../../signer/object-store.ts';
import type { Changes } from '../../signer/publication.ts';
import {
  publishChanges,
  type PublishCode,
  type PublishedNow,
  type PublishOptions,
} from '../../signer/publish-changes.ts';
import type { SignerMemory } from '../../signer/signer-state.ts';
import { faultNetwork, NO_FAULTS } from '../../simulation/fault-network.ts';
import { LOG_SIGNER } from '../tiny-log.ts';
import type { PublishedRelease, TinyRepository } from '../tiny-repository.ts';

export type Publisher = { readonly store: ObjectStore; readonly memory: SignerMemory };

/** The options of a publication of `repository` through `publisher`. */
export function optionsFor(repository: TinyRepository, publisher: Publisher, now?: Instant): PublishOptions {
  const { id, signers } = repository;
  const { store, memory } = publisher;
  return {
    store,
    memory,
    product: id.product,
    onlineSigners: [...(signers.get('snapshot') ?? []), ...(signers.get('timestamp') ?? []), LOG_SIGNER],
    now: now ?? repository.now,
  };
}

/** All that people have signed so far: what a first publication brings, or a later one brings again. */
export function allChanges(repository: TinyRepository, releases?: readonly PublishedRelease[]): Changes {
  const channels = ['stable', 'beta'].map((name) => [name, repository.newest(name)] as const);
  return {
    roots: repository.roots(),
    targets: repository.newest('targets'),
    channels: new Map(channels),
    targetFiles: (releases ?? [...repository.releases.values()]).flatMap(filesOf),
  };
}

/** The image and the evidence of each component. */
export function filesOf({ components }: PublishedRelease): readonly Uint8Array[] {
  return components.flatMap(({ image, provenance, vsa }) => [image, provenance, ...(vsa === undefined ? [] : [vsa])]);
}

/** Publishes all of `repository`. */
export function publishAll(
  repository: TinyRepository,
  publisher: Publisher,
): Promise<Verdict<PublishedNow, PublishCode>> {
  return publishChanges(optionsFor(repository, publisher), allChanges(repository));
}

/** A refresh by a device fresh from the factory, unless it has `seen` something, against what lies in `objects`. */
export function refreshFrom(
  objects: ReadonlyMap<string, Uint8Array>,
  repository: TinyRepository,
  device: { readonly now?: Instant; readonly seen?: SeenMetadata } = {},
): Promise<Verdict<Refreshed>> {
  return refresh({
    device: repository.device(),
    client: faultNetwork({ get: (name) => objects.get(`${repository.id.product}/${name}`) }, NO_FAULTS),
    rootsAtHand: [repository.factory.root],
    seen: device.seen,
    now: device.now ?? repository.now,
  });
}

/** Version of the channel that a fresh device gets to, and whether the release in force would boot; or the code of its refusal. */
export async function deviceSees(
  objects: ReadonlyMap<string, Uint8Array>,
  repository: TinyRepository,
): Promise<{ readonly channel: number; readonly boots: boolean } | Code> {
  const refreshed = await refreshFrom(objects, repository);
  if (!refreshed.ok) return refreshed.code;
  const { channelRole, roots, targets, channel, proofs } = refreshed.value;
  const part = channelRole.signed.firmament?.get('release');
  const release = typeof part === 'string' ? part : '';
  const evidence = (repository.releases.get(release)?.components ?? []).map(({ draft, provenance }) => ({
    component: draft.component,
    provenance,
  }));
  const bundle = encodeBootBundle({ release, roots, targets, channel, evidence, proofs });
  return { channel: channelRole.signed.version, boots: verifyBundle(bundle, repository.device()).ok };
}
