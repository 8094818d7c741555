/** `firmament root-draft`: the first root of a product, or the next one with other keys. */
import type { Command } from 'commander';
import { reject, type Verdict } from '../formats/verdict.ts';
import { draftFirstRoot, draftNextRoot, type Quorums } from '../signer/draft-root.ts';
import { ROOT_LIFETIME_MS } from '../signer/lifetimes.ts';
import { concludeDraft, readQuorum } from './draft-output.ts';
import { addLogOptions, readLogChange, type LogOptions } from './log-options.ts';
import { readInput } from './files.ts';
import { countValue, daysValue, nameValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';

const ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const;
type Role = (typeof ROLES)[number];

type Options = LogOptions &
  Partial<Readonly<Record<Role, readonly string[]>>> & {
    readonly product?: string;
    readonly former?: string;
    readonly out: string;
    readonly rootThreshold: number;
    readonly targetsThreshold: number;
    readonly snapshotThreshold: number;
    readonly timestampThreshold: number;
    readonly days: number;
  };

/** Adds the verb. */
export function defineRootDraft(command: Command, host: Host, conclude: Conclude): void {
  addLogOptions(command)
    .option('--product <name>', 'for a first root: the product', nameValue)
    .option('--former <file>', 'for a next root: the newest root, as signed')
    .option('--root <file...>', 'public keys of the owners of root')
    .option('--root-threshold <n>', 'how many of them must sign', countValue, 2)
    .option('--targets <file...>', 'public keys of those who say which channels there are')
    .option('--targets-threshold <n>', 'how many of them must sign', countValue, 2)
    .option('--snapshot <file...>', 'public keys of the online role snapshot')
    .option('--snapshot-threshold <n>', 'how many of them must sign', countValue, 1)
    .option('--timestamp <file...>', 'public keys of the online role timestamp')
    .option('--timestamp-threshold <n>', 'how many of them must sign', countValue, 1)
    .option('--days <n>', 'how long it is valid', daysValue, ROOT_LIFETIME_MS)
    .requiredOption('--out <file>', 'where the draft goes')
    .action(async (options: Options) => {
      if ((options.product === undefined) === (options.former === undefined)) {
        command.error('either --product, for a first root, or --former, for a next one', { exitCode: 64 });
      }
      conclude(await draftRoot(options, host));
    });
}

async function draftRoot(options: Options, host: Host): Promise<Verdict<Answer>> {
  const quorums = await readQuorums(options);
  if (!quorums.ok) return quorums;
  const { root, targets, snapshot, timestamp } = quorums.value;
  const log = await readLogChange(options);
  if (!log.ok) return log;
  const time = { now: host.now(), lifetimeMs: options.days };
  const { product, former, out } = options;
  if (former !== undefined) {
    const draft = draftNextRoot({ ...time, former: await readInput(former), quorums: quorums.value, log: log.value });
    return concludeDraft(draft, out, `firmament sign --role root --delegated-by ${former} --metadata ${out} --key KEY`);
  }
  if (
    product === undefined ||
    root === undefined ||
    targets === undefined ||
    snapshot === undefined ||
    timestamp === undefined
  ) {
    return reject('DRAFT_REFUSED', 'a first root needs --root, --targets, --snapshot and --timestamp');
  }
  const draft = draftFirstRoot({ ...time, product, quorums: { root, targets, snapshot, timestamp }, log: log.value });
  return concludeDraft(draft, out, `firmament sign --role root --metadata ${out} --key KEY`);
}

async function readQuorums(options: Options): Promise<Verdict<Partial<Quorums>>> {
  const thresholds: Readonly<Record<Role, number>> = {
    root: options.rootThreshold,
    targets: options.targetsThreshold,
    snapshot: options.snapshotThreshold,
    timestamp: options.timestampThreshold,
  };
  let quorums: Partial<Quorums> = {};
  for (const role of ROLES) {
    const files = options[role];
    if (files === undefined) continue;
    const quorum = await readQuorum(files, thresholds[role]);
    if (!quorum.ok) return quorum;
    quorums = { ...quorums, [role]: quorum.value };
  }
  return { ok: true, value: quorums };
}
