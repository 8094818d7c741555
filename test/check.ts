/**
 * `npm run check`: every check that runs no product code, one after the other, each with its time.
 *
 * - All of them run, also after one has failed: one look shows all there is to mend.
 * - The project's own rules are two test files; they stand here too, so that a breach shows before the long tests.
 */
import { spawnSync } from 'node:child_process';
import { PROJECT, sumCounts, writeResults } from './results.ts';

const CHECKS: readonly (readonly [string, readonly string[]])[] = [
  ['prettier', ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.']],
  ['tsc', ['node_modules/typescript/bin/tsc', '-p', '.']],
  ['tsc (portable)', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.portable.json']],
  ['eslint', ['node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.']],
  ['tidy', ['node_modules/vitest/vitest.mjs', 'run', 'test/tidy.test.ts', 'test/codes.test.ts']],
];

const results = CHECKS.map(([name, args]) => {
  const started = performance.now();
  const ran = spawnSync(process.execPath, args, { cwd: PROJECT, stdio: ['ignore', 'inherit', 'inherit'] });
  const seconds = (performance.now() - started) / 1000;
  const ok = ran.status === 0;
  process.stdout.write(`check ${name}: ${ok ? 'ok' : 'FAILED'} (${seconds.toFixed(1)} s)\n`);
  return { name, passed: ok ? 1 : 0, failed: ok ? 0 : 1, seconds };
});
writeResults('check', results);
process.exitCode = sumCounts(results).failed === 0 ? 0 : 1;
