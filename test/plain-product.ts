/**
 * Products of a deployment for tests: one person each, who signs everything, and one online key for all of them.
 *
 * - Made with the signer's drafts; what builds bring, one image and its provenance, is the same in every release.
 */
import type { RepositoryId } from '../formats/binding.ts';
import type { Instant } from '../formats/instant.ts';
import { sideRole } from '../formats/names.ts';
import type { PublicKey } from '../formats/signature-check.ts';
import { parseTargets, type TargetFile } from '../formats/tuf-targets.ts';
import { signMetadata } from '../signer/add-signature.ts';
import { draftChannel, draftChannelFiles } from '../signer/draft-channel.ts';
import { draftFirstRoot } from '../signer/draft-root.ts';
import { draftTargets } from '../signer/draft-targets.ts';
import type { Changes } from '../signer/publication.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import { accepted } from './accepted.ts';
import { LOGGED } from './logged-repository.ts';
import { seededSigner } from './seeded-signer.ts';
import { tinyBuilder, tinyComponent, type TinyComponent } from './tiny-release.ts';
import { signedOf } from './tiny-repository.ts';

export type PlainProduct = {
  readonly id: RepositoryId;
  readonly root: Uint8Array;
  /** What founds it; the files of its releases are left out. */
  readonly changes: Changes;
  /** The channel `stable` as founded. */
  readonly stable: Uint8Array;
  /** The channel with one more release, `next`. */
  readonly next: () => Promise<Uint8Array>;
};
export type PlainOptions = {
  readonly product: string;
  /** How many releases it is founded with; all but the newest few stand in its history. */
  readonly releases: number;
  /** The key of snapshot and timestamp. */
  readonly online: PublicKey;
  readonly now: Instant;
  /** Whether root demands the log of the tests. */
  readonly isLogged?: boolean;
};

const PERSON = seededSigner('plain person');
const BUILDER = seededSigner('plain builder');

/** The image and its provenance. */
export function plainBuild(): Promise<TinyComponent> {
  return tinyComponent('1.0.0', BUILDER, { component: 'gateway' });
}

/** Founds a product, signed and ready to be published. */
export async function foundProduct(options: PlainOptions, { draft: component }: TinyComponent): Promise<PlainProduct> {
  const { product, releases, online, now } = options;
  const quorum = { keys: [PERSON.key], threshold: 1 };
  const ours = { keys: [online], threshold: 1 };
  const quorums = { root: quorum, targets: quorum, snapshot: ours, timestamp: ours };
  const log = options.isLogged === true ? LOGGED : undefined;
  const root = await signed(accepted(draftFirstRoot({ product, quorums, now, log })));
  const repository = accepted(repositoryIdOf(root));
  const people = { channels: [{ name: 'stable', quorum }], builders: [tinyBuilder(BUILDER)] };
  const targets = await signed(accepted(draftTargets({ repository, former: undefined, now, ...people })));
  const base = { repository, channel: 'stable', now };
  const first = draftChannel({ ...base, former: undefined, release: { name: '1.0.0', components: [component] } });
  const draft = { ...base, former: undefined, addedTargets: listedAs(accepted(first), releases) };
  const files = accepted(
    draftChannelFiles({ ...draft, inForce: `${releases}.0.0` }, { former: undefined, delegatedBy: targets }),
  );
  const stable = await signed(files.channel);
  const channels = new Map([['stable', stable]]);
  if (files.history !== undefined) channels.set(sideRole('stable', 'history'), await signed(files.history));
  const release = { name: 'next', components: [component] };
  return {
    ...{ id: repository, root, stable, changes: { roots: [root], targets, channels } },
    next: () => signed(accepted(draftChannel({ ...base, former: stable, release }))),
  };
}

function signed(file: Uint8Array): Promise<Uint8Array> {
  return signMetadata(signedOf(file), [PERSON]);
}

/** The targets of `channel`, which lists release 1.0.0, under the names of `count` releases. */
function listedAs(channel: Uint8Array, count: number): ReadonlyMap<string, TargetFile> {
  const listed = [...accepted(parseTargets(channel)).signed.targets];
  const names = Array.from({ length: count }, (_, i) => `${i + 1}.0.0`);
  return new Map(
    names.flatMap((name) => listed.map(([target, file]) => [target.replace('1.0.0', name), file] as const)),
  );
}
