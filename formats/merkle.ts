/**
 * The Merkle tree of a transparency log: hashes, and the two proofs about it.
 *
 * - Leaves and nodes are hashed under different prefixes, so that neither can be taken for the other.
 * - Sizes and indexes are integers below 2^53: halves are taken by division, never by bit operations.
 * - A proof has exactly the hashes that index and sizes demand: one too many or too few is a refusal.
 * - Source: RFC 6962 section 2.1; the checks are those of RFC 9162 sections 2.1.3.2 and 2.1.4.2.
 */
import { concatBytes, equalBytes } from './bytes.ts';
import { sha256Bytes } from './sha256.ts';

/** Leaves from `start` up to, not including, `end`. */
export type LeafRange = { readonly start: number; readonly end: number };
/** A tree of `size` leaves by its root, 32 bytes. */
export type TreeHead = { readonly size: number; readonly rootHash: Uint8Array };

export const HASH_BYTES = 32;
/** Longest proof about a tree of fewer than 2^53 leaves, of either kind. */
export const PROOF_HASHES_MAX = 64;

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** The hash of an entry as a leaf. */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256Bytes(concatBytes(LEAF_PREFIX, entry));
}

/** The hash of two subtrees, 32 bytes each. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256Bytes(concatBytes(NODE_PREFIX, left, right));
}

/** The root of the tree without leaves: the hash of nothing. */
export function emptyRoot(): Uint8Array {
  return sha256Bytes(new Uint8Array());
}

/** The subtrees whose hashes prove that leaf `index` is in a tree of `size` leaves, the leaf's sibling first. */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  const ranges: LeafRange[] = [];
  let within: LeafRange = { start: 0, end: size };
  while (within.end - within.start > 1) {
    const { left, right } = halves(within);
    ranges.unshift(index < right.start ? right : left);
    within = index < right.start ? left : right;
  }
  return ranges;
}

/** The subtrees whose hashes prove that the tree of `before` leaves, at least 1, is a beginning of the one of `after` leaves. */
export function consistencyRanges(before: number, after: number): readonly LeafRange[] {
  const ranges: LeafRange[] = [];
  let within: LeafRange = { start: 0, end: after };
  while (before < within.end) {
    const { left, right } = halves(within);
    ranges.unshift(before <= right.start ? right : left);
    within = before <= right.start ? left : right;
  }
  return within.start === 0 ? ranges : [within, ...ranges];
}

/** The two subtrees of a subtree of at least 2 leaves: the left one is the largest power of two that leaves something over. */
function halves({ start, end }: LeafRange): { readonly left: LeafRange; readonly right: LeafRange } {
  let size = 1;
  while (size * 2 < end - start) size *= 2;
  return { left: { start, end: start + size }, right: { start: start + size, end } };
}

/**
 * Whether `proof` shows that the leaf with `hash` has the given index in the tree of `head`.
 * @param leaf.hash as `leafHash` makes it.
 */
export function provesInclusion(
  leaf: { readonly hash: Uint8Array; readonly index: number },
  head: TreeHead,
  proof: readonly Uint8Array[],
): boolean {
  if (leaf.index >= head.size) return false;
  let at = leaf.index;
  let last = head.size - 1;
  let hash = leaf.hash;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      for (; at % 2 === 0 && at !== 0; at /= 2) last = Math.floor(last / 2);
    } else {
      hash = nodeHash(hash, sibling);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equalBytes(hash, head.rootHash);
}

/** Whether `proof` shows that the tree of `before` is a beginning of the tree of `after`. Of nothing, everything grows. */
export function provesConsistency(before: TreeHead, after: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (before.size > after.size) return false;
  if (before.size === after.size) return proof.length === 0 && equalBytes(before.rootHash, after.rootHash);
  if (before.size === 0) return proof.length === 0 && equalBytes(before.rootHash, emptyRoot());
  const [first, ...rest] = isPowerOfTwo(before.size) ? [before.rootHash, ...proof] : proof;
  if (first === undefined) return false;
  let at = before.size - 1;
  let last = after.size - 1;
  for (; at % 2 === 1; at = Math.floor(at / 2)) last = Math.floor(last / 2);
  let old = first;
  let now = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      old = nodeHash(sibling, old);
      now = nodeHash(sibling, now);
      for (; at % 2 === 0 && at !== 0; at /= 2) last = Math.floor(last / 2);
    } else {
      now = nodeHash(now, sibling);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equalBytes(old, before.rootHash) && equalBytes(now, after.rootHash);
}

function isPowerOfTwo(size: number): boolean {
  return Number.isInteger(Math.log2(size)) && 2 ** Math.log2(size) === size;
}
