/** The table of codes, its document, and the code that answers with them agree. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CODE_GROUPS, CODES } from '../formats/codes.ts';
import { CODES_DOCUMENT, codesDocument } from './codes.ts';
import { strayCodeFaults, unraisedCodes } from './tidy/raised-codes.ts';
import { faultLine, readTree, sourceFile } from './tidy/source-tree.ts';

const files = readTree(fileURLToPath(new URL('..', import.meta.url)));

test('the document shows every code with its meaning and what to do, as the table has it', async () => {
  expect(readFileSync(CODES_DOCUMENT, 'utf8')).toBe(await codesDocument());
});

test('every code stands in exactly one group and reads NOUN_FAULT, with words that explain it', () => {
  const grouped = CODE_GROUPS.flatMap(({ codes }) => Object.entries(codes));
  expect(grouped.map(([code]) => code)).toEqual(Object.keys(CODES));
  expect(new Set(grouped.map(([code]) => code)).size).toBe(grouped.length);
  for (const [code, { means, todo }] of grouped) {
    expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
    expect(means.length, code).toBeGreaterThan(10);
    expect(todo.length, code).toBeGreaterThan(4);
  }
});

test('every code of the table is raised somewhere: a code that nothing answers with explains nothing', () => {
  expect(unraisedCodes(files, Object.keys(CODES))).toEqual([]);
});

test('every code is raised in the folders that its group names, and each of these raises some', () => {
  expect(strayCodeFaults(files, CODE_GROUPS).map(faultLine)).toEqual([]);
});

test('a code in a folder that its group does not name, and a folder without a code, are faults', () => {
  const groups = [{ heading: 'Made', raisedIn: ['formats', 'bootloader-verifier/boot'], codes: { MADE: 1 } }];
  const made = (path: string, text = "reject('MADE', 'x');"): ReturnType<typeof sourceFile> => sourceFile(path, text);
  const good = [made('formats/a.ts'), made('bootloader-verifier/boot/a.ts')];
  const faults = (...more: readonly ReturnType<typeof sourceFile>[]): readonly string[] =>
    strayCodeFaults([...good, ...more], groups).map(faultLine);
  expect(faults(made('signer/a.ts', "if (code === 'MADE') x(); type A = 'MADE'; ['MADE'].includes(x);"))).toEqual([]);
  expect(faults(made('test/a.ts'), made('pilot/a.ts'), made('formats/made-codes.ts'))).toEqual([]);
  expect(faults(made('bootloader-verifier/agent/a.ts'), made('signer/care/a.ts', '\nreject(`MADE: ${x}`);'))).toEqual([
    expect.stringMatching(/^bootloader-verifier\/agent\/a\.ts:1 MADE is raised in bootloader-verifier\/agent/),
    expect.stringMatching(/^signer\/care\/a\.ts:2 MADE is raised in signer/),
  ]);
  expect(strayCodeFaults(good.slice(0, 1), groups).map(faultLine)).toEqual([
    'bootloader-verifier/boot:1 raises no code of "Made": leave it out there',
  ]);
});

test('a code is raised by a value, not by a type that lists it or a case that shows it', () => {
  const made = sourceFile(
    'signer/made.ts',
    "type Code = 'IN_TYPE'; switch (c) { case 'IN_CASE': } reject('IN_CALL', 'x'); const t = `IN_TEMPLATE: ${c}`;",
  );
  const codes = ['IN_TYPE', 'IN_CASE', 'IN_CALL', 'IN_TEMPLATE'];
  expect(unraisedCodes([made], codes)).toEqual(['IN_TYPE', 'IN_CASE']);
  expect(unraisedCodes([sourceFile('test/made.ts', "reject('IN_CALL', 'x')")], codes)).toEqual(codes);
});
