/** The refusals of the formats and the tests of the formats, held against each other: no code that a parser raises goes untested. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CODES } from '../../formats/codes.ts';
import { unraisedCodes } from '../tidy/raised-codes.ts';
import { sourceFile } from '../tidy/source-tree.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

function textsIn(folder: string): readonly (readonly [string, string])[] {
  const names = readdirSync(`${PROJECT}${folder}`).filter((name) => name.endsWith('.ts'));
  return names.map((name) => [`${folder}/${name}`, readFileSync(`${PROJECT}${folder}/${name}`, 'utf8')] as const);
}

const formats = textsIn('formats').filter(([path]) => path !== 'formats/codes.ts');
const tests = textsIn('test/formats').map(([, text]) => text);

test('every code that a format raises is asserted by a test of the formats', () => {
  const all = Object.keys(CODES);
  const unraised = new Set(
    unraisedCodes(
      formats.map(([path, text]) => sourceFile(path, text)),
      all,
    ),
  );
  const raised = all.filter((code) => !unraised.has(code));
  expect(raised).toContain('METADATA_THRESHOLD_UNMET');
  expect(raised.filter((code) => !tests.some((text) => text.includes(`'${code}'`)))).toEqual([]);
});
