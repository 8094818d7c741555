/**
 * What an adversary with the online keys can publish: any snapshot and any timestamp over what people have signed.
 *
 * - Only online keys are used: no part that people sign is made here.
 */
import type { RepositoryId } from '../formats/binding.ts';
import { bindingToJson } from '../formats/binding.ts';
import type { Instant } from '../formats/instant.ts';
import { parseSnapshot, parseTimestamp, type MetaFile } from '../formats/tuf-snapshot.ts';
import { metaFileOf, snapshotContent, timestampContent } from '../signer/draft-online.ts';
import type { Signer } from '../signer/signer.ts';
import { accepted } from './accepted.ts';
import type { TinyRepository } from './tiny-repository.ts';

/** What differs from an honest publication of the next snapshot and timestamp. */
export type Forgery = {
  /** Changes what the snapshot says of the roles, by file name. */
  readonly meta?: (meta: Map<string, MetaFile>) => void;
  readonly snapshotVersion?: number;
  readonly snapshotExpires?: Instant;
  readonly timestampVersion?: number;
  readonly timestampExpires?: Instant;
  /** What the timestamp says of the snapshot. */
  readonly named?: Partial<MetaFile>;
  /** The repository that both name. */
  readonly repository?: RepositoryId;
  /** The roles that both name, by their own. */
  readonly roles?: Readonly<Partial<Record<'snapshot' | 'timestamp', string>>>;
  readonly signers?: Readonly<Partial<Record<'snapshot' | 'timestamp', readonly Signer[]>>>;
};

/** Publishes snapshot and timestamp as forged; both are whole and signed. */
export async function publishForged(repository: TinyRepository, forgery: Forgery): Promise<void> {
  const { files } = repository;
  const before = accepted(parseSnapshot(repository.newest('snapshot'))).signed;
  const shown = accepted(parseTimestamp(files.get('metadata/timestamp.json') ?? new Uint8Array())).signed;
  const meta = new Map(before.meta);
  forgery.meta?.(meta);
  const id = forgery.repository ?? repository.id;
  const version = forgery.snapshotVersion ?? before.version + 1;
  const listed = { repository: id, version, expires: forgery.snapshotExpires ?? before.expires };
  const snapshot = await repository.sign(
    'snapshot',
    bound(snapshotContent(listed, meta), id, forgery.roles?.snapshot),
    forgery.signers?.snapshot,
  );
  files.set(`metadata/${version}.snapshot.json`, snapshot);
  const part = {
    repository: id,
    version: forgery.timestampVersion ?? shown.version + 1,
    expires: forgery.timestampExpires ?? shown.expires,
  };
  const named = { ...metaFileOf(version, snapshot), ...forgery.named };
  const timestamp = await repository.sign(
    'timestamp',
    bound(timestampContent(part, named), id, forgery.roles?.timestamp),
    forgery.signers?.timestamp,
  );
  files.set('metadata/timestamp.json', timestamp);
}

type Content = ReturnType<typeof snapshotContent>;

/** `content` as if for another role. */
function bound(content: Content, id: RepositoryId, role: string | undefined): Content {
  if (role === undefined || !(content instanceof Map)) return content;
  return new Map([...content, ['firmament', bindingToJson({ ...id, role })]] as [string, Content][]);
}
