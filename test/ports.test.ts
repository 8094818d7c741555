/**
 * Every port of the table in `docs/ARCHITECTURE.md` has a contract, every adapter of it a test that runs that contract, and whatever
 * makes what a port is stands there as its adapter.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { importsOf, resolveRelative } from './tidy/imports.ts';
import { readTree, sourceFile, type SourceFile } from './tidy/source-tree.ts';

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

type Row = { readonly port: string; readonly adapters: readonly string[] };

/** The type that a port's file is named after: `ObjectStore` of `object-store.ts`. */
function typeOf(port: string): string {
  const words = port.replace(/^.*\/|\.ts$/g, '').split('-');
  return words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join('');
}

/** Names of what `file` exports that is, or gives, one of `type` without being given one. */
function givesOf({ tree }: SourceFile, type: string): readonly string[] {
  const names = new RegExp(`(^|[^\\w\\s]|\\bPromise<|\\bVerdict<)\\s*${type}\\b(?!\\[)`);
  return (tree?.statements ?? []).flatMap((statement) => {
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    if (ts.isFunctionDeclaration(statement)) {
      const takes = statement.parameters.some(({ type: taken }) => taken?.getText() === type);
      return !takes && names.test(statement.type?.getText() ?? '') ? [statement.name?.text ?? ''] : [];
    }
    if (!ts.isVariableStatement(statement)) return [];
    const declared = statement.declarationList.declarations.filter((each) => each.type?.getText() === type);
    return declared.map(({ name }) => name.getText());
  });
}

/** What gives a port's type, stands in no row as its adapter and calls none that does. */
function strayAdapters(of: readonly SourceFile[], table: readonly Row[]): readonly string[] {
  return table.flatMap(({ port, adapters }) =>
    of
      .filter((file) => file.path !== port && !file.path.startsWith('test/') && !adapters.includes(file.path))
      .filter((file) => !importedBy(file).some((path) => adapters.includes(path)))
      .flatMap((file) => givesOf(file, typeOf(port)).map((name) => `${file.path}: ${name} is an adapter of ${port}`)),
  );
}

test('whatever makes what a port is stands in the table as its adapter', () => {
  expect(strayAdapters(files, rows)).toEqual([]);
});

test('an adapter that no row names is found, and whoever opens, decorates or chooses one is none', () => {
  const table = [{ port: 'signer/made-store.ts', adapters: ['signer/made-store-folder.ts'] }];
  const strays = (path: string, text: string): number => strayAdapters([sourceFile(path, text)], table).length;
  expect(strays('signer/a.ts', 'export function a(): MadeStore {}')).toBe(1);
  expect(strays('signer/a.ts', 'export async function a(): Promise<MadeStore> {}')).toBe(1);
  expect(strays('signer/a.ts', "export function a(): Promise<Verdict<MadeStore, 'X'>> {}")).toBe(1);
  expect(strays('signer/a.ts', 'export const a: MadeStore = {};')).toBe(1);
  expect(strays('signer/made-store-folder.ts', 'export function a(): MadeStore {}')).toBe(0);
  expect(
    strays('cli/a.ts', "import { x } from '../signer/made-store-folder.ts'; export function a(): MadeStore {}"),
  ).toBe(0);
  expect(strays('signer/a.ts', 'export function a(from: MadeStore): MadeStore {}')).toBe(0);
  expect(strays('signer/a.ts', 'export function a(): readonly MadeStore[] {}')).toBe(0);
  expect(strays('signer/a.ts', 'export function a(): Decoder<MadeStoreKind> {} function b(): MadeStore {}')).toBe(0);
  expect(strays('test/a.ts', 'export function a(): MadeStore {}')).toBe(0);
});

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
