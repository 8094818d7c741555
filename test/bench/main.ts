/**
 * `npm run bench -- [GROUP ...] [--json]`: our figures beside our peers', measured in the same run.
 *
 * - A line passes when its ratio reaches its goal; the command ends with 1 when one does not.
 * - With `--json` each line is one JSON object; else a table, with what was run of both.
 */
import { parseArgs } from 'node:util';
import type { BenchLine } from './bench-line.ts';
import { installedVersion, PEERS } from './peers.ts';
import { benchReport, passes } from './report.ts';

const GROUPS: Readonly<Record<string, () => Promise<readonly BenchLine[]>>> = {
  repository: async () => [
    ...(await (await import('./repository.ts')).benchRepository()),
    ...(await (await import('./client-start.ts')).benchClientStart()),
    ...(await (await import('./cold-refresh.ts')).benchColdRefresh()),
    // Last: the disk has work to do for a while after it.
    ...(await import('./deployment.ts')).benchDeployment(),
  ],
  server: async () => (await import('./server.ts')).benchServer(),
};

/** A peer that is not there in its pinned version, as a sentence. */
function strangePeer(): string | undefined {
  const strange = Object.entries(PEERS).find(([, peer]) => installedVersion(peer) !== peer.version);
  if (strange === undefined) return undefined;
  const [name, peer] = strange;
  return `${name} is pinned to ${peer.version}, and ${installedVersion(peer)} is installed`;
}

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true });
const names = positionals.length === 0 ? Object.keys(GROUPS) : positionals;
const fault = strangePeer();
if (names.some((name) => !Object.hasOwn(GROUPS, name))) {
  process.stderr.write(`usage: npm run bench -- [${Object.keys(GROUPS).join('|')}] [--json]\n`);
  process.exitCode = 64;
} else if (fault !== undefined) {
  process.stderr.write(`bench: ${fault}\n`);
  process.exitCode = 69;
} else {
  const lines: BenchLine[] = [];
  for (const name of names) lines.push(...((await GROUPS[name]?.()) ?? []));
  if (values.json === true) for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`);
  else process.stdout.write(benchReport(lines));
  process.exitCode = lines.length > 0 && lines.every(passes) ? 0 : 1;
}
