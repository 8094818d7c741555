/**
 * `npm run test:real -- [GROUP] [--prepare]`: tests with other people's programs.
 *
 * - Prepares every part of the group first; `--prepare` does only that, so that it can run in the background.
 * - A part that is listed and of which no test ran is a failure.
 */
import { parseArgs } from 'node:util';
import { writeResults, sumCounts } from '../results.ts';
import { partTable } from './part-table.ts';
import { REAL_PARTS } from './parts.ts';
import { prepareParts, testParts } from './run.ts';

const { values, positionals } = parseArgs({ options: { prepare: { type: 'boolean' } }, allowPositionals: true });
const parts = REAL_PARTS.filter(({ group }) => positionals.length === 0 || positionals.includes(group));
const groups = new Set(REAL_PARTS.map(({ group }) => group));
if (positionals.some((group) => !groups.has(group))) {
  process.stderr.write(`usage: npm run test:real -- [${[...groups].join('|')}] [--prepare]\n`);
  process.exitCode = 64;
} else {
  const prepared = await prepareParts(parts);
  const faults = prepared.flatMap(({ part, fault }) => (fault === undefined ? [] : [`${part.name}: ${fault}`]));
  for (const fault of faults) process.stderr.write(`not prepared: ${fault}\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
  if (values.prepare !== true) {
    const results = testParts(prepared);
    writeResults('real', results);
    process.stdout.write(`${partTable(results)}\n`);
    if (sumCounts(results).failed > 0) process.exitCode = 1;
  }
}
