/**
 * The vectors of `docs/formats/log.md`: a log of 260 entries with every file of it that a device or a monitor reads, and proofs
 * that must be refused.
 *
 * - `node cli/node24.js test/formats/log-vectors.ts --write` writes them; a test holds the files equal, byte for byte.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeBase64, parseUtf8 } from '../../formats/bytes.ts';
import type { Code } from '../../formats/codes.ts';
import { encodeLogLeaf, type LogLeaf } from '../../formats/log-leaf.ts';
import { encodeEntryBundle, encodeTile, TILE_WIDTH, tileName, tileWidth } from '../../formats/log-tiles.ts';
import type { LogPolicy } from '../../formats/root-part.ts';
import { encodeVerifierKey } from '../../formats/signed-note.ts';
import { seededSigner } from '../seeded-signer.ts';
import {
  LOG_ORIGIN,
  LOG_POLICY,
  LOG_SIGNER,
  signedCheckpoint,
  signedProof,
  tinyLog,
  type SignedBy,
} from '../tiny-log.ts';

/** Where the vectors stand. */
export const VECTORS: string = fileURLToPath(new URL('../vectors/log/', import.meta.url));

const SIZE = 260;
const WITNESS = 'witness.example';
const ROOT_ONE = 'ab'.repeat(32);
/** What root demands in the vectors: the log's key and one witness. */
export const VECTOR_POLICY: LogPolicy = {
  ...LOG_POLICY,
  witnesses: [{ name: WITNESS, key: seededSigner(WITNESS).key, administration: 'university' }],
  quorum: 1,
};
const LEAVES: readonly LogLeaf[] = Array.from({ length: SIZE }, (_, i) =>
  i === 0
    ? { type: 'root', product: 'gateway', root: ROOT_ONE, version: 1, sha256: ROOT_ONE }
    : {
        ...{ type: 'release', product: 'gateway', root: ROOT_ONE, channel: 'stable', version: i },
        ...{ sha256: 'cd'.repeat(32), release: `1.${i}.0` },
      },
);
const ENTRIES = LEAVES.map(encodeLogLeaf);
const LOG = tinyLog(ENTRIES);
const COSIGNED: SignedBy = { witnesses: [WITNESS] };
/** The entry whose proof is the document's example. */
const INDEX = 3;
export const EXAMPLE_LEAF: LogLeaf = LEAVES[INDEX] ?? { type: 'root', product: '', root: '', version: 0, sha256: '' };

/** A proof that no device accepts for the example's entry. */
export type RefusedProof = { readonly says: string; readonly code: Code; readonly proof: Uint8Array };

/** The proof that is accepted. */
export function exampleProof(): Promise<Uint8Array> {
  return signedProof(LOG, INDEX, COSIGNED);
}

/** Every refused proof of the vectors. */
export async function refusedProofs(): Promise<readonly RefusedProof[]> {
  const other = { signer: seededSigner('other'), witnesses: [WITNESS] };
  const text = parseUtf8(await exampleProof()) ?? '';
  const edited = (from: string, to: string): Uint8Array => new TextEncoder().encode(text.replace(from, to));
  return [
    {
      says: 'the proof of the next entry',
      code: 'LOG_PROOF_INVALID',
      proof: await signedProof(LOG, INDEX + 1, COSIGNED),
    },
    { says: 'another index', code: 'LOG_PROOF_INVALID', proof: edited('index 3', 'index 2') },
    { says: 'a checkpoint without the witness', code: 'WITNESS_QUORUM_UNMET', proof: await signedProof(LOG, INDEX) },
    {
      says: 'a checkpoint by a key that root does not list',
      code: 'LOG_SIGNATURE_INVALID',
      proof: await signedProof(LOG, INDEX, other),
    },
    {
      says: 'a checkpoint of another log',
      code: 'LOG_ORIGIN_MISMATCH',
      proof: await signedProof(LOG, INDEX, { ...COSIGNED, origin: 'other.example' }),
    },
    { says: 'another size under the signatures', code: 'LOG_SIGNATURE_INVALID', proof: edited('\n260\n', '\n261\n') },
    {
      says: 'an extension line in the checkpoint',
      code: 'CHECKPOINT_MALFORMED',
      proof: edited('=\n\n— ', '=\nextension\n\n— '),
    },
    { says: 'a line of extra data', code: 'LOG_PROOF_MALFORMED', proof: edited('index 3', 'extra AAAA\nindex 3') },
    { says: 'another version of the format', code: 'LOG_PROOF_MALFORMED', proof: edited('proof@v1', 'proof@v2') },
  ];
}

/** Every vector file by its name. */
export async function vectorFiles(): Promise<ReadonlyMap<string, Uint8Array | string>> {
  const keys = {
    log: encodeVerifierKey({ name: LOG_ORIGIN, type: 'signature', key: LOG_SIGNER.key }),
    witness: encodeVerifierKey({ name: WITNESS, type: 'cosignature', key: seededSigner(WITNESS).key }),
  };
  const refused = (await refusedProofs()).map(({ says, code, proof }) => ({ says, code, text: parseUtf8(proof) }));
  const entries = ENTRIES.map((entry) => ({ text: parseUtf8(entry) }));
  const tiles = [...LOG.tiles].map(([key, hashes]) => {
    const [level = 0, index = 0] = key.split('/').map(Number);
    return [fileName({ level, index, width: tileWidth(level, index, SIZE) }), encodeTile(hashes)] as const;
  });
  const last = SIZE - (SIZE % TILE_WIDTH);
  return new Map<string, Uint8Array | string>([
    ['checkpoint', await signedCheckpoint(LOG, COSIGNED)],
    ['example.tlog-proof', await exampleProof()],
    ...tiles,
    [fileName({ level: 'entries', index: 1, width: SIZE - last }), encodeEntryBundle(ENTRIES.slice(last))],
    ['entries.json', lines(entries)],
    ['keys.json', lines([keys])],
    ['root.json', lines([{ size: SIZE, rootHash: encodeBase64(LOG.head.rootHash) }])],
    ['refused.json', lines(refused)],
  ]);
}

/** The name of a tile as that of one file. */
function fileName(place: Parameters<typeof tileName>[0]): string {
  return tileName(place).replaceAll('/', '-');
}

/** A JSON list with one item a line, so that a change shows in one line. */
function lines(items: readonly unknown[]): string {
  return `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]\n`;
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(VECTORS, { recursive: true });
  for (const [name, content] of await vectorFiles()) writeFileSync(`${VECTORS}${name}`, content);
}
