/**
 * Which codes of the table the production code can really answer with.
 *
 * - A code counts where it stands as a value: a type that lists it, or a `case` that shows it, raises nothing.
 */
import ts from 'typescript';
import { nodesOf, type SourceFile } from './source-tree.ts';

/** Those of `codes` that no production file raises, in their order. */
export function unraisedCodes(files: readonly SourceFile[], codes: readonly string[]): readonly string[] {
  const production = files.filter(({ path }) => !/^(test|docs)\/|^formats\/codes\.ts$/.test(path));
  const raised = new Set(production.flatMap(valuesOf));
  return codes.filter((code) => !raised.has(code));
}

/** The words in capitals that stand in strings of `file` as values. */
function valuesOf({ tree }: SourceFile): readonly string[] {
  if (tree === undefined) return [];
  return nodesOf(tree).flatMap((node) => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (!isText || ts.isLiteralTypeNode(node.parent) || ts.isCaseClause(node.parent)) return [];
    return node.text.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? [];
  });
}
