/**
 * What the checks, the tests and the tests on real parts found, as files below `build/results/`.
 *
 * - Each runner writes its own file; `test/tally.ts` adds them up. A file that is missing is a failure, never nothing.
 * - Vitest writes its own report; a test file that did not even load counts as one failed test.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT: string = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = join(PROJECT, 'build', 'results');

export type Count = { readonly passed: number; readonly failed: number };

/** What one check, or one test file, came to. */
export type Result = Count & { readonly name: string; readonly seconds: number };

/** What the tests on one real part came to, and in which version it was there. */
export type PartResult = Result & {
  readonly group: string;
  readonly version: string;
  /** What kept the part from being tested; then it counts as failed. */
  readonly fault?: string;
};

/** Of vitest's JSON report, what we read. */
export type VitestReport = {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
};

/** Where a runner leaves what it found; the two of vitest are in vitest's own form. */
export function resultPath(runner: 'check' | 'real' | 'vitest' | 'vitest-real'): string {
  return join(RESULTS, `${runner}.json`);
}

/** Leaves `results` where the tally finds them. */
export function writeResults(runner: 'check' | 'real', results: readonly Result[]): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(resultPath(runner), JSON.stringify(results, undefined, 2));
}

/** What the checks came to, or undefined if they did not get to say. */
export function readChecks(): readonly Result[] | undefined {
  return readJson(resultPath('check')) as readonly Result[] | undefined;
}

/** What the real parts came to, or undefined if they did not get to say. */
export function readParts(): readonly PartResult[] | undefined {
  return readJson(resultPath('real')) as readonly PartResult[] | undefined;
}

/** What each file of a run of vitest came to, or undefined if vitest did not get to write its report. */
export function readTestFiles(runner: 'vitest' | 'vitest-real'): readonly Result[] | undefined {
  const report = readJson(resultPath(runner)) as VitestReport | undefined;
  return report === undefined ? undefined : testFilesOf(report);
}

/** What each test file of `report` came to; skipped tests count as failed, for they prove nothing. */
export function testFilesOf(report: VitestReport): readonly Result[] {
  return report.testResults.map(({ name, status, startTime, endTime, assertionResults }) => {
    const passed = assertionResults.filter((test) => test.status === 'passed').length;
    const failed = assertionResults.length - passed;
    return {
      name,
      passed,
      failed: status === 'failed' ? Math.max(failed, 1) : failed,
      seconds: (endTime - startTime) / 1000,
    };
  });
}

function readJson(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** The sum of `counts`. */
export function sumCounts(counts: readonly Count[]): Count {
  const sum = (valueOf: (count: Count) => number): number => counts.reduce((total, count) => total + valueOf(count), 0);
  return { passed: sum(({ passed }) => passed), failed: sum(({ failed }) => failed) };
}
