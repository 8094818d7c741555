/**
 * A repository of another product, by the very same key holders: what an attacker serves in place of the true one.
 *
 * - Every signature in it is valid, and every key is one that the device's own root lists; only the binding differs (rule R1).
 */
import type { Instant } from '../formats/instant.ts';
import type { Builder } from '../formats/trust-part.ts';
import { signMetadata } from '../signer/add-signature.ts';
import { draftChannel, type ComponentDraft } from '../signer/draft-channel.ts';
import { metaFileOf, snapshotContent, timestampContent } from '../signer/draft-online.ts';
import { draftFirstRoot } from '../signer/draft-root.ts';
import { draftTargets } from '../signer/draft-targets.ts';
import type { Quorum } from '../signer/quorum.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import type { Signer } from '../signer/signer.ts';
import { must, signedPart } from './forgery.ts';

const DAY_MS = 86_400_000;
/** Higher than what a device of the pilot has seen, so that nothing but the binding speaks against it. */
const VERSION = 1_000;

export type KeyHolders = {
  readonly owners: readonly Signer[];
  readonly managers: readonly Signer[];
  readonly snapshot: Signer;
  readonly timestamp: Signer;
  readonly log: Signer;
  readonly rollout: Signer;
  readonly builder: Builder;
};

/** The files of a whole repository of `product`, by name below the product. */
export async function otherRepository(
  product: string,
  by: { readonly holders: KeyHolders; readonly newest: ComponentDraft; readonly now: Instant },
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { holders, newest, now } = by;
  const owners = quorumOf(holders.owners, 2);
  const quorums = {
    root: owners,
    targets: owners,
    snapshot: quorumOf([holders.snapshot], 1),
    timestamp: quorumOf([holders.timestamp], 1),
  };
  const sign = (draft: Uint8Array, signers: readonly Signer[]): Promise<Uint8Array> =>
    signMetadata(signedPart(draft), signers.slice(0, 2));
  const root = await sign(must(draftFirstRoot({ product, quorums, now })), holders.owners);
  const repository = must(repositoryIdOf(root));
  const channels = [{ name: 'stable', quorum: quorumOf(holders.managers, 2) }];
  const builders = [holders.builder];
  const targets = await sign(
    must(draftTargets({ repository, former: undefined, now, channels, builders })),
    holders.owners,
  );
  const release = { name: '9.0.0', components: [newest] };
  const channel = await sign(
    must(draftChannel({ repository, channel: 'stable', former: undefined, now, release })),
    holders.managers,
  );
  const online = { repository, version: VERSION, expires: now + DAY_MS };
  const meta = new Map([
    ['targets.json', metaFileOf(1, targets)],
    ['stable.json', metaFileOf(1, channel)],
  ]);
  const snapshot = await signMetadata(snapshotContent(online, meta), [holders.snapshot]);
  const timestamp = await signMetadata(timestampContent(online, metaFileOf(VERSION, snapshot)), [holders.timestamp]);
  return new Map([
    ['metadata/1.root.json', root],
    ['metadata/1.targets.json', targets],
    ['metadata/1.stable.json', channel],
    [`metadata/${VERSION}.snapshot.json`, snapshot],
    ['metadata/timestamp.json', timestamp],
  ]);
}

function quorumOf(signers: readonly Signer[], threshold: number): Quorum {
  return { keys: signers.map(({ key }) => key), threshold };
}
