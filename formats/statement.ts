/**
 * in-toto statements: a predicate of a named type, said about subjects that are named by digest.
 *
 * - Subjects count by SHA-256 alone; a subject without one is refused, other algorithms are ignored (`digest_set.md`).
 * - Unknown members are ignored, as the parsing rules demand: a consumer must be built so that ignoring never allows more.
 * - The predicate is decoded together with its statement: no caller holds a predicate whose type nobody has checked.
 * - Source: in-toto attestation framework 1.2, `spec/v1/statement.md`; media type of `spec/v1/envelope.md`.
 */
import { decodeJson, hexText, list, literal, object, optional, refine, text, type Decoder } from './decode.ts';
import type { JsonObject } from './json.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type Subject = { readonly name: string; readonly sha256: string };
export type Statement<P> = { readonly subjects: readonly Subject[]; readonly predicate: P };

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** The DSSE payload type of every statement. */
export const STATEMENT_PAYLOAD_TYPE = 'application/vnd.in-toto+json';
export const STATEMENT_BYTES_MAX = 256_000;
/** As many as the widest producer in the field writes. */
export const SUBJECTS_MAX = 1024;

/** What the specification has producers write where a name means nothing. */
const NO_NAME = '_';
const NO_PREDICATE: JsonObject = new Map();

const subjectDecoder: Decoder<Subject> = refine(
  object('ignored', { name: optional(text(1024)), digest: object('ignored', { sha256: hexText(32) }) }),
  ({ name, digest }) => accept({ name: name ?? NO_NAME, sha256: digest.sha256 }),
);

/**
 * Parses the payload of an envelope whose signature has been verified.
 * @param type.predicateType the only predicate type that is accepted.
 * @param type.predicate decodes its predicate; an absent predicate is read as an empty one.
 * @returns the statement, or `STATEMENT_MALFORMED` with the place of the fault. Never throws.
 */
export function parseStatement<P extends object>(
  payload: Uint8Array,
  type: { readonly predicateType: string; readonly predicate: Decoder<P> },
): Verdict<Statement<P>, 'STATEMENT_MALFORMED'> {
  const statementDecoder = refine(
    object('ignored', {
      _type: literal(STATEMENT_TYPE),
      subject: list(subjectDecoder, SUBJECTS_MAX, 1),
      predicateType: literal(type.predicateType),
      predicate: optional(type.predicate),
    }),
    ({ subject, predicate }) => {
      if (predicate !== undefined) return accept({ subjects: subject, predicate });
      const empty = type.predicate(NO_PREDICATE);
      return empty.ok ? accept({ subjects: subject, predicate: empty.value }) : empty;
    },
  );
  const statement = decodeJson(payload, STATEMENT_BYTES_MAX, statementDecoder);
  return statement.ok ? statement : reject('STATEMENT_MALFORMED', `${statement.code}: ${statement.detail}`);
}

/** A statement as a plain object, for `JSON.stringify`; `predicate` must be plain data too. */
export function statementToPlain(
  subjects: readonly Subject[],
  type: { readonly predicateType: string; readonly predicate: object },
): object {
  return {
    _type: STATEMENT_TYPE,
    subject: subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: type.predicateType,
    predicate: type.predicate,
  };
}
