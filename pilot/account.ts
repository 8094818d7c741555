/**
 * The account of the chain: each step as it happens, and all of them in a table at the end.
 *
 * - A step says what was done, by whom, with which digest, when and how long it took.
 * - `ok` means "as expected": a refused attack is `ok`, with the code that refused it.
 * - With `json` each step is one JSON line `{step, ok, by, digest, at, code}` on standard output, and nothing else stands there.
 */
import { styleText } from 'node:util';
import Table from 'cli-table3';
import { encodeInstant, type Instant } from '../formats/instant.ts';

export type Step = {
  readonly step: string;
  readonly ok: boolean;
  readonly by: string;
  /** SHA-256 of what the step is about, in hex. */
  readonly digest: string | undefined;
  readonly at: Instant;
  readonly code: string | undefined;
  /** One sentence for people. */
  readonly detail: string;
  readonly tookMs: number;
};

export type Account = {
  readonly steps: readonly Step[];
  /** Adds a step and shows it. */
  readonly add: (step: Step) => void;
  /** Says something between the steps, to people only. */
  readonly say: (text: string) => void;
  /** Shows the table of all steps, to people only. */
  readonly showTable: () => void;
};

/** An account that writes to `write`. @param json one JSON line a step instead of text for people. */
export function openAccount(write: (text: string) => void, json: boolean): Account {
  const steps: Step[] = [];
  return {
    steps,
    add: (step) => {
      steps.push(step);
      write(json ? `${stepLine(step)}\n` : `${readableLine(step)}\n`);
    },
    say: (text) => {
      if (!json) write(`${text}\n`);
    },
    showTable: () => {
      if (!json) write(`${stepTable(steps)}\n`);
    },
  };
}

/** The step as a JSON line, in the members that the design fixes and two for people. */
function stepLine(step: Step): string {
  return JSON.stringify({
    step: step.step,
    ok: step.ok,
    by: step.by,
    digest: step.digest ?? null,
    at: encodeInstant(step.at),
    code: step.code ?? null,
    detail: step.detail,
    tookMs: Math.round(step.tookMs),
  });
}

function readableLine(step: Step): string {
  const mark = step.ok ? styleText('green', '✓') : styleText('red', '✗');
  const name = styleText('bold', step.step.padEnd(42));
  const digest = (step.digest ?? '').slice(0, 12).padEnd(12);
  const code = step.code === undefined ? '' : `${styleText('yellow', step.code)} `;
  return `${mark} ${name} ${step.by.padEnd(20)} ${digest} ${seconds(step)}  ${code}${step.detail}`;
}

function stepTable(steps: readonly Step[]): string {
  const table = new Table({
    head: ['', 'step', 'by', 'digest', 'code', 'seconds'],
    style: { head: [], border: [], compact: true },
  });
  for (const step of steps) {
    table.push([
      step.ok ? '✓' : '✗',
      step.step,
      step.by,
      (step.digest ?? '').slice(0, 12),
      step.code ?? '',
      seconds(step).trim(),
    ]);
  }
  return table.toString();
}

function seconds(step: Step): string {
  return (step.tookMs / 1000).toFixed(1).padStart(5);
}
