/** The Merkle tree of a log against its definition, and against proofs that lie in one place. */
import { expect, test } from 'vitest';
import { encodeHex, parseHex } from '../../formats/bytes.ts';
import {
  consistencyRanges,
  emptyRoot,
  inclusionRanges,
  leafHash,
  nodeHash,
  PROOF_HASHES_MAX,
  provesConsistency,
  provesInclusion,
  type TreeHead,
} from '../../formats/merkle.ts';

const SIZE_MAX = 20;
const LEAVES = Array.from({ length: SIZE_MAX }, (_, i) => leafHash(Uint8Array.of(i)));
const NOTHING = new Uint8Array();

/** The root by the definition of RFC 6962 section 2.1, with its recursion. */
function definedRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length < 2) return leaves[0] ?? emptyRoot();
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return nodeHash(definedRoot(leaves.slice(0, half)), definedRoot(leaves.slice(half)));
}
const headOf = (size: number): TreeHead => ({ size, rootHash: definedRoot(LEAVES.slice(0, size)) });
const HEADS = Array.from({ length: SIZE_MAX + 1 }, (_, size) => headOf(size));
const head = (size: number): TreeHead => HEADS[size] ?? headOf(size);
const hashesOf = (ranges: readonly { readonly start: number; readonly end: number }[]): readonly Uint8Array[] =>
  ranges.map(({ start, end }) => definedRoot(LEAVES.slice(start, end)));
const leaf = (index: number): { readonly hash: Uint8Array; readonly index: number } => ({
  hash: LEAVES[index] ?? NOTHING,
  index,
});

/** `proof` in every way that is wrong by one: a hash flipped, missing, doubled or added. */
function liesOf(proof: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const flipped = proof.map((_, at) => proof.map((hash, i) => (i === at ? hash.map((byte) => byte ^ 1) : hash)));
  const missing = proof.map((_, at) => proof.filter((_hash, i) => i !== at));
  return [
    ...flipped,
    ...missing,
    [...proof, emptyRoot()],
    [emptyRoot(), ...proof],
    [...proof, ...proof.slice(-1), emptyRoot()],
  ];
}

test('the roots are those that every implementation of RFC 6962 computes', () => {
  const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  const leaves = entries.map((hex) => leafHash(parseHex(hex) ?? NOTHING));
  expect(encodeHex(emptyRoot())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(encodeHex(definedRoot(leaves.slice(0, 1)))).toBe(
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  );
  expect(encodeHex(definedRoot(leaves.slice(0, 7)))).toBe(
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  );
  expect(encodeHex(definedRoot(leaves))).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
});

test('every entry of every small tree is proven, and by no other proof, at no other place and in no other tree', () => {
  for (let size = 1; size <= SIZE_MAX; size++) {
    for (let index = 0; index < size; index++) {
      const proof = hashesOf(inclusionRanges(index, size));
      expect(provesInclusion(leaf(index), head(size), proof)).toBe(true);
      for (const lie of liesOf(proof)) expect(provesInclusion(leaf(index), head(size), lie)).toBe(false);
      expect(provesInclusion({ ...leaf(index), index: (index + 1) % (size + 1) }, head(size), proof)).toBe(false);
      expect(provesInclusion({ ...leaf(index), hash: emptyRoot() }, head(size), proof)).toBe(false);
      expect(provesInclusion(leaf(index), { ...head(size), rootHash: emptyRoot() }, proof)).toBe(false);
    }
  }
});

test('every small tree is proven to have grown from each smaller one, and by no other proof', () => {
  for (let after = 1; after <= SIZE_MAX; after++) {
    for (let before = 1; before <= after; before++) {
      const proof = before === after ? [] : hashesOf(consistencyRanges(before, after));
      expect(provesConsistency(head(before), head(after), proof)).toBe(true);
      for (const lie of liesOf(proof)) expect(provesConsistency(head(before), head(after), lie)).toBe(false);
      expect(provesConsistency({ ...head(before), rootHash: emptyRoot() }, head(after), proof)).toBe(false);
      expect(provesConsistency(head(before), { ...head(after), rootHash: emptyRoot() }, proof)).toBe(false);
    }
  }
});

test('a log never shrinks, and from nothing it grows to anything', () => {
  expect(provesConsistency(head(5), head(4), hashesOf(consistencyRanges(4, 5)))).toBe(false);
  expect(provesConsistency(head(0), head(4), [])).toBe(true);
  expect(provesConsistency({ size: 0, rootHash: head(1).rootHash }, head(4), [])).toBe(false);
  expect(provesConsistency(head(0), head(0), [])).toBe(true);
});

test('an inner node is no leaf: a tree of two is not a tree of one whose entry is the two hashes', () => {
  const [first = NOTHING, second = NOTHING] = LEAVES;
  expect(encodeHex(leafHash(Uint8Array.of(...first, ...second)))).not.toBe(encodeHex(nodeHash(first, second)));
});

test('proofs about the largest trees are counted right, and within the limit', () => {
  const size = Number.MAX_SAFE_INTEGER;
  for (const index of [0, 1, 2 ** 32, 2 ** 52, size - 1]) {
    const ranges = inclusionRanges(index, size);
    expect(ranges.length).toBeLessThanOrEqual(PROOF_HASHES_MAX);
    // The subtrees and the leaf itself cover every leaf once.
    expect(ranges.reduce((sum, { start, end }) => sum + BigInt(end - start), 1n)).toBe(BigInt(size));
  }
  const ranges = consistencyRanges(2 ** 40 + 1, size);
  expect(ranges.length).toBeLessThanOrEqual(PROOF_HASHES_MAX);
});
