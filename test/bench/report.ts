/** What the benchmark found, as a table for people. */
import Table from 'cli-table3';
import type { BenchLine } from './bench-line.ts';
import { PEERS } from './peers.ts';

/** Whether `line` reached its goal; what could not be measured has not. */
export function passes(line: BenchLine): boolean {
  return line.ratio >= line.goal;
}

/** `lines` as a table, and under it what was run of each peer and of ours beside it. */
export function benchReport(lines: readonly BenchLine[]): string {
  const table = new Table({
    head: ['group', 'metric', 'unit', 'ours', 'peer', 'its value', 'ratio', 'goal', 'result'],
    style: { head: [], border: [] },
  });
  for (const line of lines) {
    const { group, metric, unit, ours, peer, peerValue, ratio, goal } = line;
    const figures = [figure(ours), peer, figure(peerValue), ratio.toFixed(2), String(goal)];
    table.push([group, metric, unit, ...figures, passes(line) ? 'ok' : 'MISSED']);
  }
  const commands = [...new Set(lines.map(({ peer }) => peer))].flatMap((name) => {
    const peer = PEERS[name];
    return peer === undefined ? [] : [`${name} ${peer.version}: ${peer.command}`, `  beside it, ours: ${peer.ours}`];
  });
  return `${table.toString()}\n${commands.join('\n')}\n`;
}

/** Enough digits to compare by eye. */
function figure(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}
