/** Rows of the table of parsers for the log: leaves, notes, tiles, proofs, and what a root says of them. */
import { bindingToJson } from '../../formats/binding.ts';
import { checkpointText, parseCheckpoint, type Checkpoint } from '../../formats/checkpoint.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import { encodeLogLeaf, parseLogLeaf } from '../../formats/log-leaf.ts';
import { encodeLogProof, parseLogProof } from '../../formats/log-proof.ts';
import { encodeEntryBundle, encodeTile, parseEntryBundle, parseTile } from '../../formats/log-tiles.ts';
import { parseRootPart, rootPartToJson, type RootPart } from '../../formats/root-part.ts';
import { encodeSignedNote, encodeVerifierKey, parseSignedNote, parseVerifierKey } from '../../formats/signed-note.ts';
import { seededSigner } from '../seeded-signer.ts';
import { LOG_POLICY, logOf, signedCheckpoint, signedProof } from '../tiny-log.ts';
import { bytesRow, ofBytes, orUndefined, partRow, textRow, wholeRow, type ParserRow } from './parser-rows.ts';
import { bound, SAMPLE_ID } from './sample-repository.ts';

const LEAF = {
  type: 'release',
  product: 'gateway',
  root: 'ab'.repeat(32),
  channel: 'stable',
  version: 3,
  sha256: 'cd'.repeat(32),
  release: '1.0.0',
} as const;
const LOG = logOf([LEAF], 6);
const TILE = LOG.tiles.get('0/0') ?? [];
const LOG_PART: RootPart = {
  log: {
    ...LOG_POLICY,
    witnesses: [{ name: 'w.example', key: seededSigner('w').key, administration: 'other' }],
    quorum: 1,
  },
  pairs: [],
};

export const LOG_ROWS: readonly ParserRow[] = [
  wholeRow('parseLogLeaf', encodeLogLeaf(LEAF), { parse: orUndefined(parseLogLeaf), encode: encodeLogLeaf }),
  partRow<RootPart>('parseRootPart', encodeJson(bound('root', rootPartToJson(LOG_PART))), {
    parse: ofBytes(parseRootPart),
    encode: (part) => encodeJson(bindingToJson({ ...SAMPLE_ID, role: 'root' }, rootPartToJson(part))),
  }),
  bytesRow('parseSignedNote', await signedCheckpoint(LOG), {
    parse: orUndefined(parseSignedNote),
    encode: encodeSignedNote,
  }),
  bytesRow<Checkpoint>('parseCheckpoint', await signedCheckpoint(LOG), {
    parse: orUndefined(parseCheckpoint),
    encode: ({ note, ...said }) => encodeSignedNote({ ...note, text: checkpointText(said) }),
  }),
  bytesRow('parseLogProof', await signedProof(LOG, 6), { parse: orUndefined(parseLogProof), encode: encodeLogProof }),
  bytesRow('parseTile', encodeTile(TILE), {
    parse: orUndefined((bytes) => parseTile(bytes, TILE.length)),
    encode: encodeTile,
  }),
  bytesRow('parseEntryBundle', encodeEntryBundle([Uint8Array.of(1), new Uint8Array()]), {
    parse: orUndefined((bytes) => parseEntryBundle(bytes, 2)),
    encode: encodeEntryBundle,
  }),
  textRow('parseVerifierKey', 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', {
    parse: parseVerifierKey,
    encode: (key) => encodeVerifierKey(key) ?? '',
  }),
];
