/**
 * The log's part of a refresh: the proofs of what was just accepted, and whether the log is still the one that was seen before.
 *
 * - One request a proof, under the hash of the entry that the device itself computes; the rest is one tile a level of the tree, and
 *   only where the log has grown since.
 * - All checkpoints that come along, and the largest that this device remembers, must be of one log: a log that shows this device
 *   another face than before is refused (P6).
 * - A remembered checkpoint counts as long as a root of the chain vouches for it, like all that was seen online.
 */
import type { LogProofs } from '../../formats/boot-bundle.ts';
import { encodeHex } from '../../formats/bytes.ts';
import { encodeLogLeaf, releaseLeaf, rootLeaf, type LogLeaf } from '../../formats/log-leaf.ts';
import { LOG_PROOF_BYTES_MAX } from '../../formats/log-proof.ts';
import { parseTile, TILE_BYTES_MAX, tileName } from '../../formats/log-tiles.ts';
import { consistencyTiles, tileKey, type Tiles } from '../../formats/log-tree.ts';
import { leafHash, type TreeHead } from '../../formats/merkle.ts';
import { LOG_FOLDER, logProofPath } from '../../formats/names.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { encodeSignedNote } from '../../formats/signed-note.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';
import {
  verifyCheckpoint,
  verifyOneLog,
  verifyPartsLogged,
  type LogCode,
  type LoggedParts,
  type TrustedCheckpoint,
} from '../boot/verify-log.ts';
import { getPresent, type RepositoryClient } from './repository-client.ts';

export type RefreshLogCode = LogCode | 'LOG_FORKED' | 'LOG_TILE_MALFORMED';
/** Undefined where no root demands a log. */
export type RefreshedLog =
  | {
      readonly proofs: LogProofs;
      /** The largest checkpoint, to be remembered. */
      readonly checkpoint: Uint8Array;
    }
  | undefined;

/**
 * Fetches and checks the proofs of `parts`.
 * @param by.seen the largest checkpoint that was seen before.
 */
export async function refreshLog(
  client: RepositoryClient,
  parts: Omit<LoggedParts, 'proofs'>,
  by: { readonly check: SignatureCheck; readonly seen: Uint8Array | undefined },
): Promise<Verdict<RefreshedLog, RefreshLogCode>> {
  const proofs = await fetchProofs(client, parts);
  if (proofs === undefined) return accept(undefined);
  const checkpoints = verifyPartsLogged({ ...parts, proofs }, by.check);
  if (!checkpoints.ok) return checkpoints;
  const remembered = by.seen && verifyRemembered(parts, by.seen, by.check);
  const all = [...(remembered === undefined ? [] : [remembered]), ...checkpoints.value];
  const ordered = all.sort((a, b) => a.size - b.size);
  const one = await verifyAllOne(client, ordered);
  const largest = ordered.at(-1);
  if (!one.ok) return one;
  return accept(largest && { proofs, checkpoint: encodeSignedNote(largest.note) });
}

/** The proofs of `parts`, as far as they are served; undefined where no root demands a log. */
export async function fetchProofs(
  client: RepositoryClient,
  { repository, roots, channel, release }: Omit<LoggedParts, 'proofs'>,
): Promise<LogProofs | undefined> {
  if (roots.at(-1)?.part.log === undefined) return undefined;
  const proven = new Map<number, Uint8Array>();
  for (const [i, root] of roots.slice(1).entries()) {
    if (roots[i]?.part.log === undefined) continue;
    const { version } = root.metadata.signed;
    const proof = await fetchProof(client, rootLeaf(repository, { version, bytes: root.bytes }));
    if (proof !== undefined) proven.set(version, proof);
  }
  const { name, bytes, version } = channel;
  const leaf = releaseLeaf(repository, { channel: name, version, bytes, release });
  return { channel: await fetchProof(client, leaf), roots: proven };
}

/** The proof of `leaf`; where none is served, the verifier says so. */
function fetchProof(client: RepositoryClient, leaf: LogLeaf): Promise<Uint8Array | undefined> {
  return client.get(logProofPath(encodeHex(leafHash(encodeLogLeaf(leaf)))), LOG_PROOF_BYTES_MAX);
}

function verifyRemembered(
  { roots }: Omit<LoggedParts, 'proofs'>,
  seen: Uint8Array,
  check: SignatureCheck,
): TrustedCheckpoint | undefined {
  const policy = roots.at(-1)?.part.log;
  const checkpoint = policy && verifyCheckpoint({ ...policy, quorum: 0 }, seen, check);
  return checkpoint?.ok === true ? checkpoint.value : undefined;
}

/** Whether each tree grew from the one before. */
async function verifyAllOne(
  client: RepositoryClient,
  ordered: readonly TreeHead[],
): Promise<Verdict<void, 'LOG_FORKED' | 'LOG_TILE_MALFORMED'>> {
  for (const [i, after] of ordered.slice(1).entries()) {
    const before = ordered[i] ?? after;
    const tiles = await fetchTiles(client, before.size, after.size);
    if (!tiles.ok) return tiles;
    const one = verifyOneLog(before, after, tiles.value);
    if (!one.ok) return one;
  }
  return accept(undefined);
}

async function fetchTiles(
  client: RepositoryClient,
  before: number,
  after: number,
): Promise<Verdict<Tiles, 'LOG_TILE_MALFORMED'>> {
  const tiles = new Map<string, readonly Uint8Array[]>();
  for (const place of consistencyTiles(before, after)) {
    const bytes = await getPresent(client, `${LOG_FOLDER}/${tileName(place)}`, TILE_BYTES_MAX);
    const hashes = parseTile(bytes, place.width);
    if (!hashes.ok) return hashes;
    tiles.set(tileKey(place), hashes.value);
  }
  return accept(tiles);
}
