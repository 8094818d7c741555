/**
 * The files of the project as data, so that every rule is a function that small made-up files can show to bite.
 *
 * - Paths are relative to the project and use slashes; what git ignores is left out.
 * - Source files (`.ts`, `.js`) carry their syntax tree; of other files only the text is known.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export type SourceFile = { readonly path: string; readonly text: string; readonly tree: ts.SourceFile | undefined };

/** A breach of a rule, where it stands and what to do instead. */
export type Fault = { readonly path: string; readonly line: number; readonly what: string };

const IGNORED_ANYWHERE = new Set(['node_modules', '.git']);
const IGNORED_AT_TOP = new Set(['build', '.run']);
/** What is made from sources, and held equal to them by a test. */
const GENERATED = /^actions\/[^/]+\/dist$/;
const TEXT_BYTES_MAX = 2_000_000;

/** A file with its syntax tree, if it is source. */
export function sourceFile(path: string, text: string): SourceFile {
  const isSource = /\.(ts|js|mjs)$/.test(path);
  return { path, text, tree: isSource ? ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) : undefined };
}

const trees = new Map<string, readonly SourceFile[]>();

/** All text files below `root`, in the order of their paths; vectors and other binary files are left out. Read once a process. */
export function readTree(root: string): readonly SourceFile[] {
  const files = trees.get(root) ?? readFiles(root);
  trees.set(root, files);
  return files;
}

function readFiles(root: string): readonly SourceFile[] {
  return listFiles(root, '').flatMap((path) => {
    const bytes = readFileSync(join(root, path));
    return bytes.length > TEXT_BYTES_MAX || bytes.includes(0) ? [] : [sourceFile(path, bytes.toString('utf8'))];
  });
}

function listFiles(root: string, folder: string): readonly string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const ignored = IGNORED_ANYWHERE.has(entry.name) || (folder === '' && IGNORED_AT_TOP.has(entry.name));
      if (ignored || entry.name.endsWith('.log')) return [];
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (GENERATED.test(path)) return [];
      return entry.isDirectory() ? listFiles(root, path) : entry.isFile() ? [path] : [];
    });
}

const known = new WeakMap<ts.Node, readonly ts.Node[]>();

/** Every node of `tree`, parents before children; listed once. */
export function nodesOf(tree: ts.Node): readonly ts.Node[] {
  const nodes = known.get(tree) ?? listNodes(tree);
  known.set(tree, nodes);
  return nodes;
}

function listNodes(tree: ts.Node): readonly ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return nodes;
}

/** The line, from 1, on which `node` starts. */
export function lineOf(node: ts.Node): number {
  const tree = node.getSourceFile();
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
}

/** The name of the file without its folders. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A fault as one line that editors and terminals can open. */
export function faultLine(fault: Fault): string {
  return `${fault.path}:${fault.line} ${fault.what}`;
}
