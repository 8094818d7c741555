/** The project held against its own rules: import table, sizes, banned calls, dead code, and the three claims of the design. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { claimsOf } from './tidy/claims.ts';
import { codeFaults, shapeFaults } from './tidy/code-rules.ts';
import { deadExportFaults, deadFileFaults, importFaults, nobleFaults, type Packages } from './tidy/import-rules.ts';
import { faultLine, readTree, type Fault } from './tidy/source-tree.ts';
import { decisionFaults, dependencyFaults, textFaults } from './tidy/text-rules.ts';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const files = readTree(PROJECT);

/** The lists of package.json. */
function readPackages(): Packages {
  type Lists = Partial<Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>>;
  const lists = JSON.parse(readFileSync(`${PROJECT}package.json`, 'utf8')) as Lists;
  const production = Object.keys({ ...lists.dependencies, ...lists.optionalDependencies });
  return { production: new Set(production), development: new Set(Object.keys(lists.devDependencies ?? {})) };
}

function expectNone(faults: readonly Fault[]): void {
  expect(faults.map(faultLine)).toEqual([]);
}

test('imports go one way only, and production code asks for no development package', () => {
  expectNone(importFaults(files, readPackages()));
});

test('each binding of a noble package is imported in one file', () => {
  expectNone(nobleFaults(files));
});

test('every file has a docstring, a good name and a size that one reading takes in', () => {
  expectNone(files.flatMap(shapeFaults));
});

test('clock, randomness, environment and console stay in shells, JSON is parsed strictly, and only verifiers mark', () => {
  expectNone(files.flatMap(codeFaults));
});

test('nothing is left for later, and no file knows a machine or a registry', () => {
  expectNone(files.flatMap(textFaults));
});

test('no file is dead', () => {
  expectNone(deadFileFaults(files));
});

test('no export is dead', () => {
  expectNone(deadExportFaults(files));
});

test('every dependency has its line in the document of dependencies', () => {
  expectNone(dependencyFaults(files.find(({ path }) => path === 'docs/DEPENDENCIES.md')?.text ?? '', readPackages()));
});

test('each decision has the next number, and its title', () => {
  expectNone(decisionFaults(files));
});

test('the three claims of the design hold', () => {
  const claims = claimsOf(files);
  for (const { claim, holds, because } of claims) console.log(`${holds ? 'holds' : 'BROKEN'}: ${claim} (${because})`);
  expect(claims.filter(({ holds }) => !holds)).toEqual([]);
});
