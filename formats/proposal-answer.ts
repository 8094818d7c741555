/**
 * What the control plane answers to a proposal: its id, and where each of its files is to be put.
 *
 * - An upload's address carries its own permission, for this name, length and SHA-256 and until this moment. It is a secret until then.
 * - It may be relative to the address of the control plane (RFC 3986, section 5). The fields of an upload must be sent with it.
 * - Unknown members are refused. Specified in `docs/formats/proposal.md`.
 */
import { decodeJson, list, literal, mapOf, object, refine, text, type Decoder } from './decode.ts';
import { encodeJson } from './encode-json.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder, segmentDecoder } from './names.ts';
import { STATEMENTS_MAX } from './proposal.ts';
import { COMPONENTS_MAX } from './release.ts';
import { proposalIdDecoder } from './stored-proposal.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type UploadAddress = {
  readonly component: string;
  readonly file: string;
  readonly url: string;
  /** Fields to send, by names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
};
export type ProposalAnswer = {
  readonly id: string;
  readonly uploadsUntil: Instant;
  readonly uploads: readonly UploadAddress[];
};

const ANSWER_BYTES_MAX = 524_288;
const UPLOADS_MAX = COMPONENTS_MAX * (STATEMENTS_MAX + 1);
const FIELDS_MAX = 8;

const answerDecoder: Decoder<ProposalAnswer> = refine(
  object('refused', {
    version: literal(1),
    id: proposalIdDecoder,
    uploadsUntil: instantDecoder,
    uploads: list(
      object('refused', {
        component: nameDecoder,
        file: segmentDecoder,
        url: text(2_048, /[\x21-\x7e]+/),
        fields: mapOf(text(64, /[a-z0-9-]+/), text(256, /[\x21-\x7e]+/), FIELDS_MAX),
      }),
      UPLOADS_MAX,
      1,
    ),
  }),
  ({ version: _, ...answer }) => accept(answer),
);

/** Parses the answer to a proposal. @returns it, or `PROPOSAL_MALFORMED` with the place of the fault. Never throws. */
export function parseProposalAnswer(bytes: Uint8Array): Verdict<ProposalAnswer, 'PROPOSAL_MALFORMED'> {
  const answer = decodeJson(bytes, ANSWER_BYTES_MAX, answerDecoder);
  return answer.ok ? answer : reject('PROPOSAL_MALFORMED', `${answer.code}: ${answer.detail}`);
}

/** The bytes of an answer. */
export function encodeProposalAnswer({ id, uploadsUntil, uploads }: ProposalAnswer): Uint8Array {
  return encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['id', id],
      ['uploadsUntil', encodeInstant(uploadsUntil)],
      [
        'uploads',
        uploads.map(
          ({ component, file, url, fields }) =>
            new Map<string, JsonValue>([
              ['component', component],
              ['file', file],
              ['url', url],
              ['fields', new Map(fields)],
            ]),
        ),
      ],
    ]),
  );
}
