/**
 * Mutants of real files, for the property tests of every parser.
 *
 * - Two levels: bytes (flips, cuts, splices, repeats), and values: the file is read leniently, one to three places are changed,
 *   and it is written as JSON again, so that most mutants pass the outer layer and reach the parser itself.
 * - Values become others of the wrong type, numbers at the borders, very long or odd strings, empty, repeated, missing, renamed,
 *   further or deeper members; some are written as no serialiser would: `1.5`, `-0`, a name twice, half of a surrogate pair.
 * - Every run counts how many mutants passed the strict JSON layer: a test that only feeds broken JSON would prove nothing.
 * - fast-check draws, shrinks and prints the seed.
 */
import * as fc from 'fast-check';
import { concatBytes, encodeUtf8 } from '../formats/bytes.ts';
import { parseJson } from '../formats/json.ts';
import { editTree, readTree, TREE_EDITS, writeTree } from './json-tree.ts';

/** How many mutants were tried, and how many of them are strict JSON. */
export type MutantCount = { readonly made: number; readonly wellFormed: number };

const RUNS = 400;
/** Where a change stands, and which of its variants it is: evenly spread, because small numbers are nothing special here. */
const place = fc.noBias(fc.nat());

/** Tries `property` on mutants of the JSON file `original`; a mutant that breaks it fails the test with seed and smallest case. */
export function tryMutants(original: Uint8Array, property: (mutant: Uint8Array) => void): MutantCount {
  return tryAll(fc.oneof({ weight: 4, arbitrary: valueMutants(original) }, byteMutants(original)), property);
}

/** The same for a file that is no JSON: only its bytes are changed. */
export function tryByteMutants(original: Uint8Array, property: (mutant: Uint8Array) => void): MutantCount {
  return tryAll(byteMutants(original), property);
}

function tryAll(mutants: fc.Arbitrary<Uint8Array>, property: (mutant: Uint8Array) => void): MutantCount {
  let made = 0;
  let wellFormed = 0;
  fc.assert(
    fc.property(mutants, (mutant) => {
      made++;
      if (parseJson(mutant, { bytesMax: mutant.length }).ok) wellFormed++;
      property(mutant);
    }),
    { numRuns: RUNS },
  );
  return { made, wellFormed };
}

/** Files whose values were changed in one to three places. */
function valueMutants(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const tree = readTree(original);
  const edit = fc.record({ edit: fc.constantFrom(...TREE_EDITS), at: place, pick: place });
  return fc
    .array(edit, { minLength: 1, maxLength: 3, size: 'max' })
    .map((edits) => writeTree(edits.reduce(editTree, tree)));
}

const BYTE_EDITS: readonly ((bytes: Uint8Array, at: number, pick: number) => Uint8Array)[] = [
  (bytes, at, pick) => bytes.map((byte, i) => (i === at ? byte ^ (1 << (pick % 8)) : byte)),
  (bytes, at, pick) => bytes.map((byte, i) => (i === at ? pick % 256 : byte)),
  (bytes, at) => bytes.slice(0, at),
  (bytes, at) => bytes.slice(at),
  (bytes, at, pick) => concatBytes(bytes.slice(0, at), bytes.slice(at + 1 + (pick % 64))),
  (bytes, at, pick) => concatBytes(bytes.slice(0, at + 1 + (pick % 64)), bytes.slice(at)),
  (bytes, at, pick) => concatBytes(bytes.slice(0, at), bytes.slice(pick % bytes.length)),
  (bytes, at) => concatBytes(bytes.slice(0, at), encodeUtf8(' '), bytes.slice(at)),
  (bytes, _, pick) => concatBytes(bytes, bytes.slice(0, pick % bytes.length)),
];

/** Files of which a few bytes were flipped, set, cut out, repeated or moved. */
function byteMutants(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({ edit: fc.constantFrom(...BYTE_EDITS), at: place, pick: place });
  return fc
    .array(edit, { minLength: 1, maxLength: 2 })
    .map((edits) =>
      edits.reduce(
        (bytes, { edit: change, at, pick }) => (bytes.length === 0 ? bytes : change(bytes, at % bytes.length, pick)),
        original,
      ),
    );
}
