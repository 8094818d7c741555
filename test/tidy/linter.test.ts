/**
 * The linter is seen to bite: each of its rules, and each of the compiler's demands, on a line that breaks it.
 *
 * - The rules are those of `.oxlintrc.json`, and the demands those of `tsconfig.json`: both are read where they stand.
 * - A line that is in order stays without a word.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT } from '../results.ts';
import { temporaryFolder } from '../temporary-folder.ts';

type Report = {
  readonly diagnostics: readonly {
    readonly code: string;
    readonly filename: string;
    readonly labels: readonly { readonly span: { readonly line: number } }[];
  }[];
};
type Rules = Readonly<Record<string, unknown>>;
type Configuration = { readonly rules: Rules; readonly overrides: readonly { readonly rules: Rules }[] };

/** What the seeds stand on; in order itself. */
const GROUND = [
  'declare const anything: any; // no-explicit-any',
  'declare function work(): Promise<number>;',
  'declare const list: readonly string[];',
  'declare const record: Record<string, string>;',
  'declare const maybe: string | undefined;',
  'declare const count: number;',
  'declare const text: string;',
  "declare const letter: 'a' | 'b';",
  'export type Part = { readonly x?: string };',
  'class Base { a(): number { return count; } }',
];
/** Lines that break one rule each, which the comment names: of the linter by its name, of the compiler by its number. */
const SEEDS = [
  'export function floats(): void { work(); } // no-floating-promises',
  'export function misuses(): number { return work() ? 1 : 2; } // no-misused-promises',
  'export const misusesToo: () => void = async () => void (await work()); // no-misused-promises',
  'export async function awaits(): Promise<number> { return await count; } // await-thenable',
  "export function forgets(): void { switch (letter) { case 'a': break; } } // switch-exhaustiveness-check",
  'export function noDefault(): void { switch (count) { case 1: break; } } // switch-exhaustiveness-check',
  'export function ofText(): number { return text ? 1 : 2; } // strict-boolean-expressions',
  'export function ofNumber(): number { return count ? 1 : 2; } // strict-boolean-expressions',
  'export function ofMaybe(): number { return maybe ? 1 : 2; } // strict-boolean-expressions',
  'export function passes(): number { return Math.abs(anything); } // no-unsafe-argument',
  'export function assigns(): void { const a = anything; void a; } // no-unsafe-assignment',
  'export function calls(): void { anything(); } // no-unsafe-call',
  'export function reaches(): void { void anything.b; } // no-unsafe-member-access',
  'export function hands(): number { return anything; } // no-unsafe-return',
  "export function throws(): never { throw 'a'; } // only-throw-error",
  'export function insists(): number { return maybe!.length; } // no-non-null-assertion',
  "import { type Other, other } from './other.ts';",
  "import { Type } from './other.ts'; // consistent-type-imports",
  'export const used: [Other, Type, number] = [1, 1, other];',
  'export interface Face { readonly a: number } // consistent-type-definitions',
  'export function four(a: number, b: number, c: number, d: number): number { return a + b + c + d; } // max-params',
  'export function equals(): boolean { return count == 1; } // eqeqeq',
  'export function old(): number { var a = count; return a; } // no-var',
  'export function fixed(): number { let a = count; return a; } // prefer-const',
  'export function casts(): unknown { return text as unknown; } // consistent-type-assertions',
  'export const first: string = list[0]; // TS2322 noUncheckedIndexedAccess',
  'export const absent: Part = { x: undefined }; // TS2375 exactOptionalPropertyTypes',
  'export const named: string | undefined = record.foo; // TS4111 noPropertyAccessFromIndexSignature',
  'export const inferred = list.map((a) => a); // TS9010 isolatedDeclarations',
  'export enum Enum { A } // TS1294 erasableSyntaxOnly',
  'export function returns(a: number): number | undefined { if (a > 1) return 1; } // TS7030 noImplicitReturns',
  'export function falls(a: number): void { switch (a) { case 1: void a; default: break; } } // TS7029 noFallthroughCasesInSwitch',
  'export class Derived extends Base { a(): number { return 1; } } // TS4114 noImplicitOverride',
  'function unused(): void {} // TS6133 noUnusedLocals',
  'export function parameter(a: string): void {} // TS6133 noUnusedParameters',
  'export function late(): void { return; void count; } // TS7027 allowUnreachableCode',
  'export function label(): void { a: for (;;) break; } // TS7028 allowUnusedLabels',
  "import './absent.ts'; // TS2882 noUncheckedSideEffectImports",
  "export type { Kind } from './other.ts';",
  "export { Kind as Again } from './other.ts'; // TS1205 verbatimModuleSyntax",
  'export function implicit(a): number { return count; } // TS7006 strict',
];
/** Options that say what the code is written in; all others demand something of it. */
const SETTINGS = new Set([
  ...['target', 'lib', 'types', 'module', 'moduleDetection', 'noEmit', 'allowImportingTsExtensions'],
  ...['isolatedModules', 'declaration', 'skipLibCheck'],
]);
const OTHER =
  'export type Other = number;\nexport type Type = number;\nexport type Kind = number;\nexport const other = 1;\n';

const lines = [...GROUND, ...SEEDS];

/** What the comment of a line says that is found there, or undefined where nothing is. */
function expectedAt(line: string): string | undefined {
  return / \/\/ (\S+)/.exec(line)?.[1];
}

/** The codes that the linter says of each of `lines`, by their number from 1. */
async function lint(): Promise<ReadonlyMap<number, readonly string[]>> {
  const folder = temporaryFolder('linter');
  const files = {
    'tsconfig.json': JSON.stringify({
      ...{ extends: join(PROJECT, 'tsconfig.json'), include: ['**/*.ts'], exclude: [] },
      compilerOptions: { types: [] },
    }),
    'package.json': '{ "type": "module" }',
    'signer/seeds.ts': `${lines.join('\n')}\n`,
    'signer/other.ts': OTHER,
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  await copyFile(join(PROJECT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  const args = [
    join(PROJECT, 'node_modules/oxlint/bin/oxlint'),
    '-f',
    'json',
    '-c',
    join(folder, '.oxlintrc.json'),
    folder,
  ];
  const { stdout, exit } = await run(args);
  expect(exit, stdout).toBe(1);
  const found = new Map<number, readonly string[]>();
  for (const { code, labels } of (JSON.parse(stdout) as Report).diagnostics) {
    const line = labels[0]?.span.line ?? 0;
    found.set(line, [...(found.get(line) ?? []), /\((.*)\)/.exec(code)?.[1] ?? code]);
  }
  return found;
}

function run(args: readonly string[]): Promise<{ readonly stdout: string; readonly exit: number | null }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd: PROJECT }, (_, stdout) =>
      resolve({ stdout, exit: child.exitCode }),
    );
  });
}

test('each line that breaks a rule is found by the code of that rule, and lines in order are not', async () => {
  const said = await lint();
  const found = lines.map((line, index) => {
    const here = said.get(index + 1) ?? [];
    const expected = expectedAt(line);
    return [line, expected === undefined ? here : here.includes(expected) ? expected : here];
  });
  expect(found).toEqual(lines.map((line) => [line, expectedAt(line) ?? []]));
});

test('no rule of the linter is without a line that breaks it', async () => {
  const text = await readFile(join(PROJECT, '.oxlintrc.json'), 'utf8');
  const { rules, overrides } = JSON.parse(text.replace(/^ *\/\/.*$/gm, '')) as Configuration;
  const names = [rules, ...overrides.map((entry) => entry.rules)].flatMap((entry) => Object.keys(entry));
  const seeded = new Set(lines.map(expectedAt));
  expect(names.map((name) => name.split('/').at(-1)).filter((name) => !seeded.has(name))).toEqual([]);
});

test('no demand on the compiler is without a line that breaks it', async () => {
  const text = await readFile(join(PROJECT, 'tsconfig.json'), 'utf8');
  const { compilerOptions } = JSON.parse(text) as { readonly compilerOptions: Rules };
  const seeded = new Set(lines.map((line) => / \/\/ TS\d+ (\S+)/.exec(line)?.[1]));
  const demands = Object.keys(compilerOptions).filter((name) => !SETTINGS.has(name));
  expect(demands.filter((name) => !seeded.has(name))).toEqual([]);
});
