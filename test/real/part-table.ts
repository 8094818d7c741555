/** The table of the real parts: which there were, in which version, and what the tests on them came to. */
import Table from 'cli-table3';
import type { PartResult } from '../results.ts';

/** `parts` as a table for people, without colours. */
export function partTable(parts: readonly PartResult[]): string {
  const table = new Table({
    head: ['part', 'group', 'version', 'passed', 'failed', 'seconds', 'result'],
    style: { head: [], border: [] },
  });
  for (const { name, group, version, passed, failed, seconds, fault } of parts) {
    const result = fault ?? (failed === 0 ? 'ok' : 'FAILED');
    table.push([name, group, version, String(passed), String(failed), seconds.toFixed(1), result]);
  }
  return table.toString();
}
