/** The list of people and the event of a channel: understood whole, or refused. */
import { expect, test } from 'vitest';
import { AUTHORS_MAX } from '../../formats/channel-event.ts';
import { channelPartToJson, parseChannelPart, type ChannelPart } from '../../formats/channel-part.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import type { JsonObject, JsonValue } from '../../formats/json.ts';
import {
  authorToJson,
  parsePeople,
  PEOPLE_MAX,
  peopleToJson,
  PERSON_KEYS_MAX,
  PERSON_SUBJECTS_MAX,
  personOf,
  type Person,
} from '../../formats/people.ts';
import { parseTrustPart, trustPartToJson } from '../../formats/trust-part.ts';
import { seededSigner } from '../seeded-signer.ts';
import { bound } from './sample-repository.ts';

const CI = { issuer: 'https://ci.example', subject: 'repo:gateway:ref:main' };
const person = (name: string, change: Partial<Person> = {}): Person => ({
  person: name,
  keys: [{ keyid: `key-${name}`, independent: true }],
  subjects: [],
  ...change,
});
const parse = (people: readonly Person[]): ReturnType<typeof parsePeople> =>
  parsePeople(encodeJson(peopleToJson(people)));
const refused = { ok: false, code: 'SHAPE_MALFORMED' };

test('the list of people is read as it was written, alone and in the targets role', () => {
  const people = [person('ada', { subjects: [CI] }), person('ben', { keys: [] })];
  expect(parse(people)).toEqual({ ok: true, value: people });
  const builders = [{ id: 'https://b.example', key: seededSigner('builder').key, source: 'git+https://s.example' }];
  const part = { builders, people };
  expect(parseTrustPart(bound('targets', trustPartToJson(part)))).toEqual({ ok: true, value: part });
});

test('a person, a key or a subject that stands twice is refused: nobody counts twice, and no key is of two people', () => {
  const key = { keyid: 'shared', independent: true };
  expect(parse([person('ada'), person('ada', { keys: [] })])).toMatchObject(refused);
  expect(parse([person('ada', { keys: [key] }), person('ben', { keys: [key] })])).toMatchObject(refused);
  expect(parse([person('ada', { keys: [key, key] })])).toMatchObject(refused);
  expect(parse([person('ada', { subjects: [CI] }), person('ben', { subjects: [CI] })])).toMatchObject(refused);
});

test('a subject is one only together with its issuer', () => {
  const elsewhere = { ...CI, issuer: 'https://other.example' };
  const people = [person('ada', { subjects: [CI] }), person('ben', { subjects: [elsewhere] })];
  expect(parse(people)).toMatchObject({ ok: true });
  expect(personOf(CI, people)).toBe('ada');
  expect(personOf(elsewhere, people)).toBe('ben');
  expect(personOf({ person: 'ben' }, people)).toBe('ben');
  expect(personOf({ person: 'cyd' }, people)).toBeUndefined();
  expect(personOf({ issuer: CI.issuer, subject: `${CI.subject} ` }, people)).toBeUndefined();
});

test('lists have their limits: people, keys and subjects of one person, authors', () => {
  const many = <T>(count: number, make: (i: number) => T): readonly T[] =>
    Array.from({ length: count }, (_, i) => make(i));
  const people = (count: number): readonly Person[] => many(count, (i) => person(`p${i}`));
  const keys = (count: number): Person =>
    person('ada', { keys: many(count, (i) => ({ keyid: `${i}`, independent: false })) });
  const subjects = (count: number): Person =>
    person('ada', { subjects: many(count, (i) => ({ ...CI, subject: `${i}` })) });
  expect(parse(people(PEOPLE_MAX)).ok).toBe(true);
  expect(parse(people(PEOPLE_MAX + 1))).toMatchObject(refused);
  expect(parse([])).toMatchObject(refused);
  expect(parse([keys(PERSON_KEYS_MAX)]).ok).toBe(true);
  expect(parse([keys(PERSON_KEYS_MAX + 1)])).toMatchObject(refused);
  expect(parse([subjects(PERSON_SUBJECTS_MAX)]).ok).toBe(true);
  expect(parse([subjects(PERSON_SUBJECTS_MAX + 1)])).toMatchObject(refused);
  const authors = (count: number): ReturnType<typeof channelWith> =>
    channelWith({ authors: many(count, () => authorToJson({ person: 'ada' })) });
  expect(authors(AUTHORS_MAX).ok).toBe(true);
  expect(authors(AUTHORS_MAX + 1)).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  expect(authors(0)).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
});

const APPROVAL: ChannelPart = {
  release: '1.0.0',
  minSecurityCounter: 1,
  revokedDigests: [],
  event: { predecessor: 'ab'.repeat(32), notAfter: Date.UTC(2026, 0, 8), authors: [CI, { person: 'ada' }] },
};

/** The channel's part with other members in its event; undefined takes one out. */
function channelWith(change: Readonly<Record<string, JsonValue | undefined>>): ReturnType<typeof parseChannelPart> {
  const part = bound('stable', channelPartToJson(APPROVAL));
  const event = new Map(part.get('event') as JsonObject);
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) event.delete(name);
    else event.set(name, value);
  }
  return parseChannelPart(new Map([...part, ['event', event]]));
}

test('the event of a channel is read as it was written; the first one has no predecessor', () => {
  expect(channelWith({})).toEqual({ ok: true, value: APPROVAL });
  expect(channelWith({ predecessor: undefined })).toMatchObject({
    ok: true,
    value: { event: { predecessor: undefined } },
  });
});

test('an event without end or authors, or with an author who is two things or nothing, is refused', () => {
  const both = new Map<string, JsonValue>([...Object.entries(CI), ['person', 'ada']]);
  for (const change of [
    { notAfter: undefined },
    { notAfter: 'never' },
    { authors: undefined },
    { authors: [both] },
    { authors: [new Map()] },
    { authors: [new Map([['issuer', CI.issuer]])] },
    { authors: [new Map([['subject', CI.subject]])] },
    { predecessor: 'AB'.repeat(32) },
    { proposedBy: 'ada' },
  ]) {
    expect(channelWith(change), JSON.stringify(change)).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  }
});
