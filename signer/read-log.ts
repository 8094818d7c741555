/**
 * Reads the log of a product as far as an append needs it: checkpoint and right edge; the claim to the next positions is remembered.
 *
 * - The store is not believed: the checkpoint carries a signature of the log's own key, is no smaller than what the signer
 *   remembers and has grown from it (R6), and the tiles of the right edge lead to its root.
 * - A tree that is remembered and not shown is unfinished: the entries that are remembered with it must lead there.
 * - Reads grow with the logarithm of the log: one tile a level, and the last bundle of entries. A claim in the store, as earlier versions
 *   wrote it, is read only where the memory knows no entries.
 */
import { equalBytes } from '../formats/bytes.ts';
import {
  edgeBundle,
  edgeTiles,
  BUNDLE_BYTES_MAX,
  parseEntryBundle,
  parseTile,
  TILE_BYTES_MAX,
  tileName,
} from '../formats/log-tiles.ts';
import type { TilePlace } from '../formats/log-tiles.ts';
import { consistencyTiles, tileKey, treeRoot, type Tiles } from '../formats/log-tree.ts';
import { emptyRoot, leafHash, type TreeHead } from '../formats/merkle.ts';
import type { LogPolicy } from '../formats/root-part.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import { NOTE_BYTES_MAX, verifyNote, type NoteKey } from '../formats/signed-note.ts';
import { accept, reject, type Rejected, type Verdict } from '../formats/verdict.ts';
import { verifyCheckpoint, verifyOneLog, type CheckpointCode } from '../bootloader-verifier/boot/verify-log.ts';
import { extendLog, type LogEdge } from './extend-log.ts';
import { parseLogClaim, type LogClaim } from './log-claim.ts';
import type { LogMemory } from './log-memory.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';
import { logObject } from './repository-layout.ts';
import { checkSignature } from './signature-check-node.ts';

export type PublishedLog = LogEdge & {
  readonly origin: string;
  readonly checkpoint: StoredObject | undefined;
  /** What is claimed beyond the checkpoint. */
  readonly unfinished: LogClaim | undefined;
  /** What the signer remembers of it. */
  readonly remembered: LogMemory | undefined;
};
export type ReadLogCode =
  | CheckpointCode
  | 'LOG_ROLLBACK'
  | 'LOG_FORKED'
  | 'LOG_TILE_MALFORMED'
  | 'SIGNER_STATE_MISSING'
  | 'REPOSITORY_CONFLICT';
export type LogPlace = {
  readonly store: Pick<ObjectStore, 'get'>;
  readonly product: string;
  /** What roots say of this log, the newest last: a key of any of them may have signed. */
  readonly policies: readonly LogPolicy[];
  readonly check?: SignatureCheck | undefined;
};

/** The log at `place`, held against what the signer remembers of it. */
export async function readLog(
  place: LogPlace,
  memory: LogMemory | undefined,
): Promise<Verdict<PublishedLog, ReadLogCode>> {
  const { store, product } = place;
  const origin = place.policies.at(-1)?.origin ?? '';
  const earlier =
    memory?.entries === undefined ? await store.get(logObject(product, 'claim'), NOTE_BYTES_MAX) : undefined;
  const checkpoint = await store.get(logObject(product, 'checkpoint'), NOTE_BYTES_MAX);
  const head = readHead(place, checkpoint);
  if (!head.ok) return head;
  const edge = await readEdge(place, head.value);
  if (!edge.ok) return edge;
  const log = { ...edge.value, origin, checkpoint, remembered: memory };
  const unfinished = earlier === undefined ? accept(claimedBy(memory, log)) : readUnfinished(place, log, earlier.bytes);
  if (!unfinished.ok) return unfinished;
  const held = await holdAgainst(place, { ...log, unfinished: unfinished.value }, memory);
  return held.ok ? accept({ ...log, unfinished: unfinished.value }) : held;
}

function readHead(place: LogPlace, checkpoint: StoredObject | undefined): Verdict<TreeHead, ReadLogCode> {
  if (checkpoint === undefined) return accept({ size: 0, rootHash: emptyRoot() });
  let refusal: Rejected<CheckpointCode> | undefined;
  for (const policy of [...place.policies].reverse()) {
    // Witnesses cosign what devices are shown; that the log is ours, its own key says.
    const head = verifyCheckpoint({ ...policy, quorum: 0 }, checkpoint.bytes, place.check ?? checkSignature);
    if (head.ok) return head;
    refusal ??= head;
  }
  return refusal ?? reject('LOG_ORIGIN_MISMATCH', 'no root names a log');
}

/** The right edge of the tree of `head`, which must lead to its root, and the last entries, which must be those of the tree. */
async function readEdge(place: LogPlace, head: TreeHead): Promise<Verdict<LogEdge, ReadLogCode>> {
  const edge = await readTiles(place, edgeTiles(head.size));
  if (!edge.ok) return edge;
  const rootHash = treeRoot(edge.value, head.size);
  if (rootHash === undefined || !equalBytes(rootHash, head.rootHash)) {
    return reject('REPOSITORY_CONFLICT', 'the tiles of the log are not those of its checkpoint');
  }
  const bundle = edgeBundle(head.size);
  if (bundle === undefined) return accept({ head, edge: edge.value, entries: [] });
  const bytes = await readFile(place, bundle, BUNDLE_BYTES_MAX);
  if (!bytes.ok) return bytes;
  const entries = parseEntryBundle(bytes.value, bundle.width);
  if (!entries.ok) return entries;
  const leaves = edge.value.get(tileKey({ level: 0, index: bundle.index })) ?? [];
  return entries.value.every((entry, i) => equalBytes(leafHash(entry), leaves[i] ?? new Uint8Array()))
    ? accept({ head, edge: edge.value, entries: entries.value })
    : reject('REPOSITORY_CONFLICT', 'the last entries of the log are not those of its tree');
}

async function readTiles(
  place: LogPlace,
  tiles: readonly (TilePlace & { readonly level: number })[],
): Promise<Verdict<Tiles, 'REPOSITORY_CONFLICT' | 'LOG_TILE_MALFORMED'>> {
  const found = new Map<string, readonly Uint8Array[]>();
  for (const tile of tiles) {
    const bytes = await readFile(place, tile, TILE_BYTES_MAX);
    if (!bytes.ok) return bytes;
    const hashes = parseTile(bytes.value, tile.width);
    if (!hashes.ok) return hashes;
    found.set(tileKey(tile), hashes.value);
  }
  return accept(found);
}

async function readFile(
  { store, product }: LogPlace,
  tile: TilePlace,
  bytesMax: number,
): Promise<Verdict<Uint8Array, 'REPOSITORY_CONFLICT'>> {
  const name = logObject(product, tileName(tile));
  const found = await store.get(name, bytesMax);
  return found === undefined
    ? reject('REPOSITORY_CONFLICT', `${name} is missing, and the checkpoint needs it`)
    : accept(found.bytes);
}

/** What `memory` adds to `log`, if its entries lead from there to its tree. */
function claimedBy(memory: LogMemory | undefined, log: LogEdge): LogClaim | undefined {
  const { entries = [] } = memory ?? {};
  if (memory === undefined || memory.size <= log.head.size || memory.size !== log.head.size + entries.length)
    return undefined;
  const { head } = extendLog(log, entries);
  return equalBytes(head.rootHash, memory.rootHash) ? { ...memory, entries } : undefined;
}

/** What the claim of an earlier version adds to `log`; undefined where it is finished. */
function readUnfinished(
  { policies, check = checkSignature }: LogPlace,
  log: LogEdge & { readonly origin: string },
  bytes: Uint8Array,
): Verdict<LogClaim | undefined, 'REPOSITORY_CONFLICT'> {
  const parsed = parseLogClaim(bytes);
  if (!parsed.ok) return reject('REPOSITORY_CONFLICT', `the claim to the log is none: ${parsed.detail}`);
  const { claim, note } = parsed.value;
  if (claim.size <= log.head.size) return accept(undefined);
  const known = policies.flatMap(({ keys }) =>
    keys
      .filter(({ state }) => state !== 'distrusted')
      .map(({ key }): NoteKey => ({ name: log.origin, type: 'signature', key })),
  );
  const signed = verifyNote(note, known, check);
  if (!signed.ok || signed.value.length === 0) {
    return reject('REPOSITORY_CONFLICT', 'the claim to the log is not signed by a key of it');
  }
  const follows = claim.origin === log.origin && claim.size === log.head.size + claim.entries.length;
  const { head } = extendLog(log, follows ? claim.entries : []);
  return follows && equalBytes(head.rootHash, claim.rootHash)
    ? accept(claim)
    : reject('REPOSITORY_CONFLICT', 'the claim to the log does not follow its checkpoint');
}

/** Rule R6: the log has grown from what the signer remembers, or what is claimed leads to just that. */
async function holdAgainst(
  place: LogPlace,
  log: Omit<PublishedLog, 'edge' | 'entries'>,
  memory: LogMemory | undefined,
): Promise<Verdict<void, ReadLogCode>> {
  const { head, unfinished } = log;
  if (memory === undefined) {
    return head.size === 0
      ? accept(undefined)
      : reject('SIGNER_STATE_MISSING', `${log.origin} has ${head.size} entries, and the signer remembers none of them`);
  }
  if (memory.origin !== log.origin) {
    return reject('LOG_ORIGIN_MISMATCH', `the signer remembers ${memory.origin}, root names ${log.origin}`);
  }
  if (memory.size > head.size) {
    const led = unfinished?.size === memory.size && equalBytes(unfinished.rootHash, memory.rootHash);
    return led
      ? accept(undefined)
      : reject('LOG_ROLLBACK', `${head.size} entries, the signer remembers ${memory.size}: restore the store`);
  }
  const tiles = await readTiles(place, consistencyTiles(memory.size, head.size));
  return tiles.ok ? verifyOneLog(memory, head, tiles.value) : tiles;
}
