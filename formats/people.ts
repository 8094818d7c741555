/**
 * The people of a product: whose key is whose, and under which subjects identity providers know them.
 *
 * - The list stands in the targets role's part (`trust-part.ts`) and is signed by its quorum: no server says who somebody is.
 * - A person, a key and a subject each stand once: a key belongs to one person, a subject stands for one person.
 * - An *independent* key is used by the installed tool alone, never in a page that a server sent.
 * - A subject may be a workflow's: whoever answers for it is its author (rule R2).
 * - A person without keys can only be an author.
 * - Specified in `docs/formats/people.md`.
 */
import {
  decodeJson,
  flag,
  list,
  object,
  optional,
  refine,
  shape,
  text,
  type DecodeCode,
  type Decoder,
  type ShapeCode,
} from './decode.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import { keyIdDecoder } from './tuf-key.ts';
import { accept, type Verdict } from './verdict.ts';

export type PersonKey = {
  /** The id under which the delegation of a channel lists the key. */
  readonly keyid: string;
  readonly independent: boolean;
};
/** A subject of OpenID Connect: unique only together with its issuer. */
export type Subject = { readonly issuer: string; readonly subject: string };
export type Person = {
  readonly person: string;
  readonly keys: readonly PersonKey[];
  readonly subjects: readonly Subject[];
};
/** Who made a change: a person by name, or whoever the people list knows under a subject. */
export type Author = { readonly person: string } | Subject;

export const PEOPLE_MAX = 64;
export const PERSON_KEYS_MAX = 8;
export const PERSON_SUBJECTS_MAX = 16;
const PEOPLE_BYTES_MAX = 256_000;
const SUBJECT_LENGTH_MAX = 512;

const subjectMembers = { issuer: text(SUBJECT_LENGTH_MAX), subject: text(SUBJECT_LENGTH_MAX) };
const personDecoder: Decoder<Person> = object('refused', {
  person: nameDecoder,
  keys: list(object('refused', { keyid: keyIdDecoder, independent: flag }), PERSON_KEYS_MAX),
  subjects: list(object('refused', subjectMembers), PERSON_SUBJECTS_MAX),
});

/** The member `people`: at least one person. */
export const peopleDecoder: Decoder<readonly Person[]> = refine(list(personDecoder, PEOPLE_MAX, 1), (people) => {
  if (isTwice(people.map(({ person }) => person))) return shape('a person stands twice');
  if (isTwice(people.flatMap(({ keys }) => keys.map(({ keyid }) => keyid)))) return shape('a key stands twice');
  return isTwice(people.flatMap(({ subjects }) => subjects.map(subjectText)))
    ? shape('a subject stands twice')
    : accept(people);
});

/** An author: `{"person":…}` or `{"issuer":…,"subject":…}`. */
export const authorDecoder: Decoder<Author> = refine(
  object('refused', {
    person: optional(nameDecoder),
    issuer: optional(subjectMembers.issuer),
    subject: optional(subjectMembers.subject),
  }),
  ({ person, issuer, subject }): Verdict<Author, ShapeCode> => {
    if (person !== undefined && issuer === undefined && subject === undefined) return accept({ person });
    if (person === undefined && issuer !== undefined && subject !== undefined) return accept({ issuer, subject });
    return shape('either a person, or issuer and subject are expected');
  },
);

/** Parses a list of people as it stands in a file, before anybody has signed it. */
export function parsePeople(bytes: Uint8Array): Verdict<readonly Person[], DecodeCode> {
  return decodeJson(bytes, PEOPLE_BYTES_MAX, peopleDecoder);
}

/** The person that `author` is, or undefined if the list does not know it. */
export function personOf(author: Author, people: readonly Person[]): string | undefined {
  const isAuthor = ({ person, subjects }: Person): boolean =>
    'person' in author ? person === author.person : subjects.map(subjectText).includes(subjectText(author));
  return people.find(isAuthor)?.person;
}

/** The member `people` as JSON. */
export function peopleToJson(people: readonly Person[]): JsonValue {
  return people.map(
    ({ person, keys, subjects }) =>
      new Map<string, JsonValue>([
        ['person', person],
        ['keys', keys.map((key) => new Map<string, JsonValue>(Object.entries(key)))],
        ['subjects', subjects.map(authorToJson)],
      ]),
  );
}

/** An author as JSON. */
export function authorToJson(author: Author): JsonValue {
  return new Map<string, JsonValue>(Object.entries(author));
}

/** One text for one subject: the length keeps issuer and subject apart. */
function subjectText({ issuer, subject }: Subject): string {
  return `${issuer.length} ${issuer} ${subject}`;
}

function isTwice(names: readonly string[]): boolean {
  return new Set(names).size < names.length;
}
