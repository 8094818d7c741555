/**
 * Which codes of the table the production code can really answer with, and where.
 *
 * - A code is raised where it stands as a value. A type that lists it, a `case` or comparison that asks for it, and a list that it is
 *   looked up in raise nothing.
 * - The pilot is left out: it says which refusals it expects of the others.
 */
import ts from 'typescript';
import { lineOf, nodesOf, type Fault, type SourceFile } from './source-tree.ts';

type Group = {
  readonly heading: string;
  readonly raisedIn: readonly string[];
  readonly codes: Readonly<Record<string, unknown>>;
};
type Raised = { readonly code: string; readonly folder: string; readonly path: string; readonly line: number };

const COMPARISONS = [ts.SyntaxKind.EqualsEqualsEqualsToken, ts.SyntaxKind.ExclamationEqualsEqualsToken];

/** Those of `codes` that no production file raises, in their order. */
export function unraisedCodes(files: readonly SourceFile[], codes: readonly string[]): readonly string[] {
  const raised = new Set(raisedIn(files).map(({ code }) => code));
  return codes.filter((code) => !raised.has(code));
}

/** Codes that are raised outside of the folders of their group, and folders that raise none of their group's. */
export function strayCodeFaults(files: readonly SourceFile[], groups: readonly Group[]): readonly Fault[] {
  const raised = raisedIn(files);
  return groups.flatMap(({ heading, raisedIn: owners, codes }) => {
    const ofGroup = raised.filter(({ code }) => Object.hasOwn(codes, code));
    const strays = ofGroup.filter(({ folder }) => !owners.includes(folder));
    const idle = owners.filter((owner) => !ofGroup.some(({ folder }) => folder === owner));
    return [
      ...strays.map(({ code, folder, path, line }) => ({
        ...{ path, line },
        what: `${code} is raised in ${folder}, but belongs to "${heading}": hand the verdict on, or name the folder there`,
      })),
      ...idle.map((owner) => ({ path: owner, line: 1, what: `raises no code of "${heading}": leave it out there` })),
    ];
  });
}

function raisedIn(files: readonly SourceFile[]): readonly Raised[] {
  return files
    .filter(({ path }) => !/^(test|docs|pilot)\/|^formats\/.*codes.*\.ts$/.test(path))
    .flatMap((file) => valuesOf(file).map((raised) => ({ ...raised, path: file.path, folder: folderOf(file.path) })));
}

/** The folder that answers for `path`, as the table of imports has them. */
function folderOf(path: string): string {
  const [top = '', below = ''] = path.split('/');
  return top === 'bootloader-verifier' ? `${top}/${below}` : top;
}

/** The words in capitals that stand in strings of `file` as values. */
function valuesOf({ tree }: SourceFile): readonly Pick<Raised, 'code' | 'line'>[] {
  if (tree === undefined) return [];
  return nodesOf(tree).flatMap((node) => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (!isText || isAsked(node)) return [];
    return (node.text.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? []).map((code) => ({ code, line: lineOf(node) }));
  });
}

/** Whether `node` is only what something else is held against. */
function isAsked({ parent }: ts.Node): boolean {
  if (ts.isBinaryExpression(parent)) return COMPARISONS.includes(parent.operatorToken.kind);
  return ts.isLiteralTypeNode(parent) || ts.isCaseClause(parent) || ts.isArrayLiteralExpression(parent);
}
