/**
 * How a verb ends: the one place that maps verdicts, operation errors and bugs to output and exit code.
 *
 * - 0 done, 1 refused, 64 usage, 69 unavailable, 70 bug.
 * - Piped, or with `--json`: one JSON line with `ok` and `code` on standard output; people's text goes to standard error.
 * - What a refusal says may name what somebody else wrote: nothing of it moves a terminal.
 * - No stack trace, unless `FIRMAMENT_DEBUG` is set.
 */
import { CODES, type Code } from '../formats/codes.ts';
import { OperationError } from '../formats/operation-error.ts';
import type { Verdict } from '../formats/verdict.ts';
import type { Answer } from './verb.ts';
import { visible } from './visible-text.ts';

/** The code of what was done as asked; every other one stands in the table of codes. */
const DONE = 'DONE';
const EXITS = { done: 0, refused: 1, usage: 64, unavailable: 69, bug: 70 } as const;

export type Output = {
  readonly json: boolean;
  readonly out: (text: string) => void;
  readonly say: (text: string) => void;
  readonly debug: boolean;
};

/** Shows the verdict of a verb. @returns the exit code. */
export function showVerdict(verdict: Verdict<Answer>, output: Output): number {
  if (!verdict.ok) return showRefusal(verdict, EXITS.refused, output);
  if (output.json) output.out(`${JSON.stringify({ ok: true, code: DONE, ...verdict.value.facts })}\n`);
  else output.out(`${verdict.value.text}\n`);
  return EXITS.done;
}

/** Shows whatever a verb threw. @returns the exit code. */
export function showFault(fault: unknown, output: Output): number {
  if (output.debug && fault instanceof Error) output.say(`${fault.stack ?? fault.message}\n`);
  if (fault instanceof OperationError) {
    return showRefusal({ code: fault.code, detail: fault.message }, EXITS.unavailable, output);
  }
  const detail = fault instanceof Error ? fault.message : 'something that is no error was thrown';
  return showRefusal({ code: 'BUG', detail }, EXITS.bug, output);
}

/** Shows that the command line was not understood; the usage has been shown already. @returns the exit code. */
export function showUsage(fault: { readonly code: string; readonly message: string }, output: Output): number {
  const detail = fault.code === 'commander.help' ? 'a verb is expected' : fault.message.replace(/^error: /, '');
  if (output.json) output.out(`${JSON.stringify({ ok: false, code: 'USAGE', detail })}\n`);
  return EXITS.usage;
}

function showRefusal(refusal: { readonly code: Code; readonly detail: string }, exit: number, output: Output): number {
  const { code, detail } = refusal;
  const { means, todo } = CODES[code];
  if (output.json) output.out(`${JSON.stringify({ ok: false, code, detail, means, todo })}\n`);
  const seen = detail.split('\n').map(visible).join('\n  ');
  output.say(`firmament: ${code}: ${seen}\n  It means: ${means}.\n  To do: ${todo}.\n`);
  return exit;
}
