/** The build, run for real on the pilot's firmware and on copies of it in which something was planted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { OUTPUT_TAIL_BYTES } from '../../actions/build/build-process.ts';
import { buildTwice, OUTPUT_BYTES_MAX, type Build, type BuildOptions } from '../../actions/build/run.ts';
import type { Difference } from '../../actions/build/differences.ts';
import { digestSource } from '../../actions/build/source-digest.ts';
import { nothingShared } from '../../formats/build-run.ts';
import { sha256Hex } from '../../formats/sha256.ts';

vi.setConfig({ testTimeout: 240_000 });

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const FIRMWARE = join(PROJECT, 'pilot/firmware');
let base = '';

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'build-test-'));
});
afterAll(() => {
  rmSync(base, { recursive: true, force: true });
});

function options(changes: Partial<BuildOptions> = {}): BuildOptions {
  return {
    source: FIRMWARE,
    command: ['node', 'build.ts', '2.0.0'],
    output: 'dist/gateway.js',
    work: join(base, 'work'),
    env: process.env,
    envAllowed: [],
    timeLimitMs: 50_000,
    clock: Date.now,
    ...changes,
  };
}

/** A folder with the given files; what they import is found as in this project. */
async function sourceWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = mkdtempSync(join(base, 'source-'));
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

/** A source whose build writes what `expressions` evaluate to, one a line, in Node. */
async function buildWriting(...expressions: readonly string[]): Promise<string> {
  const imports = `import os, { hostname } from 'node:os'; import { execFileSync } from 'node:child_process'; import fs, { readdirSync } from 'node:fs'; import { randomUUID } from 'node:crypto';`;
  const body = `fs.mkdirSync('dist'); fs.writeFileSync('dist/out.txt', [${expressions.join(', ')}].join('\\n'));`;
  return sourceWith({ 'build.mjs': `${imports}\n${body}\n` });
}

async function built(changes: Partial<BuildOptions> = {}): Promise<Build> {
  const result = await buildTwice(options(changes));
  if (!result.ok) throw new Error(`${result.code}: ${result.detail} ${'output' in result ? result.output : ''}`);
  return result.value;
}

async function differencesOf(...expressions: readonly string[]): Promise<readonly Difference[]> {
  const source = await buildWriting(...expressions);
  const result = await buildTwice(options({ source, command: ['node', 'build.mjs'], output: 'dist/out.txt' }));
  expect(result).toMatchObject({ ok: false, code: 'BUILD_NOT_REPRODUCIBLE' });
  return 'report' in result ? result.report.differences : [];
}

describe('a reproducible source', () => {
  test('comes out the same in two surroundings that have nothing in common', async () => {
    const build = await built();
    expect(build.sha256).toBe(sha256Hex(build.image));
    const [first, second, ...more] = build.runs;
    expect(more).toEqual([]);
    expect([first?.sha256, second?.sha256]).toEqual([build.sha256, build.sha256]);
    if (first === undefined || second === undefined) throw new Error('two runs are recorded');
    expect(nothingShared(first.surroundings, second.surroundings)).toBe(true);
  });

  test('gives the same image from another folder and on another day, with another digest for another version', async () => {
    const here = await built();
    const elsewhere = join(await sourceWith({}), 'somewhere-else');
    await cp(FIRMWARE, elsewhere, { recursive: true });
    const again = await built({ source: elsewhere, clock: () => Date.now() + 86_400_000 });
    expect(again.sha256).toBe(here.sha256);
    expect((await built({ command: ['node', 'build.ts', '4.0.0'] })).sha256).not.toBe(here.sha256);
  });

  test('is digested as it was built, by a digest that find, sort and sha256sum give too', async () => {
    const source = await sourceWith({ 'b.txt': 'two', 'a.txt': 'one', 'build.mjs': '' });
    await mkdir(join(source, 'dist'));
    await writeFile(join(source, 'dist/out.txt'), 'left over');
    const lines = [
      ['a.txt', 'one'],
      ['b.txt', 'two'],
      ['build.mjs', ''],
    ].map(([name = '', content = '']) => `${sha256Hex(new TextEncoder().encode(content))}  ${name}\n`);
    const digest = await digestSource(source, 'dist/out.txt');
    expect(digest).toEqual({ ok: true, value: sha256Hex(new TextEncoder().encode(lines.join(''))) });
  });

  test('is built with the locked packages that are named in the result, and leaves nothing behind', async () => {
    const build = await built();
    const lock = await readFile(join(PROJECT, 'package-lock.json'));
    expect(build.dependencies).toEqual([{ name: 'package-lock.json', sha256: sha256Hex(lock) }]);
    expect(build.nodeVersion).toBe(process.version);
    expect(await readdir(join(base, 'work'))).toEqual([]);
  });
});

describe('a source that is not reproducible', () => {
  test('is refused, and every planted difference is named with its cause, all at once', async () => {
    const source = join(await sourceWith({}), 'planted');
    await cp(FIRMWARE, source, { recursive: true });
    const script = await readFile(join(source, 'build.ts'), 'utf8');
    const define = `define: {
      BUILT_ON: JSON.stringify(new Date().toISOString()),
      BUILT_IN: JSON.stringify(import.meta.dirname),
      BUILD_ID: JSON.stringify(crypto.randomUUID()),
    },`;
    await writeFile(join(source, 'build.ts'), script.replace('bundle: true,', `bundle: true, ${define}`));
    const planted = `declare const BUILT_ON: string, BUILT_IN: string, BUILD_ID: string;
export const PLANTED = { on: BUILT_ON, where: BUILT_IN, id: BUILD_ID };\nconsole.log(PLANTED);\n`;
    await writeFile(join(source, 'planted.ts'), planted);
    const entry = await readFile(join(source, 'versions/2.0.0.ts'), 'utf8');
    await writeFile(join(source, 'versions/2.0.0.ts'), `import '../planted.ts';\n${entry}`);

    const result = await buildTwice(options({ source }));
    expect(result).toMatchObject({ ok: false, code: 'BUILD_NOT_REPRODUCIBLE' });
    const report = 'report' in result ? result.report : undefined;
    expect(report?.more).toBe(0);
    expect(report?.differences.map(({ cause, module }) => [cause, module])).toEqual([
      ['time', 'planted.ts'],
      ['path', 'planted.ts'],
      ['random', 'planted.ts'],
    ]);
    const [time, path, random] = report?.differences ?? [];
    expect(time?.first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(time?.second).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(path?.first).toContain('first/gamma');
    expect(path?.second).toContain('deeper/than-the-other/delta');
    expect(random?.first).toMatch(/^[0-9a-f-]+$/);
    expect(path?.line).toBe((time?.line ?? 0) + (path?.line === time?.line ? 0 : 1));
  });

  test('is named by the right cause, whatever way of leaking it takes', async () => {
    const leaks: readonly (readonly [cause: string, expression: string])[] = [
      ['time', 'new Date().toISOString()'],
      ['time', 'Date.now()'],
      ['time', 'Math.floor(Date.now() / 1000)'],
      ['time', 'new Date().toUTCString()'],
      ['time', '`(c) ${new Date().getFullYear()} example`'],
      ['time', 'Date.now().toString(36)'],
      ['time', `execFileSync(process.execPath, ['-p', 'Date.now()']).toString().trim()`],
      ['host', 'hostname()'],
      ['time', 'fs.statSync("build.mjs").mtime.toISOString()'],
      ['path', 'process.cwd()'],
      ['path', 'import.meta.url'],
      ['path', 'os.tmpdir()'],
      ['user', 'os.userInfo().username'],
      ['user', 'process.env.LOGNAME'],
      ['user', 'os.homedir()'],
      ['host', 'os.hostname()'],
      ['time-zone', 'Intl.DateTimeFormat().resolvedOptions().timeZone'],
      ['time-zone', 'new Date().getTimezoneOffset()'],
      ['locale', 'Intl.DateTimeFormat().resolvedOptions().locale'],
      ['locale', '(1234567.5).toLocaleString()'],
      ['locale', 'process.env.LANG'],
      ['random', 'randomUUID()'],
      ['file-order', 'readdirSync(".").join()'],
    ];
    const differences = await differencesOf(
      ...leaks.flatMap(([, expression], index) => [`"line ${index}"`, expression]),
    );
    expect(differences.map(({ cause, line }) => [cause, line])).toEqual(
      leaks.map(([cause], index) => [cause, 2 * index + 2]),
    );
  });

  test('is named with each of several causes in one line', async () => {
    const differences = await differencesOf(
      'Date()',
      '`${os.hostname()}:${process.cwd()} by ${os.userInfo().username}`',
    );
    expect(differences.map(({ cause }) => cause)).toEqual(['time', 'time-zone', 'host', 'path', 'user']);
  });

  test('is shown as one difference where the outputs have nothing in common', async () => {
    const differences = await differencesOf('Array.from({ length: 20000 }, () => randomUUID()).join("")');
    expect(differences.length).toBeGreaterThan(0);
    expect(differences[0]?.cause).toBe('random');
    expect(differences[0]?.first.length).toBeLessThan(200);
  });
});

describe('two runs share nothing', () => {
  test('a value cached in the source folder, the home, the temporary folder or beside the packages does not hide a difference', async () => {
    const cached = (folder: string): string =>
      `(() => { const at = ${folder} + '/cached-value'; fs.mkdirSync(${folder}, { recursive: true });
        if (!fs.existsSync(at)) fs.writeFileSync(at, randomUUID()); return fs.readFileSync(at, 'utf8'); })()`;
    const source = await buildWriting(
      cached('"."'),
      cached('os.homedir() + "/.cache"'),
      cached('os.tmpdir()'),
      cached('"node_modules/.cache"'),
    );
    const result = await buildTwice(options({ source, command: ['node', 'build.mjs'], output: 'dist/out.txt' }));
    expect(result).toMatchObject({ ok: false, code: 'BUILD_NOT_REPRODUCIBLE' });
    const differences = 'report' in result ? result.report.differences : [];
    expect(differences.map(({ cause, line }) => [cause, line])).toEqual([
      ['random', 1],
      ['random', 2],
      ['random', 3],
      ['random', 4],
    ]);
    expect(await readdir(source)).not.toContain('cached-value');
  });

  test('an output that stands in the source folder already is never taken for the output of a run', async () => {
    const source = await sourceWith({ 'build.mjs': '' });
    await mkdir(join(source, 'dist'));
    await writeFile(join(source, 'dist/out.txt'), 'left over');
    const result = await buildTwice(options({ source, command: ['node', 'build.mjs'], output: 'dist/out.txt' }));
    expect(result).toMatchObject({ ok: false, code: 'BUILD_FAILED' });
  });

  test('no variable of the caller reaches the build but those that are listed, and these are recorded', async () => {
    const source = await buildWriting('process.env.SECRET ?? "no secret"', 'process.env.CHANNEL');
    const build = await built({
      source,
      command: ['node', 'build.mjs'],
      output: 'dist/out.txt',
      env: { ...process.env, SECRET: 'hunter2', CHANNEL: 'stable' },
      envAllowed: ['CHANNEL', 'UNSET'],
    });
    expect(new TextDecoder().decode(build.image)).toBe('no secret\nstable');
    expect([...build.environment]).toEqual([['CHANNEL', 'stable']]);
  });
});

describe('a build that fails', () => {
  const failing = async (script: string, changes: Partial<BuildOptions> = {}) =>
    buildTwice(
      options({
        source: await sourceWith({ 'build.mjs': script }),
        command: ['node', 'build.mjs'],
        output: 'dist/out.txt',
        ...changes,
      }),
    );

  test('is told with the end of what it printed', async () => {
    const result = await failing(`console.log('x'.repeat(1e6)); console.error('the reason'); process.exitCode = 3;`);
    expect(result).toMatchObject({ ok: false, code: 'BUILD_FAILED' });
    expect(result.ok ? '' : result.detail).toContain('exit code 3');
    expect('output' in result ? result.output.length : 0).toBeLessThanOrEqual(2 * OUTPUT_TAIL_BYTES);
    expect('output' in result ? result.output : '').toContain('the reason');
  });

  test('is ended at its time limit with all that it has started', async () => {
    const endless = `import { spawn } from 'node:child_process';
      spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }); setInterval(() => {}, 1000);`;
    const result = await failing(endless, { timeLimitMs: 1_500 });
    expect(result).toMatchObject({ ok: false, code: 'BUILD_FAILED' });
    expect(result.ok ? '' : result.detail).toContain('longer than 1500 ms');
  });

  test.each([
    ['a file outside of the source', { output: '../out.txt' }],
    ['an absolute file', { output: '/out.txt' }],
    ['no command', { command: [] }],
    ['a command with a line break', { command: ['node', 'build.mjs\n'] }],
    ['an empty variable', { env: { ...process.env, EMPTY: '' }, envAllowed: ['EMPTY'] }],
  ])('is told, before anything runs, where %s could not be recorded', async (_, changes) => {
    expect(await failing('', changes)).toMatchObject({ ok: false, code: 'BUILD_FAILED', output: '' });
  });

  test('is told where there is no such program', async () => {
    expect(await failing('', { command: ['no-such-program-here'] })).toMatchObject({ ok: false, code: 'BUILD_FAILED' });
  });

  test('is told where its output is longer than an image may be', async () => {
    const script = (size: number): string =>
      `import fs from 'node:fs'; fs.mkdirSync('dist'); fs.writeFileSync('dist/out.txt', '');
       fs.truncateSync('dist/out.txt', ${size});`;
    expect(await failing(script(OUTPUT_BYTES_MAX + 1))).toMatchObject({ ok: false, code: 'BUILD_FAILED' });
    expect(await failing(script(OUTPUT_BYTES_MAX))).toMatchObject({ ok: true });
  });

  test('is told where its output is a link and not a file', async () => {
    const script = `import fs from 'node:fs'; fs.mkdirSync('dist'); fs.symlinkSync('../build.mjs', 'dist/out.txt');`;
    expect(await failing(script)).toMatchObject({ ok: false, code: 'BUILD_FAILED' });
  });
});

describe('a source that cannot be digested as it is', () => {
  test('is refused where it holds a link', async () => {
    const source = await sourceWith({ 'build.mjs': '' });
    await symlink('/etc/hostname', join(source, 'linked.txt'));
    expect(await buildTwice(options({ source }))).toMatchObject({ ok: false, code: 'SOURCE_REFUSED' });
  });

  test('is refused where its folders nest too deep', async () => {
    const source = await sourceWith({});
    await mkdir(join(source, 'a/'.repeat(64)), { recursive: true });
    expect(await digestSource(source, 'dist/out.txt')).toMatchObject({ ok: true });
    await mkdir(join(source, 'a/'.repeat(65)), { recursive: true });
    expect(await digestSource(source, 'dist/out.txt')).toMatchObject({ ok: false, code: 'SOURCE_REFUSED' });
  });

  test('is refused where it changes while it is being built', async () => {
    const script = `import fs from 'node:fs'; fs.mkdirSync('dist'); fs.writeFileSync('dist/out.txt', '');
      fs.appendFileSync(process.argv[2], '//');`;
    const source = await sourceWith({ 'build.mjs': script });
    const command = ['node', 'build.mjs', join(source, 'build.mjs')];
    const result = await buildTwice(options({ source, command, output: 'dist/out.txt' }));
    expect(result).toMatchObject({ ok: false, code: 'SOURCE_REFUSED' });
  });

  test('is refused where a name would break the lines of its manifest', async () => {
    const source = await sourceWith({ 'two\nlines': '' });
    expect(await digestSource(source, 'dist/out.txt')).toMatchObject({ ok: false, code: 'SOURCE_REFUSED' });
  });
});
