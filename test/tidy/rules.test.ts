/** Each rule of the project is seen to bite on small made-up files, and to leave good ones alone. */
import { expect, test } from 'vitest';
import { claimsOf } from './claims.ts';
import { codeFaults, shapeFaults } from './code-rules.ts';
import { deadExportFaults, deadFileFaults, importFaults, nobleFaults } from './import-rules.ts';
import { faultLine, sourceFile, type Fault, type SourceFile } from './source-tree.ts';
import { decisionFaults, dependencyFaults, textFaults } from './text-rules.ts';

const PACKAGES = { production: new Set(['express', '@noble/hashes']), development: new Set(['vitest']) };

/** Made-up files: each path with its text. */
function made(texts: Readonly<Record<string, string>>): readonly SourceFile[] {
  return Object.entries(texts).map(([path, text]) => sourceFile(path, text));
}

/** What is said about each of `faults`. */
function said(faults: readonly Fault[]): readonly string[] {
  return faults.map(faultLine);
}

/** How many faults the import rules find in one file that imports `specifier`; the targets exist. */
function importing(path: string, specifier: string): number {
  const targets = { 'signer/a.ts': '', 'formats/a.ts': '', 'bootloader-verifier/boot/a.ts': '', 'ota-server/a.ts': '' };
  return importFaults(made({ ...targets, [path]: `import { a } from '${specifier}';` }), PACKAGES).length;
}

test('an import against the direction of the table is a fault, whatever its form', () => {
  for (const text of [
    "import { a } from '../signer/a.ts';",
    "import type { A } from '../signer/a.ts';",
    "export * from '../signer/a.ts';",
    "export { a } from '../signer/a.ts';",
    "const a = await import('../signer/a.ts');",
    "type A = import('../signer/a.ts').A;",
    "import '../signer/a.ts';",
  ]) {
    const faults = importFaults(made({ 'signer/a.ts': '', 'ota-server/b.ts': text }), PACKAGES);
    expect(said(faults), text).toEqual([
      expect.stringMatching(/^ota-server\/b\.ts:1 ota-server may not import signer/),
    ]);
  }
});

test('the table holds row by row', () => {
  expect(importing('formats/b.ts', './a.ts')).toBe(0);
  expect(importing('formats/b.ts', '../bootloader-verifier/boot/a.ts')).toBe(1);
  expect(importing('bootloader-verifier/boot/b.ts', '../../formats/a.ts')).toBe(0);
  expect(importing('bootloader-verifier/boot/b.ts', '../../signer/a.ts')).toBe(1);
  expect(importing('bootloader-verifier/agent/b.ts', '../boot/a.ts')).toBe(0);
  expect(importing('bootloader-verifier/agent/b.ts', '../../signer/a.ts')).toBe(1);
  expect(importing('signer/b.ts', '../bootloader-verifier/boot/a.ts')).toBe(0);
  expect(importing('signer/b.ts', '../ota-server/a.ts')).toBe(1);
  expect(importing('simulation/b.ts', '../ota-server/a.ts')).toBe(0);
  expect(importing('cli/b.ts', '../ota-server/a.ts')).toBe(0);
});

test('a folder without a row and a file that does not exist are faults', () => {
  expect(importing('elsewhere/b.ts', '../formats/a.ts')).toBe(1);
  expect(importing('cli/b.ts', './absent.ts')).toBe(1);
});

test('portable folders import no host module, production no development package, and nobody an undeclared one', () => {
  expect(importing('formats/b.ts', '@noble/hashes/sha2.js')).toBe(0);
  expect(importing('formats/b.ts', 'node:crypto')).toBe(1);
  expect(importing('bootloader-verifier/boot/b.ts', '@noble/hashes/sha2.js')).toBe(1);
  expect(importing('bootloader-verifier/boot/b.ts', 'node:fs')).toBe(1);
  expect(importing('ota-server/b.ts', 'express')).toBe(0);
  expect(importing('ota-server/b.ts', 'vitest')).toBe(1);
  expect(importing('ota-server/b.ts', 'lodash/fp')).toBe(1);
  expect(importing('test/b.ts', 'vitest')).toBe(0);
  expect(importing('test/b.ts', '@scope/undeclared')).toBe(1);
});

test('a second file that imports the same noble binding is a fault', () => {
  const once = "import { sha256 } from '@noble/hashes/sha2.js';";
  const other = "import { sha512 } from '@noble/hashes/sha2.js';";
  expect(nobleFaults(made({ 'formats/a.ts': once, 'formats/b.ts': other, 'test/c.ts': once }))).toEqual([]);
  expect(nobleFaults(made({ 'formats/a.ts': once, 'signer/b.ts': once }))).toHaveLength(1);
  const all = "import * as ed from '@noble/ed25519';";
  expect(nobleFaults(made({ 'formats/a.ts': all, 'formats/b.ts': all }))).toHaveLength(1);
});

const DOCSTRING = '/** What it is. */\n';

function shapeOf(path: string, text: string): number {
  return shapeFaults(sourceFile(path, text)).length;
}

test('a file without a docstring, with a banned or unreadable name, is a fault', () => {
  expect(shapeOf('signer/key-store.ts', DOCSTRING)).toBe(0);
  expect(shapeOf('cli/launcher.js', `#!/usr/bin/env node\n${DOCSTRING}`)).toBe(0);
  expect(shapeOf('signer/key-store.ts', 'const a = 1;\n')).toBe(1);
  expect(shapeOf('signer/key-store.ts', `// A comment.\n${DOCSTRING}`)).toBe(1);
  for (const name of ['utils', 'helpers', 'common', 'misc', 'manager', 'service', 'index', 'keyStore', 'Key']) {
    expect(shapeOf(`signer/${name}.ts`, DOCSTRING), name).toBe(1);
  }
  expect(shapeOf('actions/build/index.ts', DOCSTRING)).toBe(0);
});

test('sizes hold at their maximum and bite one beyond', () => {
  const lines = (count: number): string => DOCSTRING + 'a();\n'.repeat(count - 1);
  for (const [path, linesMax] of [
    ['signer/a.ts', 400],
    ['test/a.ts', 600],
    ['cli/main.ts', 80],
  ] as const) {
    expect(shapeOf(path, lines(linesMax)), path).toBe(0);
    expect(shapeOf(path, lines(linesMax + 1)), path).toBe(1);
  }
});

test('a function longer than its maximum is a fault, and a group of tests is not one function', () => {
  const body = (count: number): string => '  a();\n'.repeat(count - 2);
  for (const [open, close] of [
    ['function f() {\n', '}\n'],
    ['const f = () => {\n', '};\n'],
    ['x(async () => {\n', '});\n'],
  ] as const) {
    expect(shapeOf('test/a.ts', DOCSTRING + open + body(70) + close), open).toBe(0);
    expect(shapeOf('test/a.ts', DOCSTRING + open + body(71) + close), open).toBe(1);
  }
  const tests = "  test('a', () => {\n    a();\n  });\n".repeat(30);
  expect(shapeOf('test/a.ts', `${DOCSTRING}describe('group', () => {\n${tests}});\n`)).toBe(0);
  expect(shapeOf('test/a.ts', `${DOCSTRING}export function contract() {\n${tests}}\n`)).toBe(0);
  expect(shapeOf('test/a.ts', `${DOCSTRING}test('a', () => {\n${body(200)}});\n`)).toBe(1);
});

/** What is said about `text` at `path`. */
function codeOf(path: string, text: string): readonly string[] {
  return codeFaults(sourceFile(path, text)).map(({ what }) => what);
}

test('clock, randomness, environment, console and Buffer are faults outside shells, each with its replacement', () => {
  for (const text of [
    'f(Date.now());',
    'const now = new Date();',
    'performance.now();',
    'Math.random();',
    'crypto.randomBytes(8);',
    'crypto.getRandomValues(a);',
    'f(process.env.HOME);',
    "console.log('x');",
    "Buffer.from(x, 'hex');",
    'const take = Date\n  .now;',
  ]) {
    expect(codeOf('signer/publish.ts', text), text).toEqual([expect.stringMatching(/: (take|read|write|use) /)]);
    for (const shell of [
      'signer/main.ts',
      'ota-server/artifact-store-folder.ts',
      'pilot/a.ts',
      'test/a.ts',
      'actions/a/index.ts',
    ]) {
      expect(codeOf(shell, text), `${shell} ${text}`).toEqual([]);
    }
  }
  expect(
    codeOf('signer/publish.ts', 'new Date(now); a.console; const b = { Buffer: 1 }; toString(constructor);'),
  ).toEqual([]);
});

test('JSON.parse is a fault wherever outside data could meet it, adapters included', () => {
  for (const path of ['formats/a.ts', 'signer/state-file.ts', 'ota-server/main.ts', 'cli/a.ts']) {
    expect(codeOf(path, 'JSON.parse(text);'), path).toHaveLength(1);
  }
  expect(codeOf('test/a.ts', 'JSON.parse(text);')).toEqual([]);
});

test('only a verifier marks, and nobody casts to the mark or to any', () => {
  expect(codeOf('bootloader-verifier/boot/verify-image.ts', 'markVerified(image);')).toEqual([]);
  for (const path of ['bootloader-verifier/boot/boot.ts', 'signer/publish.ts', 'test/a.ts']) {
    expect(codeOf(path, 'markVerified(image);'), path).toHaveLength(1);
    expect(codeOf(path, 'image as Verified<Image>;'), path).toHaveLength(1);
    expect(codeOf(path, 'image as any;'), path).toHaveLength(1);
  }
});

test('a test that does not run is a fault', () => {
  for (const text of [
    "test.only('a', f);",
    "it.skip('a', f);",
    "test.todo('a');",
    "describe.skipIf(x)('a', f);",
    "xit('a', f);",
    "test.each(a).only('a', f);",
  ]) {
    // prettier-ignore
    expect(codeOf('test/a.test.ts', text), text).toHaveLength(1);
  }
  expect(codeOf('test/a.test.ts', "test('a', f); list.only('x'); it.each(a)('b', f);")).toEqual([]);
});

test('a hook at the top of a module that test files share is a fault: it would run for one of them alone', () => {
  expect(codeOf('test/running.ts', 'afterEach(f);')).toEqual([expect.stringContaining('afterEach beside no test')]);
  expect(codeOf('test/running.test.ts', 'afterEach(f);')).toEqual([]);
  expect(codeOf('test/contract.ts', 'export function testAll(): void { afterEach(f); }')).toEqual([]);
});

test('work left for later, paths of a machine and addresses of registries are faults in any file', () => {
  // Put together here, so that this file does not say them itself.
  const words = ['TO', 'FIX'].map((start) => `${start}${start === 'TO' ? 'DO' : 'ME'}: later`);
  const paths = ['work', 'root', 'tmp'].map((folder) => `see '/${folder}/x'`);
  const hosts = [
    ['registry', 'npmjs', 'org'],
    ['pypi', 'org'],
  ].map((parts) => `https://${parts.join('.')}/x`);
  for (const text of [...words, ...paths, ...hosts]) {
    expect(said(textFaults(sourceFile('docs/a.md', `good\n${text}\n`))), text).toEqual([
      expect.stringMatching(/^docs\/a\.md:2 /),
    ]);
  }
  expect(textFaults(sourceFile('docs/a.md', 'metadata/root/1.json, at work, a TODOS list, tmp/x'))).toEqual([]);
});

test('a package without a line in the document of dependencies is a fault', () => {
  expect(dependencyFaults('| `express` | `@noble/hashes` | `vitest` |', PACKAGES)).toEqual([]);
  expect(dependencyFaults('| `express` | `vitest` |', PACKAGES)).toHaveLength(1);
});

test('a decision with the number of another one, a gap before it or another first line is a fault', () => {
  const first = { 'docs/adr/0001-a.md': '# 0001: A\n' };
  const faults = (more: Readonly<Record<string, string>>): number => decisionFaults(made({ ...first, ...more })).length;
  expect(faults({ 'docs/adr/0002-b.md': '# 0002: B\n', 'docs/a.md': '# A\n' })).toBe(0);
  for (const [path, text] of [
    ['docs/adr/0001-b.md', '# 0001: B\n'],
    ['docs/adr/0003-b.md', '# 0003: B\n'],
    ['docs/adr/0002-b.md', '# 0002. B\n'],
  ] as const) {
    expect(faults({ [path]: text }), path).toBe(1);
  }
});

test('a file that no entry reaches is dead, and one that is imported or named by its path is not', () => {
  const files = made({
    'package.json': '{ "scripts": { "start": "node cli/main.ts" } }',
    'cli/main.ts': "import './used.ts'; run(`versions/${name}.ts`); new URL('./preload.js', import.meta.url);",
    'cli/used.ts': '',
    'cli/preload.js': '',
    'cli/versions/1.0.0.ts': '',
    'cli/dead.ts': "import './dead-too.ts';",
    'cli/dead-too.ts': '',
    'test/a.test.ts': '',
    'actions/a/index.ts': '',
    'docs/a.md': 'cli/dead.ts',
  });
  expect(deadFileFaults(files).map(({ path }) => path)).toEqual(['cli/dead.ts', 'cli/dead-too.ts']);
});

test('an export that no other file imports is dead, and a type may stay for those who name it', () => {
  const deadIn = (text: string, importer: string): readonly string[] =>
    deadExportFaults(made({ 'formats/a.ts': text, 'formats/b.ts': importer })).map(
      ({ what }) => /imports (\w+)/.exec(what)?.[1] ?? '',
    );
  const text = 'export const a = 1; export function b(): C { return a; } export type C = 1; export type D = 2;';
  expect(deadIn(text, '')).toEqual(['a', 'b', 'D']);
  expect(deadIn(text, "import { a, b, type D } from './a.ts';")).toEqual([]);
  expect(deadIn(text, "import { b as a } from './a.ts'; import type { D } from './a.ts';")).toEqual(['a']);
  expect(deadIn(text, "import * as all from './a.ts';")).toEqual([]);
  expect(deadIn(text, "const { a } = await import('./a.ts');")).toEqual([]);
  expect(deadIn(text, "export { a } from './a.ts';")).toEqual(['b', 'D']);
  expect(deadIn('export default {};', '')).toEqual(['default']);
  expect(deadExportFaults(made({ 'vitest.config.ts': 'export default {};' }))).toEqual([]);
});

const SOUND = {
  'formats/a.ts': "import { sha256 } from '@noble/hashes/sha2.js';\n",
  'bootloader-verifier/boot/verify-release.ts': "import '../../formats/a.ts';\n",
  'ota-server/data-plane.ts': "import '../formats/a.ts'; verify(x);\n",
  'signer/publish.ts': 'export function publish(p: Verified<Publication>) { store.put(p); }\n',
  'signer/verify-publication.ts':
    "import '../bootloader-verifier/boot/verify-release.ts'; function f(): Verified<Publication> { return markVerified(p); }\n",
};

/** For each of the three claims whether it holds once `changes` are made to sound files. */
function claimsWith(changes: Readonly<Record<string, string>>): readonly boolean[] {
  return claimsOf(made({ ...SOUND, ...changes })).map(({ holds }) => holds);
}

test('the claim about keys breaks when the server can sign, reach the signer or start a program', () => {
  expect(claimsWith({})).toEqual([true, true, true]);
  const broken = [
    "import '../signer/publish.ts';",
    'crypto.sign(undefined, message, key);',
    'sign(message);',
    'createPrivateKey(pem);',
    "import { spawn } from 'node:child_process';",
    "import { SignJWT } from 'jose';",
    "import * as jose from 'jose';",
    "createHmac('sha256', key);",
  ];
  for (const text of broken)
    expect(claimsWith({ 'ota-server/data-plane.ts': text }), text).toEqual([false, true, true]);
  const indirect = { 'ota-server/data-plane.ts': "import './deep.ts';", 'ota-server/deep.ts': 'keys.sign(x);' };
  expect(claimsWith(indirect)).toEqual([false, true, true]);
});

test('the claim about keys lists those that the server does hold', () => {
  const because = (changes: Readonly<Record<string, string>>) => claimsOf(made({ ...SOUND, ...changes }))[0]?.because;
  expect(because({})).toMatch(/its own keys: none$/);
  const listed = {
    'ota-server/upload-permission.ts': "createHmac('sha256', key); import { compactVerify } from 'jose';",
  };
  expect(because(listed)).toMatch(/its own keys: a key of the process for the addresses of uploads$/);
});

test('the claim about the boot verifier breaks when it reaches anything but formats and the noble packages', () => {
  expect(claimsWith({ 'formats/a.ts': "import 'node:fs';" })[1]).toBe(false);
  expect(claimsOf(made(SOUND))[1]?.claim).toBe('the boot verifier is 2 files and @noble/hashes');
});

test('the claim about publishing breaks without the mark, where another way makes it, and where another way writes', () => {
  const unmarked = 'export function publish(p: Publication) {}';
  const blind = 'function f(): Verified<Publication> { return markVerified(p); }';
  const broken: readonly Readonly<Record<string, string>>[] = [
    { 'signer/publish.ts': unmarked },
    { 'signer/publish.ts': '' },
    { 'signer/verify-publication.ts': '' },
    { 'signer/verify-publication.ts': blind },
    { 'signer/verify-quickly.ts': blind },
    { 'cli/publish.ts': 'store.put(name, bytes);' },
  ];
  for (const changes of broken) expect(claimsWith(changes), JSON.stringify(changes)).toEqual([true, true, false]);
  expect(claimsOf(made({ 'formats/a.ts': '' }))[2]?.holds).toBe(false);
});
