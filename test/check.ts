/**
 * `npm run check`: every check that runs no product code, two at a time, each with its time.
 *
 * - All of them run, also after one has failed: one look shows all there is to mend. What one says stands together, once it has ended.
 * - The project's own rules are two test files; they stand here too, so that a breach shows before the long tests.
 */
import { spawn } from 'node:child_process';
import { PROJECT, sumCounts, writeResults, type Result } from './results.ts';

type Check = readonly [name: string, args: readonly string[]];

/** As many as the smallest machine that we care for has cores. */
const AT_ONCE = 2;
/** The longest first, so that none is left to run alone at the end. */
const CHECKS: readonly Check[] = [
  ['types and rules', ['node_modules/oxlint/bin/oxlint', '.']],
  ['prettier', ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.']],
  ['tidy', ['node_modules/vitest/vitest.mjs', 'run', '--maxWorkers', '1', 'test/tidy.test.ts', 'test/codes.test.ts']],
  ['types (portable)', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.portable.json']],
];

/** Runs one check to its end and then shows what it said; a check that does not even start has failed. */
function runCheck([name, args]: Check): Promise<Result> {
  const started = performance.now();
  const said: Uint8Array[] = [];
  const child = spawn(process.execPath, args, { cwd: PROJECT, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Uint8Array) => said.push(bytes));
  return new Promise((resolve) => {
    const end = (ok: boolean): void => {
      const seconds = (performance.now() - started) / 1000;
      for (const bytes of said) process.stdout.write(bytes);
      process.stdout.write(`check ${name}: ${ok ? 'ok' : 'FAILED'} (${seconds.toFixed(1)} s)\n`);
      resolve({ name, passed: ok ? 1 : 0, failed: ok ? 0 : 1, seconds });
    };
    child.on('error', () => end(false)).on('close', (status) => end(status === 0));
  });
}

const waiting = CHECKS.values();
const results: Result[] = [];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (const check of waiting) results.push(await runCheck(check));
  }),
);
writeResults('check', results);
process.exitCode = sumCounts(results).failed === 0 ? 0 : 1;
