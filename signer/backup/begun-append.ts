/**
 * What a signer that was lost had begun to append to the log: its memory claimed the positions, and went with it.
 *
 * - Bundles are written first, so their entries are at hand as soon as anything of an append stands. They are taken over into the memory,
 *   so that no position is ever given to another entry; the next publication finishes them as its own.
 * - Nobody has signed a bundle: a person reads what its entries say, and confirms it, or finds that another hand has put it there.
 * - Whatever stands beyond the log and is not of these entries stands in the way of every append: it is named and refused.
 */
import type { RepositoryId } from '../../formats/binding.ts';
import { equalBytes } from '../../formats/bytes.ts';
import { parseLogLeaf } from '../../formats/log-leaf.ts';
import { BUNDLE_BYTES_MAX, parseEntryBundle, TILE_WIDTH, tileName, type TilePlace } from '../../formats/log-tiles.ts';
import { LOG_FOLDER } from '../../formats/names.ts';
import { OperationError } from '../../formats/operation-error.ts';
import type { LogPolicy } from '../../formats/root-part.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { accept, reject, type Rejected, type Verdict } from '../../formats/verdict.ts';
import { tilePlaceOf } from '../care/object-place.ts';
import { readObject, type PublishedSource } from '../care/published-source.ts';
import { extendLog, type ExtendedLog } from '../extend-log.ts';
import { APPEND_ENTRIES_MAX, type LogMemory } from '../log-memory.ts';
import type { ObjectStore } from '../object-store.ts';
import { readLog, type PublishedLog, type ReadLogCode } from '../read-log.ts';

export type BegunInput = {
  readonly source: PublishedSource;
  readonly repository: RepositoryId;
  readonly check: SignatureCheck;
  /** What roots say of the log, oldest first. */
  readonly policies: readonly LogPolicy[];
  /** Names below the product of all that stands there. */
  readonly names: readonly string[];
};
type Places = ReadonlyMap<string, TilePlace>;

/**
 * The memory that goes on from `shown`, the log that was judged: with what was begun beyond it, if anything was.
 * `REPOSITORY_CONFLICT` where that is no append of this log.
 */
export async function begunAppend(input: BegunInput, shown: LogMemory): Promise<Verdict<LogMemory, ReadLogCode>> {
  const { policies, repository, check } = input;
  const store = storeOver(input.source);
  const log = await readLog({ store, product: repository.product, policies, check }, shown);
  if (!log.ok) return log;
  const beyond = placesBeyond(input.names, shown.size);
  // A claim of an earlier version is signed: it is finished from the store.
  if (beyond.size === 0 || log.value.unfinished !== undefined) return accept(shown);
  const entries = await readBeyond({ ...input, store }, log.value, beyond);
  if (!entries.ok) return entries;
  const extended = extendLog(log.value, entries.value);
  const stray = await strayAmong({ ...input, store }, extended, beyond);
  return stray ?? accept({ origin: shown.origin, ...extended.head, entries: entries.value });
}

function storeOver(source: PublishedSource): Pick<ObjectStore, 'get'> {
  return {
    get: async (name, bytesMax) => {
      const bytes = await readObject(source, name, bytesMax);
      if (!bytes.ok) {
        throw new OperationError('RESPONSE_TOO_LARGE', `${name}: ${bytes.detail}`, { retriable: false });
      }
      return bytes.value && { bytes: bytes.value, etag: '' };
    },
  };
}

/** Tiles and bundles that a log of `size` entries has no use for yet, by name. */
function placesBeyond(names: readonly string[], size: number): Places {
  return new Map(
    names.flatMap((name) => {
      const place = tilePlaceOf(name);
      if (place === undefined) return [];
      const span = place.level === 'entries' ? 1 : TILE_WIDTH ** place.level;
      return (place.index * TILE_WIDTH + place.width) * span > size ? [[name, place] as const] : [];
    }),
  );
}

type Reading = Pick<BegunInput, 'repository'> & { readonly store: Pick<ObjectStore, 'get'> };

/** The entries of the widest bundles beyond `log`: at most two, for an append has fewer than a bundle holds. */
async function readBeyond(
  { repository, store }: Reading,
  log: PublishedLog,
  beyond: Places,
): Promise<Verdict<readonly Uint8Array[], 'REPOSITORY_CONFLICT'>> {
  const all: Uint8Array[] = [];
  const first = Math.floor(log.head.size / TILE_WIDTH);
  for (let index = first; index <= first + 1; index++) {
    const widths = [...beyond.values()].filter((place) => place.level === 'entries' && place.index === index);
    const width = Math.max(0, ...widths.map((place) => place.width));
    if (width === 0) break;
    const name = bundleName(index, width);
    const found = await store.get(`${repository.product}/${name}`, BUNDLE_BYTES_MAX);
    const entries = parseEntryBundle(found?.bytes ?? new Uint8Array(), width);
    if (!entries.ok) return strange(name, entries.detail);
    all.push(...entries.value);
    if (width < TILE_WIDTH) break;
  }
  const name = bundleName(first, log.entries.length);
  const isSame = log.entries.every((entry, i) => equalBytes(entry, all[i] ?? new Uint8Array()));
  const added = all.slice(log.entries.length);
  if (!isSame || added.length === 0) return strange(name, 'no bundle stands there that the log would grow into');
  if (added.length > APPEND_ENTRIES_MAX) return strange(name, `${added.length} entries stand behind it`);
  return added.every((entry) => isOurs(entry, repository))
    ? accept(added)
    : strange(name, 'what stands behind it are no entries of this repository');
}

function bundleName(index: number, width: number): string {
  return `${LOG_FOLDER}/${tileName({ level: 'entries', index, width })}`;
}

function isOurs(entry: Uint8Array, { product, rootOneSha256 }: RepositoryId): boolean {
  const leaf = parseLogLeaf(entry);
  return leaf.ok && leaf.value.product === product && leaf.value.root === rootOneSha256;
}

/** Whatever stands beyond the log and is not what the append writes there. */
async function strayAmong(
  { repository, store }: Reading,
  { files }: ExtendedLog,
  beyond: Places,
): Promise<Rejected<'REPOSITORY_CONFLICT'> | undefined> {
  const written = new Map(files.map(({ name, bytes }) => [`${LOG_FOLDER}/${name}`, bytes]));
  for (const name of beyond.keys()) {
    const bytes = written.get(name);
    const found = await store.get(`${repository.product}/${name}`, BUNDLE_BYTES_MAX);
    if (found === undefined || (bytes !== undefined && equalBytes(found.bytes, bytes))) continue;
    return strange(name, 'it is not of the entries that were begun to be logged');
  }
  return undefined;
}

function strange(name: string, detail: string): Rejected<'REPOSITORY_CONFLICT'> {
  return reject('REPOSITORY_CONFLICT', `${name}: ${detail}; see to whose it is, and remove what is beyond the log`);
}
