/** How the outcome of a run is counted: nothing that did not run may count as passed, or as nothing. */
import { expect, test } from 'vitest';
import { partTable } from './real/part-table.ts';
import { sumCounts, testFilesOf } from './results.ts';

/** A test file as vitest reports it. */
function reported(status: string, ...tests: readonly string[]): Parameters<typeof testFilesOf>[0]['testResults'][0] {
  return {
    name: 'a',
    status,
    startTime: 1000,
    endTime: 3500,
    assertionResults: tests.map((each) => ({ status: each })),
  };
}

function counted(status: string, ...tests: readonly string[]): { readonly passed: number; readonly failed: number } {
  return sumCounts(testFilesOf({ testResults: [reported(status, ...tests)] }));
}

test('passed tests pass, and failed, skipped and unfinished ones fail', () => {
  expect(counted('passed', 'passed', 'passed')).toEqual({ passed: 2, failed: 0 });
  expect(counted('failed', 'passed', 'failed')).toEqual({ passed: 1, failed: 1 });
  expect(counted('passed', 'passed', 'skipped', 'pending', 'todo')).toEqual({ passed: 1, failed: 3 });
});

test('a test file that did not load, or failed outside of its tests, is one failure', () => {
  expect(counted('failed')).toEqual({ passed: 0, failed: 1 });
  expect(counted('failed', 'passed')).toEqual({ passed: 1, failed: 1 });
});

test('the table names each part with its version, its time, and why it did not run', () => {
  const part = { name: 'python-tuf', group: 'repository', version: '7.0.1', passed: 3, failed: 0, seconds: 2.5 };
  const table = partTable([part, { ...part, name: 'chromium', passed: 0, failed: 1, fault: 'no test ran' }]);
  expect(table).toMatch(/python-tuf .* 7\.0\.1 .* 3 .* 0 .* 2\.5 .* ok/);
  expect(table).toMatch(/chromium .* no test ran/);
});
