/** The process of `firmament`: finds the verb, loads it alone, runs it. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Command, CommanderError } from 'commander';
import { showFault, showUsage, showVerdict, type Output } from './outcome.ts';
import type { DefineVerb, Host } from './verb.ts';
import { VERBS } from './verbs.ts';

const args = process.argv.slice(2);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

const host: Host = {
  now: () => Date.now(),
  newId: () => randomUUID(),
  newKey: (sizeBytes) => Uint8Array.from(randomBytes(sizeBytes)),
  env: process.env,
  say: (text) => void process.stderr.write(text),
  isInteractive: process.stdin.isTTY && process.stderr.isTTY,
  stop: stop.signal,
};
const output: Output = {
  json: !process.stdout.isTTY || args.includes('--json'),
  out: (text) => void process.stdout.write(text),
  say: host.say,
  debug: process.env['FIRMAMENT_DEBUG'] !== undefined,
};

const program = new Command('firmament')
  .description('takes firmware from the commit to the boot')
  .exitOverride()
  .configureOutput({ writeOut: host.say, writeErr: host.say })
  .showHelpAfterError();
for (const [name, verb] of VERBS) await addVerb(program, name, verb);

try {
  await program.parseAsync(args, { from: 'user' });
} catch (fault) {
  if (!(fault instanceof CommanderError)) process.exitCode = showFault(fault, output);
  else if (fault.exitCode !== 0) process.exitCode = showUsage(fault, output);
}

/** Adds a verb; its own file is loaded only if it is the one that was called. */
async function addVerb(
  to: Command,
  name: string,
  verb: { readonly description: string; readonly load: () => Promise<DefineVerb> },
): Promise<void> {
  const command = to.command(name).description(verb.description).option('--json', 'one JSON line on standard output');
  if (args[0] !== name) return;
  const define = await verb.load();
  define(command, host, (verdict) => (process.exitCode = showVerdict(verdict, output)));
}
