/** One command line of `firmament`: finds the verb, loads it alone, runs it, and says with which code it ends. */
import { Command, CommanderError, type Option } from 'commander';
import { daysValue } from './option-values.ts';
import { showFault, showUsage, showVerdict, type Output } from './outcome.ts';
import type { Host } from './verb.ts';
import { VERBS, type VerbEntry } from './verbs.ts';

type Run = { readonly host: Host; readonly output: Output; exit: number };

/** Runs `firmament ARGS`. @returns the exit code; nothing is thrown. */
export async function runFirmament(args: readonly string[], host: Host, output: Output): Promise<number> {
  const run: Run = { host, output, exit: 0 };
  const program = new Command('firmament')
    .description('takes firmware from the commit to the boot')
    .exitOverride()
    .configureHelp({ optionDescription: describeOption })
    .configureOutput({ writeOut: host.say, writeErr: host.say })
    .showHelpAfterError();
  try {
    for (const [name, verb] of VERBS) await addVerb(program, { name, verb, isCalled: args[0] === name }, run);
    await program.parseAsync(args, { from: 'user' });
  } catch (fault) {
    if (!(fault instanceof CommanderError)) return showFault(fault, output);
    if (fault.exitCode !== 0) return showUsage(fault, output);
  }
  return run.exit;
}

/** What usage says of an option: its choices, and of what it is by default only what tells people something, in their unit. */
function describeOption({ description, argChoices = [], parseArg, ...option }: Option): string {
  const notes = argChoices.length === 0 ? [] : [`choices: ${argChoices.join(', ')}`];
  const standard: unknown = option.defaultValue;
  if (typeof standard === 'string' || typeof standard === 'number') {
    notes.push(`default: ${parseArg === daysValue ? Number(standard) / daysValue('1') : standard}`);
  }
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

/** Adds a verb; its own file is loaded only if it is the one that was called. */
async function addVerb(
  to: Command,
  { name, verb, isCalled }: { readonly name: string; readonly verb: VerbEntry; readonly isCalled: boolean },
  run: Run,
): Promise<void> {
  const command = to.command(name).description(verb.description).option('--json', 'one JSON line on standard output');
  if (!isCalled) return;
  const define = await verb.load();
  define(command, run.host, (verdict) => (run.exit = showVerdict(verdict, run.output)));
}
