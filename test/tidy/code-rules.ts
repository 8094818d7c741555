/**
 * Rules about the text of a single file: sizes, names, and calls that have a better place. Each fault names the replacement.
 *
 * - Clock, randomness, environment and console exist only in shells: `main.ts` files, adapters, the index of an action, the pilot,
 *   tests, launchers and the tools' configuration. An adapter is named after its port and its technology: `artifact-store-folder.ts`.
 * - Only `verify-*.ts` marks a value as verified.
 */
import ts from 'typescript';
import { baseName, lineOf, nodesOf, type Fault, type SourceFile } from './source-tree.ts';

const FILE_LINES_MAX = 400;
const TEST_LINES_MAX = 600;
const MAIN_LINES_MAX = 80;
const FUNCTION_LINES_MAX = 70;
const BANNED_NAMES = ['utils', 'helpers', 'common', 'misc', 'manager', 'service', 'index'];
const NAME = /^([a-z0-9]+(-[a-z0-9]+)*(\.test|\.config)?|\d+\.\d+\.\d+)\.(ts|js|mjs)$/;
const ADAPTER = /-(files?|folder|node|system|http|process|minio|pkcs11|tpm|pglite|postgres)\.ts$/;

/** Whether `path` may touch the world: clock, randomness, environment, console, `Buffer`. */
function isShell(path: string): boolean {
  const name = baseName(path);
  const isEntry = name === 'main.ts' || /^actions\/[^/]+\/index\.ts$/.test(path) || /\.config\.ts$/.test(name);
  return isEntry || path.endsWith('.js') || path.startsWith('pilot/') || path.startsWith('test/') || ADAPTER.test(path);
}

type Ban = { readonly on: (path: string) => boolean; readonly say: string };
const outsideShells = (path: string): boolean => !isShell(path);
const inProduction = (path: string): boolean => !/^(test|pilot)\/|\.js$/.test(path);

const BANNED_EXPRESSIONS: ReadonlyMap<string, Ban> = new Map([
  ['Date.now', { on: outsideShells, say: 'Date.now: take `now: Instant` as an argument' }],
  ['performance.now', { on: outsideShells, say: 'performance.now: take `now: Instant` as an argument' }],
  ['Math.random', { on: outsideShells, say: 'Math.random: take randomness as a parameter' }],
  ['process.env', { on: outsideShells, say: 'process.env: read it in main.ts and hand the value on' }],
  ['JSON.parse', { on: inProduction, say: 'JSON.parse: use formats/json, which refuses what parsers disagree about' }],
]);
const BANNED_IDENTIFIERS: ReadonlyMap<string, Ban> = new Map([
  ['Buffer', { on: outsideShells, say: 'Buffer: use Uint8Array and formats/bytes; Buffer stays inside adapters' }],
  ['console', { on: outsideShells, say: 'console: write in main.ts, or take a log as a parameter' }],
  ['markVerified', { on: outsideVerifiers, say: 'markVerified: only verify-*.ts marks what it has checked' }],
  ['randomBytes', { on: outsideShells, say: 'randomBytes: take randomness as a parameter' }],
  ['randomUUID', { on: outsideShells, say: 'randomUUID: take randomness as a parameter' }],
  ['getRandomValues', { on: outsideShells, say: 'getRandomValues: take randomness as a parameter' }],
]);

function outsideVerifiers(path: string): boolean {
  return path !== 'formats/verdict.ts' && !/^verify-.*\.ts$/.test(baseName(path));
}

/** Names, sizes and the docstring of a source file. */
export function shapeFaults(file: SourceFile): readonly Fault[] {
  if (file.tree === undefined) return [];
  const { path, text, tree } = file;
  const name = baseName(path);
  const stem = name.replace(/\..*$/, '');
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  const linesMax = name === 'main.ts' ? MAIN_LINES_MAX : path.startsWith('test/') ? TEST_LINES_MAX : FILE_LINES_MAX;
  const faults: string[] = [];
  if (BANNED_NAMES.includes(stem) && !path.startsWith('actions/'))
    faults.push(`${stem} names no concept: name what it holds`);
  if (!NAME.test(name)) faults.push('a file name is kebab-case, or a version');
  if (!/^(#!.*\n)?\/\*\*/.test(text))
    faults.push('a file opens with a docstring: what it is, its invariants, its standard');
  if (lines > linesMax) faults.push(`${lines} lines, at most ${linesMax}: split it by concept`);
  return [
    ...faults.map((what) => ({ path, line: 1, what })),
    ...nodesOf(tree).flatMap((node) => longFunction(path, node)),
  ];
}

function longFunction(path: string, node: ts.Node): readonly Fault[] {
  if (!ts.isFunctionLike(node) || isTestGroup(node)) return [];
  const tree = node.getSourceFile();
  const line = lineOf(node);
  const lines = tree.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - line;
  return lines <= FUNCTION_LINES_MAX
    ? []
    : [{ path, line, what: `a function of ${lines} lines, at most ${FUNCTION_LINES_MAX}: split it` }];
}

/** The body of a `describe`, or of a contract that adapters share, groups tests; each of them is measured by itself. */
function isTestGroup(node: ts.SignatureDeclaration): boolean {
  const body = 'body' in node ? node.body : undefined;
  if (body === undefined || !ts.isBlock(body)) return false;
  return body.statements.some((statement) => /^(test|it|describe)(\.\w+)*\(/.test(statement.getText()));
}

/** Calls, casts and test modifiers that have a better way. */
export function codeFaults(file: SourceFile): readonly Fault[] {
  if (file.tree === undefined) return [];
  const { path } = file;
  return nodesOf(file.tree).flatMap((node) => {
    const what =
      bannedExpression(path, node) ?? bannedCast(path, node) ?? unfinishedTest(path, node) ?? lostHook(path, node);
    return what === undefined ? [] : [{ path, line: lineOf(node), what }];
  });
}

function bannedExpression(path: string, node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments ?? []).length === 0) {
    return outsideShells(path) ? 'new Date(): take `now: Instant` as an argument' : undefined;
  }
  const ban = ts.isPropertyAccessExpression(node)
    ? BANNED_EXPRESSIONS.get(node.getText().replace(/\s/g, ''))
    : ts.isIdentifier(node) && !isMemberName(node)
      ? BANNED_IDENTIFIERS.get(node.text)
      : undefined;
  return ban?.on(path) === true ? ban.say : undefined;
}

/** `console` in `{ console: 1 }` or `a.console` is a name of somebody else's; `randomBytes` in `crypto.randomBytes` is not. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) return parent.name === node;
  return ts.isPropertyAccessExpression(parent) && parent.name === node && !/^(random|getRandom)/.test(node.text);
}

function bannedCast(path: string, node: ts.Node): string | undefined {
  if (!ts.isAsExpression(node)) return undefined;
  if (node.type.kind === ts.SyntaxKind.AnyKeyword) return 'as any: parse the value with formats/decode';
  const isMark = ts.isTypeReferenceNode(node.type) && node.type.typeName.getText() === 'Verified';
  return isMark && path !== 'formats/verdict.ts' ? 'as Verified: only a verifier makes one' : undefined;
}

const UNFINISHED = /^(x?it|x?test|x?describe|suite)\.(.+\.)?(only|skip|todo|skipIf|runIf|fails)$/;

const HOOK = /^(before|after)(Each|All)$/;

/** Test files share the modules that they load: a hook at the top of such a module is one of the first test file alone. */
function lostHook(path: string, node: ts.Node): string | undefined {
  if (!path.startsWith('test/') || path.endsWith('.test.ts') || !ts.isCallExpression(node)) return undefined;
  const isAtTop = ts.isExpressionStatement(node.parent) && ts.isSourceFile(node.parent.parent);
  const hook = node.expression.getText();
  return isAtTop && HOOK.test(hook)
    ? `${hook} beside no test: use onTestFinished, or call it in a function`
    : undefined;
}

/** A test that does not run proves nothing. */
function unfinishedTest(path: string, node: ts.Node): string | undefined {
  if (!path.startsWith('test/')) return undefined;
  if (ts.isPropertyAccessExpression(node) && UNFINISHED.test(node.getText()))
    return `${node.getText()}: run it or remove it`;
  const isDisabled = ts.isCallExpression(node) && /^(xit|xtest|xdescribe|fit)$/.test(node.expression.getText());
  return isDisabled ? 'a disabled test: run it or remove it' : undefined;
}
