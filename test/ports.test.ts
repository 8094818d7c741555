/** Every port of the table in `docs/ARCHITECTURE.md` has a contract, and every adapter of it a test that runs that contract. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { importsOf, resolveRelative } from './tidy/imports.ts';
import { readTree, type SourceFile } from './tidy/source-tree.ts';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const files = readTree(PROJECT);
const ROW = /^\| `([^`]+)` +\| (`[^|]+`) +\| `(test\/[^`]+-contract\.ts)` +\|$/gm;
const rows = [...readFileSync(`${PROJECT}docs/ARCHITECTURE.md`, 'utf8').matchAll(ROW)].map(
  ([, port = '', adapters = '', contract = '']) => ({ port, adapters: adapters.match(/[^`, ]+/g) ?? [], contract }),
);

/** The files that `file` imports. */
function importedBy(file: SourceFile): readonly string[] {
  return importsOf(file).flatMap(({ from }) => resolveRelative(file.path, from) ?? []);
}

test('every contract of the tests stands in the table, and the table names files that there are', () => {
  const contracts = files.map(({ path }) => path).filter((path) => /^test\/(?!e2e\/).*-contract\.ts$/.test(path));
  expect(rows.map(({ contract }) => contract).sort()).toEqual(contracts.sort());
  const paths = new Set(files.map(({ path }) => path));
  for (const { port, adapters } of rows) for (const path of [port, ...adapters]) expect(paths, path).toContain(path);
});

test.each(rows.flatMap(({ adapters, contract }) => adapters.map((adapter) => [adapter, contract] as const)))(
  '%s is held to %s',
  (adapter, contract) => {
    const runs = files.filter((file) => {
      const imported = importedBy(file);
      return imported.includes(contract) && imported.includes(adapter);
    });
    const within = files.find(({ path }) => path === contract);
    const isRunWithin = within !== undefined && importedBy(within).includes(adapter);
    expect(runs.length > 0 || isRunWithin).toBe(true);
  },
);
