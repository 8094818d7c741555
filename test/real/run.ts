/** Prepares real parts and runs their tests, and says for each what came of it. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { PROJECT, readTestFiles, resultPath, sumCounts, type PartResult, type Result } from '../results.ts';
import type { RealPart } from './parts.ts';
import { preparePart, versionOf } from './preparation.ts';

export type PreparedPart = { readonly part: RealPart; readonly fault: string | undefined };

/** Prepares all of `parts`, side by side. */
export function prepareParts(parts: readonly RealPart[]): Promise<readonly PreparedPart[]> {
  return Promise.all(
    parts.map(async (part) => {
      try {
        await preparePart(part);
        return { part, fault: undefined };
      } catch (error) {
        return { part, fault: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}

/** Runs the tests of all `prepared` parts in one run, one file after the other. */
export function testParts(prepared: readonly PreparedPart[]): readonly PartResult[] {
  const groups = [...new Set(prepared.map(({ part }) => `test/real/${part.group}/`))];
  rmSync(resultPath('vitest-real'), { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${resultPath('vitest-real')}`];
  const ran = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/real/vitest.config.ts', ...reporters, ...groups],
    { cwd: PROJECT, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const files = readTestFiles('vitest-real') ?? [];
  const results = prepared.map((entry) => resultOf(entry, files));
  const isExplained = ran.status === 0 || sumCounts(results).failed > 0;
  return isExplained ? results : [...results, unexplained(ran.status)];
}

/** The tests of a part are the files of its group whose name starts with its own. */
function resultOf({ part, fault }: PreparedPart, files: readonly Result[]): PartResult {
  const own = files.filter(
    ({ name }) => name.includes(`/test/real/${part.group}/`) && basename(name).startsWith(part.name),
  );
  const counted = sumCounts(own);
  const missing = fault ?? (counted.passed + counted.failed === 0 ? 'no test ran' : undefined);
  return {
    name: part.name,
    group: part.group,
    version: versionOf(part) ?? 'absent',
    passed: counted.passed,
    failed: missing === undefined ? counted.failed : Math.max(counted.failed, 1),
    seconds: own.reduce((sum, { seconds }) => sum + seconds, 0),
    ...(missing === undefined ? {} : { fault: missing }),
  };
}

/** A run that failed although every test passed: an error outside of tests. */
function unexplained(status: number | null): PartResult {
  const fault = `vitest ended with ${status ?? 'a signal'}`;
  return { name: 'vitest', group: 'all', version: '', passed: 0, failed: 1, seconds: 0, fault };
}
