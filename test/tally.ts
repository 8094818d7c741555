/**
 * `node cli/node24.js test/tally.ts [FAILED_STAGE ...]`: adds up what the runners found and ends with one line, `N passed, N failed`.
 *
 * - Reads `build/results/`; a runner that left nothing there counts as one failure.
 * - A stage that failed although nothing in it did (an error outside of tests) counts as one failure too.
 * - Ends with 0 only when something passed and nothing failed.
 */
import { partTable } from './real/part-table.ts';
import { readChecks, readParts, readTestFiles, sumCounts, type Count } from './results.ts';

const MISSING: readonly Count[] = [{ passed: 0, failed: 1 }];

const failedStages = process.argv.slice(2);
const parts = readParts();
if (parts !== undefined) process.stdout.write(`${partTable(parts)}\n`);
const sum = sumCounts([...(readChecks() ?? MISSING), ...(readTestFiles('vitest') ?? MISSING), ...(parts ?? MISSING)]);
const failed = Math.max(sum.failed, failedStages.length);
process.stdout.write(`${sum.passed} passed, ${failed} failed\n`);
process.exitCode = sum.passed > 0 && failed === 0 ? 0 : 1;
