/** What is told of a publication: by the daemon to whom it serves, and by a publisher without one. */
import { encodeHex } from '../formats/bytes.ts';
import { WRITTEN_MAX, type PublishedFacts } from '../formats/publish-answer.ts';
import type { PublishedNow } from './publish-changes.ts';

/** The facts of `published`; of the names that were written the first ones, up to a limit. */
export function publishedFacts({ state, written, log }: PublishedNow): PublishedFacts {
  const { product, timestampVersion, snapshotVersion, snapshotSha256 } = state;
  return {
    ...{ product, timestampVersion, snapshotVersion, snapshotSha256, written: written.slice(0, WRITTEN_MAX) },
    logSize: log?.size,
    logRoot: log && encodeHex(log.rootHash),
  };
}
