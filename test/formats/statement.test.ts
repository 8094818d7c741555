/** in-toto statements: their parsing rules, their limits, and what altered ones may not do. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { anyObject, object, text } from '../../formats/decode.ts';
import {
  parseStatement,
  STATEMENT_BYTES_MAX,
  STATEMENT_TYPE,
  statementToPlain,
  SUBJECTS_MAX,
} from '../../formats/statement.ts';
import { accepted } from '../accepted.ts';
import { tryMutants } from '../mutations.ts';

const PREDICATE_TYPE = 'https://example.com/predicate/v1';
const ANY = { predicateType: PREDICATE_TYPE, predicate: anyObject };
const SHA256 = 'ab'.repeat(32);

function plain(changes: object = {}): object {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: 'image.js', digest: { sha256: SHA256 } }],
    predicateType: PREDICATE_TYPE,
    predicate: {},
    ...changes,
  };
}
function json(value: object): Uint8Array {
  return encodeUtf8(JSON.stringify(value));
}

describe('a statement', () => {
  test('is read with members that nobody knows, and with digests of other algorithms', () => {
    const subject = [
      { name: 'a', digest: { sha512: 'zz', sha256: SHA256 }, uri: 'https://example.com', annotations: {} },
    ];
    expect(accepted(parseStatement(json(plain({ subject, extra: 1 })), ANY)).subjects).toEqual([
      { name: 'a', sha256: SHA256 },
    ]);
  });

  test('names a subject without a name as the specification does', () => {
    const subject = [{ digest: { sha256: SHA256 } }];
    expect(accepted(parseStatement(json(plain({ subject })), ANY)).subjects[0]?.name).toBe('_');
  });

  test('without a predicate is read like one with an empty predicate', () => {
    const absent = json(plain({ predicate: undefined }));
    expect(parseStatement(absent, ANY)).toEqual(parseStatement(json(plain()), ANY));
    const demanding = { predicateType: PREDICATE_TYPE, predicate: object('ignored', { name: text(9) }) };
    expect(parseStatement(absent, demanding)).toMatchObject({ ok: false, code: 'STATEMENT_MALFORMED' });
  });

  test('is read back as it was written', () => {
    const subjects = [{ name: 'é', sha256: SHA256 }];
    const type = { predicateType: PREDICATE_TYPE, predicate: {} };
    expect(accepted(parseStatement(json(statementToPlain(subjects, type)), ANY)).subjects).toEqual(subjects);
  });

  test.each([
    ['of another version of the framework', { _type: 'https://in-toto.io/Statement/v0.1' }],
    ['of another predicate type', { predicateType: 'https://example.com/predicate/v2' }],
    ['without a predicate type', { predicateType: undefined }],
    ['whose predicate is a list', { predicate: [] }],
    ['without subjects', { subject: [] }],
    ['whose subject is not a list', { subject: { digest: { sha256: SHA256 } } }],
    ['with a subject without a digest', { subject: [{ name: 'a' }] }],
    ['with a subject without SHA-256', { subject: [{ name: 'a', digest: { sha512: SHA256.repeat(2) } }] }],
    ['with a second subject without SHA-256', { subject: [{ digest: { sha256: SHA256 } }, { digest: { md5: 'ab' } }] }],
    ['with a digest in capitals', { subject: [{ digest: { sha256: SHA256.toUpperCase() } }] }],
    ['with a digest that is too short', { subject: [{ digest: { sha256: SHA256.slice(2) } }] }],
  ])('%s is refused', (_, changes) => {
    expect(parseStatement(json(plain(changes)), ANY)).toMatchObject({ ok: false, code: 'STATEMENT_MALFORMED' });
  });

  test('is read at its limits and refused beyond them', () => {
    const subjects = (count: number): Uint8Array =>
      json(plain({ subject: Array.from({ length: count }, () => ({ digest: { sha256: SHA256 } })) }));
    expect(parseStatement(subjects(SUBJECTS_MAX), ANY).ok).toBe(true);
    expect(parseStatement(subjects(SUBJECTS_MAX + 1), ANY).ok).toBe(false);
    const padded = (size: number): Uint8Array => encodeUtf8(JSON.stringify(plain()).padEnd(size));
    expect(parseStatement(padded(STATEMENT_BYTES_MAX), ANY).ok).toBe(true);
    expect(parseStatement(padded(STATEMENT_BYTES_MAX + 1), ANY).ok).toBe(false);
  });
});

describe('an altered statement', () => {
  test('is refused or read as any JSON parser reads it, and never throws', () => {
    const original = json(plain({ subject: [...'abc'].map((name) => ({ name, digest: { sha256: SHA256 } })) }));
    let read = 0;
    const { made, wellFormed } = tryMutants(original, (mutant) => {
      const statement = parseStatement(mutant, ANY);
      if (!statement.ok) {
        expect(statement.code).toBe('STATEMENT_MALFORMED');
        return;
      }
      read++;
      const independent = JSON.parse(new TextDecoder().decode(mutant)) as {
        _type: string;
        predicateType: string;
        subject: readonly { name?: string; digest: { sha256: string } }[];
      };
      expect([independent._type, independent.predicateType]).toEqual([STATEMENT_TYPE, PREDICATE_TYPE]);
      expect(statement.value.subjects).toEqual(
        independent.subject.map(({ name, digest }) => ({ name: name ?? '_', sha256: digest.sha256 })),
      );
    });
    expect(wellFormed * 3).toBeGreaterThanOrEqual(made);
    expect(read).toBeGreaterThan(0);
  });

  test('of any bytes at all never makes the parser throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseStatement(bytes, ANY)));
  });
});
