/**
 * The plan of a release on the command line: one `--wave` a wave, and the times that hold for all of them.
 *
 * - A wave is written `share=10,soak=1d,confirmed=95,least=20,within=2d`: the share of devices in percent, all waves together; how long it
 *   stands at least; how many of the expected devices must confirm, in percent; how few may be expected; until when they may confirm.
 * - Times are whole numbers with s, m, h or d.
 */
import { InvalidArgumentError, type Command } from 'commander';
import type { Instant } from '../formats/instant.ts';
import type { Voters, Wave } from '../formats/plan.ts';
import type { PlanDraft } from '../signer/draft-plan.ts';
import { instantValue } from './option-values.ts';

export type PlanOptions = {
  readonly wave: readonly Wave[];
  readonly notBefore?: Instant;
  readonly lease: number;
  readonly haltWithin: number;
  readonly base?: string;
  readonly voters: Voters;
  readonly offline: boolean;
  readonly resume: readonly string[];
};

const HOUR_SECONDS = 3600;
const UNIT_SECONDS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', HOUR_SECONDS],
  ['d', 86_400],
]);

/** Adds the options of a plan to `command`. */
export function addPlanOptions(command: Command): Command {
  return command
    .option(
      '--wave <wave>',
      'a wave: share=10,soak=1d,confirmed=95,least=20,within=2d; may be repeated, the last has share=100',
      (value: string, waves: readonly Wave[]) => [...waves, waveValue(value)],
      [],
    )
    .option('--not-before <instant>', 'when the first wave may open, like 2030-01-31T00:00:00Z', instantValue)
    .option('--lease <time>', 'how long a wave stays open without being renewed', secondsValue, 4 * HOUR_SECONDS)
    .option('--halt-within <time>', 'within which time a halt stops every device', secondsValue, 4 * HOUR_SECONDS)
    .option('--base <release>', 'what devices take that run nothing and whose wave is not open')
    .option('--voters <class>', 'whose confirmations count: claimed or proven', votersValue, 'claimed')
    .option('--offline', 'allow installation from a file', false)
    .option('--resume <sha256...>', 'halts to lift, by their digests', []);
}

/** The plan that the options describe; undefined without a wave. */
export function planOf(options: PlanOptions, now: Instant): PlanDraft | undefined {
  if (options.wave.length === 0) return undefined;
  return {
    // Whole seconds, as it is written.
    notBefore: options.notBefore ?? Math.floor(now / 1000) * 1000,
    waves: options.wave,
    voters: options.voters,
    leaseSeconds: options.lease,
    haltSeconds: options.haltWithin,
    base: options.base,
    offline: options.offline,
    offlineUntil: undefined,
    direction: undefined,
  };
}

function waveValue(value: string): Wave {
  const given = new Map(value.split(',').map((part) => [part.split('=')[0] ?? '', part.split('=')[1] ?? ''] as const));
  const take = (name: string): string => {
    const found = given.get(name);
    if (found === undefined) throw new InvalidArgumentError(`a wave names ${name}`);
    given.delete(name);
    return found;
  };
  const wave = {
    cohortBp: percentValue(take('share')),
    soakSeconds: secondsValue(take('soak')),
    gate: {
      expectedMin: numberValue(take('least')),
      confirmedBp: percentValue(take('confirmed')),
      deadlineSeconds: secondsValue(take('within')),
    },
  };
  if (given.size > 0) throw new InvalidArgumentError(`a wave has no ${[...given.keys()].join(', ')}`);
  return wave;
}

/** Percent with up to two decimals, as basis points. */
function percentValue(value: string): number {
  const [, whole, parts = ''] = /^(\d{1,3})(?:\.(\d{1,2}))?%?$/.exec(value) ?? [];
  const points = whole === undefined ? Number.NaN : Number(whole) * 100 + Number(parts.padEnd(2, '0'));
  if (!(points <= 10_000)) throw new InvalidArgumentError('a share of up to 100 percent is expected');
  return points;
}

/** A time as seconds. */
function secondsValue(value: string): number {
  const [, count, unit = ''] = /^(\d{1,8})([smhd])$/.exec(value) ?? [];
  if (count === undefined) throw new InvalidArgumentError('a time like 30m, 4h or 2d is expected');
  return Number(count) * (UNIT_SECONDS.get(unit) ?? 1);
}

function numberValue(value: string): number {
  if (!/^\d{1,8}$/.test(value)) throw new InvalidArgumentError('a whole number is expected');
  return Number(value);
}

function votersValue(value: string): Voters {
  if (value !== 'claimed' && value !== 'proven') throw new InvalidArgumentError('claimed or proven is expected');
  return value;
}
