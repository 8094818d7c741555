/**
 * The import table of the project, and the rules that follow from who imports whom.
 *
 * - Imports go one way only; a folder without a row is a fault.
 * - Production code uses what `dependencies` of package.json names; tests and the tools' configuration also `devDependencies`.
 * - `formats/` and the boot verifier run on any JavaScript engine: no `node:` module, and of packages only the noble ones.
 * - Each binding of a noble package is imported in one file, so that the strict setting is written once.
 * - No file and no export is dead.
 */
import { exportsOf, importsOf, packageOf, resolveRelative, type Import } from './imports.ts';
import { baseName, nodesOf, type Fault, type SourceFile } from './source-tree.ts';
import ts from 'typescript';

const BOOT = 'bootloader-verifier/boot';
const ALL = ['formats', 'policies', BOOT, 'bootloader-verifier/agent', 'signer', 'ota-server', 'actions', 'simulation'];
const EVERYTHING = [...ALL, 'cli', 'pilot', 'test'];

/** Which other folders the files of a folder may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  formats: [],
  policies: ['formats'],
  [BOOT]: ['formats'],
  'bootloader-verifier/agent': [BOOT, 'formats'],
  signer: ['formats', 'policies', BOOT],
  'ota-server': ['formats', 'policies', BOOT],
  actions: ['signer', BOOT, 'formats', 'policies'],
  simulation: ALL,
  cli: EVERYTHING,
  pilot: EVERYTHING,
  test: EVERYTHING,
};
const PORTABLE = ['formats', BOOT];

/** The packages of package.json, by the list they stand in. */
export type Packages = { readonly production: ReadonlySet<string>; readonly development: ReadonlySet<string> };

/** The row of the table that `path` belongs to, or undefined; files at the top belong to none. */
function folderOf(path: string): string | undefined {
  return Object.keys(MAY_IMPORT).find((folder) => path.startsWith(`${folder}/`));
}

/** Every import that the table does not allow. */
export function importFaults(files: readonly SourceFile[], packages: Packages): readonly Fault[] {
  const paths = new Set(files.map(({ path }) => path));
  return files.flatMap((file) => {
    const folder = folderOf(file.path);
    if (file.tree !== undefined && file.path.includes('/') && folder === undefined) {
      return [
        { path: file.path, line: 1, what: 'this folder has no row in the import table of test/tidy/import-rules.ts' },
      ];
    }
    return importsOf(file).flatMap((entry) => {
      const target = resolveRelative(file.path, entry.from);
      const what =
        target === undefined
          ? packageFault(folder, entry.from, packages)
          : folderFault(folder, target, paths.has(target));
      return what === undefined ? [] : [{ path: file.path, line: entry.line, what }];
    });
  });
}

function folderFault(folder: string | undefined, target: string, exists: boolean): string | undefined {
  if (!exists) return `${target} does not exist`;
  const other = folderOf(target);
  if (folder === undefined || other === folder) return undefined;
  const allowed = other !== undefined && (MAY_IMPORT[folder] ?? []).includes(other);
  return allowed ? undefined : `${folder} may not import ${target}: imports go one way only`;
}

function packageFault(folder: string | undefined, specifier: string, packages: Packages): string | undefined {
  const name = packageOf(specifier);
  const isBuiltin = specifier.startsWith('node:');
  if (folder !== undefined && PORTABLE.includes(folder)) {
    if (folder === 'formats' && name.startsWith('@noble/')) return undefined;
    return `${folder} runs on any JavaScript engine and may not import ${specifier}: take it as a port`;
  }
  if (isBuiltin || packages.production.has(name)) return undefined;
  const isTest = folder === undefined || folder === 'test';
  if (!packages.development.has(name)) return `${name} stands in no list of package.json`;
  return isTest ? undefined : `${name} is a development dependency and absent in production`;
}

/** Bindings of noble packages that production code imports in more than one file. */
export function nobleFaults(files: readonly SourceFile[]): readonly Fault[] {
  const owners = new Map<string, string>();
  const uses = files
    .filter(({ path }) => !path.startsWith('test/'))
    .flatMap((file) => importsOf(file).map((entry) => ({ path: file.path, entry })));
  return uses.flatMap(({ path, entry }) => {
    if (!entry.from.startsWith('@noble/')) return [];
    return namesTaken(entry).flatMap((name) => {
      const binding = `${name} of ${entry.from}`;
      const owner = owners.get(binding) ?? path;
      owners.set(binding, owner);
      return owner === path
        ? []
        : [{ path, line: entry.line, what: `${binding} is imported by ${owner} alone: call that` }];
    });
  });
}

function namesTaken(entry: Import): readonly string[] {
  return entry.names === 'all' ? ['everything'] : entry.names;
}

/** A path in a text; a star stands for what a template fills in. Tried where a name starts, so that a long text is read once. */
const PATH_IN_TEXT = /(?<![\w@.*-])[\w@.*-]+(?:\/[\w@.*-]+)*\.(?:ts|js|mjs)\b/g;

/** Files that no entry reaches: neither by imports, nor named by their path in a reached file, a script or a workflow. */
export function deadFileFaults(files: readonly SourceFile[]): readonly Fault[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set(files.filter(isEntry).map(({ path }) => path));
  for (const path of reached) {
    const file = byPath.get(path);
    for (const named of file === undefined ? [] : pathsNamedBy(file)) {
      for (const target of matching(named, byPath)) reached.add(target);
    }
  }
  return files
    .filter(({ path, tree }) => tree !== undefined && !reached.has(path))
    .map(({ path }) => ({ path, line: 1, what: 'no entry reaches this file: use it or remove it' }));
}

/** Where execution starts: tests, tools' configuration, actions, build scripts, and files that are no source but may name some. */
function isEntry({ path, tree }: SourceFile): boolean {
  if (tree === undefined) return !path.endsWith('.md') && path !== 'package-lock.json';
  return /\.test\.ts$|^[^/]+\.config\.(ts|js)$|^actions\/[^/]+\/index\.ts$|^pilot\/[^/]+\/build\.ts$/.test(path);
}

/** The paths that `file` imports or names, from its own folder or from the top. */
function pathsNamedBy(file: SourceFile): readonly string[] {
  const texts = file.tree === undefined ? [file.text] : nodesOf(file.tree).flatMap(textAt);
  return texts.flatMap((text) =>
    (text.match(PATH_IN_TEXT) ?? []).flatMap((named) => {
      const relative = resolveRelative(file.path, /^\.\.?\//.test(named) ? named : `./${named}`);
      return relative === undefined ? [named] : [relative, named];
    }),
  );
}

function textAt(node: ts.Node): readonly string[] {
  if (ts.isTemplateExpression(node))
    return [[node.head, ...node.templateSpans.map(({ literal }) => literal)].map(({ text }) => text).join('*')];
  return ts.isStringLiteralLike(node) ? [node.text] : [];
}

function escaped(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
}

/** The files that `named` means; a star is any name within one folder. */
function matching(named: string, files: ReadonlyMap<string, SourceFile>): readonly string[] {
  if (!named.includes('*')) return files.has(named) ? [named] : [];
  const pattern = new RegExp(`^${named.split('*').map(escaped).join('[^/]+')}$`);
  return [...files.keys()].filter((path) => pattern.test(path));
}

/** Exports that no other file imports; a type that its own file uses may stay exported. */
export function deadExportFaults(files: readonly SourceFile[]): readonly Fault[] {
  const used = new Map<string, Set<string> | 'all'>();
  for (const file of files) {
    for (const entry of importsOf(file)) {
      const target = resolveRelative(file.path, entry.from);
      if (target === undefined) continue;
      const names = used.get(target) ?? new Set<string>();
      used.set(target, entry.names === 'all' || names === 'all' ? 'all' : new Set([...names, ...entry.names]));
    }
  }
  return files.flatMap((file) => {
    const names = used.get(file.path) ?? new Set<string>();
    if (names === 'all') return [];
    return exportsOf(file)
      .filter(
        ({ name, isType }) => !names.has(name) && !isConfiguration(file, name) && !(isType && usesItself(file, name)),
      )
      .map(({ name, line }) => ({
        path: file.path,
        line,
        what: `no other file imports ${name}: drop the export, or all of it`,
      }));
  });
}

/** A tool's configuration is read by the tool. */
function isConfiguration(file: SourceFile, name: string): boolean {
  return name === 'default' && /\.config\.(ts|js)$/.test(baseName(file.path));
}

function usesItself(file: SourceFile, name: string): boolean {
  const identifiers = file.tree === undefined ? [] : nodesOf(file.tree).filter(ts.isIdentifier);
  return identifiers.filter(({ text }) => text === name).length > 1;
}
