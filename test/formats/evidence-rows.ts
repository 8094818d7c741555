/** Rows of the table of parsers for what vouches for a build: envelopes, statements, provenance, summaries. */
import { encodeUtf8, parseUtf8 } from '../../formats/bytes.ts';
import { encodeEnvelope, parseEnvelope } from '../../formats/dsse.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import type { JsonObject } from '../../formats/json.ts';
import { encodeProvenance, parseProvenance } from '../../formats/provenance.ts';
import { parseStatement, STATEMENT_PAYLOAD_TYPE, statementToPlain, type Statement } from '../../formats/statement.ts';
import { anyObject } from '../../formats/decode.ts';
import { encodeVsa, parseVsa } from '../../formats/vsa.ts';
import { seededSigner } from '../seeded-signer.ts';
import { signedProvenance, tinyProvenance } from '../tiny-release.ts';
import { orUndefined, partRow, type ParserRow } from './parser-rows.ts';
import { SAMPLE_VSA } from './sample-vsa.ts';

const PROVENANCE = tinyProvenance('image.js', 'ab'.repeat(32));
const PREDICATE = { predicateType: 'https://example.com/predicate/v1', predicate: anyObject };
const STATEMENT = statementToPlain(PROVENANCE.subjects, {
  predicateType: PREDICATE.predicateType,
  predicate: { a: [1, null] },
});

export const EVIDENCE_ROWS: readonly ParserRow[] = [
  partRow('parseEnvelope', await signedProvenance(PROVENANCE, seededSigner('builder')), {
    parse: orUndefined((bytes) => parseEnvelope(bytes, STATEMENT_PAYLOAD_TYPE)),
    encode: encodeEnvelope,
  }),
  partRow<Statement<JsonObject>>('parseStatement', encodeUtf8(JSON.stringify(STATEMENT)), {
    parse: orUndefined((bytes) => parseStatement(bytes, PREDICATE)),
    encode: ({ subjects, predicate }) => {
      const plain = JSON.parse(parseUtf8(encodeJson(predicate)) ?? '') as object;
      return encodeUtf8(
        JSON.stringify(statementToPlain(subjects, { predicateType: PREDICATE.predicateType, predicate: plain })),
      );
    },
  }),
  partRow('parseProvenance', encodeProvenance(PROVENANCE), {
    parse: orUndefined(parseProvenance),
    encode: encodeProvenance,
  }),
  partRow('parseVsa', encodeVsa(SAMPLE_VSA), { parse: orUndefined(parseVsa), encode: encodeVsa }),
];
