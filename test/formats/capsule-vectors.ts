/**
 * The vectors of `docs/formats/capsule.md`: a whole capsule of small files, the places of its files, and heads that must be refused.
 *
 * - `node cli/node24.js test/formats/capsule-vectors.ts --write` writes them; a test holds the files equal, byte for byte.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { concatBytes, encodeBase64, encodeUtf8 } from '../../formats/bytes.ts';
import { encodeCapsuleHead, parseCapsuleHead } from '../../formats/capsule.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { accepted } from '../accepted.ts';

/** Where the vectors stand. */
export const CAPSULE_VECTORS: string = fileURLToPath(new URL('../vectors/capsule/', import.meta.url));

const CONTENT: ReadonlyMap<string, Uint8Array> = new Map(
  [
    ['log/proofs/one', 'a proof\n'],
    ['metadata/1.root.json', '{"root":1}'],
    ['metadata/1.targets.json', '{"targets":1}'],
    ['metadata/2.stable.json', ''],
    [`targets/2.0.0/gateway/${'ab'.repeat(32)}.image.js`, '// gateway 2.0.0\n'],
  ].map(([name = '', text = '']) => [name, encodeUtf8(text)]),
);

/** The capsule of the sample. */
const SAMPLE_CAPSULE: Uint8Array = concatBytes(
  encodeCapsuleHead([...CONTENT].map(([name, { length }]) => ({ name, length }))),
  ...CONTENT.values(),
);

/** Where its files lie, and what they are. */
export function samplePlaces(): readonly { name: string; offset: number; length: number; sha256: string }[] {
  return accepted(parseCapsuleHead(SAMPLE_CAPSULE, SAMPLE_CAPSULE.length)).map(({ name, offset, length }) => ({
    ...{ name, offset, length },
    sha256: sha256Hex(SAMPLE_CAPSULE.subarray(offset, offset + length)),
  }));
}

const head = (json: string): Uint8Array => encodeUtf8(`firmament-capsule 1\n${json}\n`);

/** Capsules that every reader must refuse. */
export function refusedCapsules(): readonly { readonly says: string; readonly capsule: Uint8Array }[] {
  const whole = SAMPLE_CAPSULE;
  return [
    { says: 'the last byte is missing', capsule: whole.subarray(0, -1) },
    { says: 'a byte too many', capsule: concatBytes(whole, Uint8Array.of(0)) },
    { says: 'another beginning', capsule: concatBytes(encodeUtf8('firmament-capsule 2'), whole.subarray(19)) },
    { says: 'a head without an end', capsule: encodeUtf8('firmament-capsule 1\n{"files":[]}') },
    { says: 'no file', capsule: head('{"files":[]}') },
    { says: 'white space in the head', capsule: head('{"files": [{"length":0,"name":"metadata/1"}]}') },
    { says: 'members in another order', capsule: head('{"files":[{"name":"metadata/1","length":0}]}') },
    { says: 'a member that is not known', capsule: head('{"files":[{"length":0,"name":"metadata/1"}],"more":1}') },
    {
      says: 'names that do not rise',
      capsule: head('{"files":[{"length":0,"name":"metadata/2"},{"length":0,"name":"metadata/1"}]}'),
    },
    {
      says: 'a name that stands twice',
      capsule: head('{"files":[{"length":0,"name":"metadata/1"},{"length":0,"name":"metadata/1"}]}'),
    },
    { says: 'a name that leaves the repository', capsule: head('{"files":[{"length":0,"name":"metadata/../x"}]}') },
    { says: 'a folder of no repository', capsule: head('{"files":[{"length":0,"name":"state/1"}]}') },
    { says: 'a length below zero', capsule: head('{"files":[{"length":-1,"name":"metadata/1"}]}') },
  ];
}

/** Every vector file by its name. */
export function capsuleVectorFiles(): ReadonlyMap<string, Uint8Array> {
  const lines = (items: readonly object[]): Uint8Array =>
    encodeUtf8(`[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]\n`);
  const refused = refusedCapsules().map(({ says, capsule }) => ({
    ...{ says, code: 'CAPSULE_MALFORMED' },
    capsule: encodeBase64(capsule),
  }));
  return new Map([
    ['sample.capsule', SAMPLE_CAPSULE],
    ['places.json', lines(samplePlaces())],
    ['refused.json', lines(refused)],
  ]);
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(CAPSULE_VECTORS, { recursive: true });
  for (const [name, content] of capsuleVectorFiles()) writeFileSync(`${CAPSULE_VECTORS}${name}`, content);
}
