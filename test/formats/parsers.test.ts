/** Every parser of `formats/` under mutants of real files: none throws, and what one accepts means what was signed or written. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeRecord, parseRecord } from '../../formats/flash-record.ts';
import { equalBytes } from '../../formats/bytes.ts';
import { tryByteMutants, tryMutants } from '../mutations.ts';
import { PARSER_ROWS } from './parser-table.ts';

const FORMATS = new URL('../../formats/', import.meta.url);

/** The names of the functions `parse...` that the formats export. */
function exportedParsers(): readonly string[] {
  const files = readdirSync(FORMATS).filter((name) => name.endsWith('.ts'));
  const texts = files.map((name) => readFileSync(new URL(name, FORMATS), 'utf8'));
  return texts.flatMap((text) =>
    [...text.matchAll(/^export (?:async )?(?:function|const) (parse\w+)/gm)].map(([, name = '']) => name),
  );
}

test('every parser that the formats export stands in the table, and the table names no other', () => {
  expect([...new Set(PARSER_ROWS.map(({ parser }) => parser))].sort()).toEqual([...exportedParsers()].sort());
});

test.each(PARSER_ROWS)('$parser accepts the real file', ({ holds, file }) => {
  expect(holds(file)).toBe(true);
});

test.each(PARSER_ROWS.filter(({ isJson }) => isJson))(
  '$parser throws on no mutant of a real file, and accepts none that means something else than was signed or written',
  ({ holds, file }) => {
    let accepted = 0;
    const { made, wellFormed } = tryMutants(file, (mutant) => {
      if (holds(mutant)) accepted++;
    });
    // A run that breaks the JSON layer each time, or meets refusals alone, would say nothing about the parser behind it.
    expect(made).toBeGreaterThan(300);
    expect(wellFormed * 3).toBeGreaterThanOrEqual(made);
    expect(accepted * 100).toBeGreaterThanOrEqual(made);
  },
);

test.each(PARSER_ROWS.filter(({ isJson }) => !isJson))(
  '$parser throws on no changed byte, and what it accepts has one spelling',
  ({ holds, file }) => {
    expect(tryByteMutants(file, holds).made).toBeGreaterThan(300);
  },
);

test('a record is whole whatever its payload says, and a mutant of the frame is none', () => {
  const payload = PARSER_ROWS.find(({ parser }) => parser === 'parseFloors')?.file ?? new Uint8Array();
  tryMutants(payload, (mutant) => {
    expect(parseRecord(encodeRecord({ sequence: 1, payload: mutant }))).toEqual({ sequence: 1, payload: mutant });
  });
  const frame = encodeRecord({ sequence: 1, payload });
  tryByteMutants(frame, (mutant) => {
    const record = parseRecord(mutant);
    if (record !== undefined) expect(equalBytes(mutant.slice(0, frame.length), frame)).toBe(true);
  });
});

test('parsers answer for bytes of any kind: empty, random, of one value, or a value nested without end', () => {
  const kinds = [new Uint8Array(), ...[0, 0x20, 0x22, 0x5b, 0x7b, 0xff].map((byte) => new Uint8Array(5000).fill(byte))];
  for (const { holds, parser } of PARSER_ROWS) {
    for (const bytes of kinds) expect(() => holds(bytes), parser).not.toThrow();
  }
});
