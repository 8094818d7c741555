/**
 * Who imports whom, read from the syntax trees.
 *
 * - Static, type-only, re-exporting and dynamic imports with a literal all count; a dynamic one uses every name.
 * - A file may also be named by its path in a string (a launcher's target, a preloaded module): that keeps it alive, but is no import.
 */
import ts from 'typescript';
import { lineOf, nodesOf, type SourceFile } from './source-tree.ts';

export type Import = {
  readonly from: string;
  /** The names taken, or `all` for namespaces, side effects and dynamic imports. */
  readonly names: readonly string[] | 'all';
  readonly line: number;
};

/** Each tree is walked once, however many rules ask. */
const known = new WeakMap<SourceFile, readonly Import[]>();

/** Every import of `file`, in the order of the text. */
export function importsOf(file: SourceFile): readonly Import[] {
  const imports = known.get(file) ?? findImports(file);
  known.set(file, imports);
  return imports;
}

function findImports(file: SourceFile): readonly Import[] {
  if (file.tree === undefined) return [];
  return nodesOf(file.tree).flatMap((node) => {
    const found = importAt(node);
    return found === undefined ? [] : [{ ...found, line: lineOf(node) }];
  });
}

function importAt(node: ts.Node): Omit<Import, 'line'> | undefined {
  if (ts.isImportDeclaration(node))
    return { from: literal(node.moduleSpecifier), names: importedNames(node.importClause) };
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    const { exportClause } = node;
    const named = exportClause !== undefined && ts.isNamedExports(exportClause) ? exportClause.elements : undefined;
    return { from: literal(node.moduleSpecifier), names: named?.map(originalName) ?? 'all' };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return { from: literal(node.argument.literal), names: 'all' };
  const [argument] =
    ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword ? node.arguments : [];
  return argument !== undefined && ts.isStringLiteralLike(argument) ? { from: argument.text, names: 'all' } : undefined;
}

function importedNames(clause: ts.ImportClause | undefined): readonly string[] | 'all' {
  if (clause === undefined) return 'all';
  const bindings = clause.namedBindings;
  if (bindings !== undefined && ts.isNamespaceImport(bindings)) return 'all';
  return [...(clause.name === undefined ? [] : ['default']), ...(bindings?.elements ?? []).map(originalName)];
}

/** The name under which the other file exports it. */
function originalName(element: ts.ImportSpecifier | ts.ExportSpecifier): string {
  return (element.propertyName ?? element.name).text;
}

function literal(node: ts.Expression | ts.LiteralTypeNode['literal']): string {
  return ts.isStringLiteralLike(node) ? node.text : '';
}

/** The path that the relative `specifier` in the file at `path` means, or undefined for packages. */
export function resolveRelative(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('./') && !specifier.startsWith('../')) return undefined;
  const parts = path.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The name of the package that `specifier` asks for: `@noble/hashes` of `@noble/hashes/sha2.js`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

export type Closure = { readonly files: readonly SourceFile[]; readonly packages: readonly string[] };

/** `start` and every file that it imports, directly or not, with the packages and `node:` modules that they ask for. */
export function importClosure(files: readonly SourceFile[], start: readonly string[]): Closure {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set(start);
  const packages = new Set<string>();
  for (const path of reached) {
    const file = byPath.get(path);
    for (const { from } of file === undefined ? [] : importsOf(file)) {
      const target = resolveRelative(path, from);
      if (target === undefined) packages.add(packageOf(from));
      else if (byPath.has(target)) reached.add(target);
    }
  }
  return { files: files.filter(({ path }) => reached.has(path)), packages: [...packages].sort() };
}

export type Export = { readonly name: string; readonly line: number; readonly isType: boolean };

/** What `file` exports under a name of its own; re-exports are imports, and found there. */
export function exportsOf(file: SourceFile): readonly Export[] {
  return (file.tree?.statements ?? []).flatMap((statement) => {
    if (ts.isExportAssignment(statement)) return [{ name: 'default', line: lineOf(statement), isType: false }];
    if (!ts.canHaveModifiers(statement)) return [];
    const modifiers = ts.getModifiers(statement) ?? [];
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    const isType = ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement);
    return declaredNames(statement).map((name) => ({ name, line: lineOf(statement), isType }));
  });
}

function declaredNames(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
  }
  const isNamed =
    ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
  return isNamed && statement.name !== undefined ? [statement.name.text] : [];
}
