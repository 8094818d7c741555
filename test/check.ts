/** `npm run check`: every static check, one after the other, each with its time; the first fault ends it. */
import { spawnSync } from 'node:child_process';

const CHECKS: readonly (readonly [string, readonly string[]])[] = [
  ['prettier', ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.']],
  ['tsc', ['node_modules/typescript/bin/tsc', '-p', '.']],
  ['tsc (portable)', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.portable.json']],
  ['eslint', ['node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.']],
];

let failed = 0;
for (const [name, args] of CHECKS) {
  const started = performance.now();
  const ran = spawnSync(process.execPath, args, { stdio: 'inherit' });
  const ok = ran.status === 0;
  if (!ok) failed++;
  process.stdout.write(
    `check ${name}: ${ok ? 'ok' : 'FAILED'} (${((performance.now() - started) / 1000).toFixed(1)} s)\n`,
  );
}
process.exitCode = failed === 0 ? 0 : 1;
