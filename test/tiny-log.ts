/** A small transparency log in memory, for tests: entries, tiles, signed checkpoints and proofs, by the formats alone. */
import { checkpointText } from '../formats/checkpoint.ts';
import { encodeLogLeaf, type LogLeaf } from '../formats/log-leaf.ts';
import { encodeLogProof } from '../formats/log-proof.ts';
import { extendTiles, inclusionProof, treeRoot, type Tiles } from '../formats/log-tree.ts';
import { leafHash, type TreeHead } from '../formats/merkle.ts';
import type { LogPolicy } from '../formats/root-part.ts';
import {
  cosignedText,
  encodeCosignature,
  encodeSignedNote,
  noteKeyId,
  type NoteKeyType,
  type NoteSignature,
} from '../formats/signed-note.ts';
import type { Signer } from '../signer/signer.ts';
import { seededSigner } from './seeded-signer.ts';

export const LOG_ORIGIN = 'log.example/gateway';
export const LOG_SIGNER: Signer = seededSigner('log');
/** What root says of this log, without witnesses. */
export const LOG_POLICY: LogPolicy = {
  origin: LOG_ORIGIN,
  keys: [{ key: LOG_SIGNER.key, state: 'active' }],
  witnesses: [],
  quorum: 0,
};
const COSIGNED_AT_SECONDS = 1_893_456_000;

export type TinyLog = {
  readonly tiles: Tiles;
  readonly head: TreeHead;
};

/** The log of `entries`. */
export function tinyLog(entries: readonly Uint8Array[], grown: TinyLog | undefined = undefined): TinyLog {
  const { tiles, size } = { tiles: grown?.tiles ?? new Map(), size: grown?.head.size ?? 0 };
  const added = extendTiles(tiles, size, entries.map(leafHash)) ?? new Map();
  const all = new Map([...tiles, ...added]);
  const now = size + entries.length;
  return { tiles: all, head: { size: now, rootHash: treeRoot(all, now) ?? new Uint8Array() } };
}

/** The log of `count` entries that say nothing, and then of `leaves`. */
export function logOf(leaves: readonly LogLeaf[], count = 0): TinyLog {
  const before = Array.from({ length: count }, (_, i) => Uint8Array.of(i & 255, i >> 8));
  return tinyLog([...before, ...leaves.map(encodeLogLeaf)]);
}

/** The signature line of `signer` under `text`. */
export async function noteSignature(
  text: string,
  name: string,
  { signer, type }: { readonly signer: Signer; readonly type: NoteKeyType },
): Promise<NoteSignature> {
  const keyId = noteKeyId({ name, type, key: signer.key }) ?? new Uint8Array();
  if (type === 'signature') return { name, keyId, signature: await signer.sign(new TextEncoder().encode(text)) };
  const signature = await signer.sign(cosignedText(text, COSIGNED_AT_SECONDS));
  return { name, keyId, signature: encodeCosignature(COSIGNED_AT_SECONDS, signature) };
}

export type SignedBy = {
  readonly origin?: string;
  readonly signer?: Signer;
  /** Names of witnesses; each has the seeded key of its name. */
  readonly witnesses?: readonly string[];
};

/** The checkpoint of `log`, signed by its key and cosigned by witnesses. */
export async function signedCheckpoint({ head }: TinyLog, by: SignedBy = {}): Promise<Uint8Array> {
  const { origin = LOG_ORIGIN, signer = LOG_SIGNER, witnesses = [] } = by;
  const text = checkpointText({ ...head, origin });
  const signatures = [await noteSignature(text, origin, { signer, type: 'signature' })];
  for (const name of witnesses) {
    signatures.push(await noteSignature(text, name, { signer: seededSigner(name), type: 'cosignature' }));
  }
  return encodeSignedNote({ text, signatures });
}

/** The proof of entry `index` of `log`. */
export async function signedProof(log: TinyLog, index: number, by: SignedBy = {}): Promise<Uint8Array> {
  const hashes = inclusionProof(log.tiles, index, log.head.size) ?? [];
  return encodeLogProof({ index, hashes, checkpoint: await signedCheckpoint(log, by) });
}
