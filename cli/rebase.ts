/** `firmament rebase`: the same change on a channel that has moved on; everybody signs again. */
import type { Command } from 'commander';
import { reject, type Verdict } from '../formats/verdict.ts';
import { CHANNEL_LIFETIME_MS, PUBLISH_WITHIN_MS } from '../signer/lifetimes.ts';
import { rebaseEvent } from '../signer/rebase-event.ts';
import { concludeEvent, readChannelFile, readEvent, readHistoryFile } from './event-files.ts';
import { readInput, readOptional } from './files.ts';
import { daysValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = {
  readonly event: string;
  readonly former: string;
  readonly history?: string;
  readonly root: readonly string[];
  readonly delegatedBy?: string;
  readonly publishWithin: number;
  readonly days: number;
  readonly out: string;
};

/** Adds the verb. */
export function defineRebase(command: Command, host: Host, conclude: Conclude): void {
  command
    .requiredOption('--event <file>', 'the stale signing event')
    .requiredOption('--former <file>', 'the newest file of the channel, or the event that brought it')
    .option(
      '--history <file>',
      "the newest file of the channel's history, or the event that brought it, if there is one",
    )
    .option('--root <file...>', 'all roots from version 1 on, if there are new ones', [])
    .option('--delegated-by <file>', 'the newest targets file, if there is a new one')
    .option('--publish-within <n>', 'days in which it may be published', daysValue, PUBLISH_WITHIN_MS)
    .option('--days <n>', 'how long it is valid', daysValue, CHANNEL_LIFETIME_MS)
    .requiredOption('--out <file>', 'where the new event goes, like 7.stable.signing.json')
    .action(async (options: Options) => conclude(await rebase(options, host)));
}

async function rebase(options: Options, host: Host): Promise<Verdict<Answer>> {
  const event = await readEvent(options.event);
  if (!event.ok) return event;
  const former = await readChannelFile(options.former);
  if (former === undefined) return reject('EVENT_MALFORMED', 'the newest file of the channel is needed');
  const roots = await Promise.all(options.root.map(readInput));
  const rebased = rebaseEvent(event.value, {
    former,
    history: await readHistoryFile(options.history),
    roots: roots.length === 0 ? undefined : roots,
    delegatedBy: await readOptional(options.delegatedBy),
    now: host.now(),
    lifetimeMs: options.days,
    notAfter: host.now() + options.publishWithin,
  });
  return concludeEvent(rebased, options.out);
}
