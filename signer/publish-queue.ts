/**
 * The publications of one product, in the order in which they are asked for; those that wait together share one snapshot and timestamp.
 *
 * - What can stand side by side is merged: changes of different roles, without new roots or targets. All of it is verified as one.
 * - Where the whole is refused each of it is tried by itself: nobody is held up by what another one handed in.
 * - A fault of the world is everybody's; running again is safe for each.
 */
import type { Instant } from '../formats/instant.ts';
import type { Verdict } from '../formats/verdict.ts';
import type { Changes } from './publication.ts';
import { publishChanges, type PublishCode, type PublishedNow, type PublishOptions } from './publish-changes.ts';

type Outcome = Verdict<PublishedNow, PublishCode>;
/** Publishes `changes`, or refreshes the online roles where there are none. */
export type PublishQueue = (changes: Changes, now: Instant) => Promise<Outcome>;

/** How many publications share a snapshot. */
const GROUP_MAX = 64;

type Waiting = {
  readonly changes: Changes;
  readonly now: Instant;
  readonly resolve: (outcome: Outcome) => void;
  readonly fail: (fault: unknown) => void;
};

/** The queue of the product that `to` is about. */
export function publishQueue(to: Omit<PublishOptions, 'now'>): PublishQueue {
  const waiting: Waiting[] = [];
  let isRunning = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    while (waiting.length > 0) await publishTogether(to, takeGroup(waiting));
    isRunning = false;
  };
  return (changes, now) =>
    new Promise((resolve, fail) => {
      waiting.push({ changes, now, resolve, fail });
      if (!isRunning) void run();
    });
}

/** Takes the first that waits, and of those behind it all that can stand beside; none passes one that it cannot stand beside. */
function takeGroup(waiting: Waiting[]): readonly Waiting[] {
  const group: Waiting[] = [];
  const left: Waiting[] = [];
  for (const next of waiting) {
    const before = [...group, ...left];
    const fits = group.length < GROUP_MAX && before.every(({ changes }) => standBeside(changes, next.changes));
    (fits ? group : left).push(next);
  }
  waiting.splice(0, waiting.length, ...left);
  return group;
}

function standBeside(a: Changes, b: Changes): boolean {
  if (isOfAll(a) || isOfAll(b)) return false;
  return ![...(a.channels ?? new Map<string, Uint8Array>()).keys()].some((role) => b.channels?.has(role) === true);
}

/** Whether the changes concern every role, or none if that is not needed. */
function isOfAll({ roots = [], targets, onlyFinish }: Changes): boolean {
  return roots.length > 0 || targets !== undefined || onlyFinish === true;
}

/** Publishes the group; never throws. */
async function publishTogether(to: Omit<PublishOptions, 'now'>, group: readonly Waiting[]): Promise<void> {
  const now = Math.max(...group.map((each) => each.now));
  const together = await orFault(publishChanges({ ...to, now }, mergeChanges(group)));
  if (group.length === 1 || 'fault' in together || together.outcome.ok) return tell(group, together);
  for (const each of group) tell([each], await orFault(publishChanges({ ...to, now: each.now }, each.changes)));
}

function mergeChanges(group: readonly Waiting[]): Changes {
  const all = group.map(({ changes }) => changes);
  const [first = {}] = all;
  if (all.length <= 1) return first;
  return {
    channels: new Map(all.flatMap(({ channels }) => [...(channels ?? [])])),
    targetFiles: all.flatMap(({ targetFiles = [] }) => targetFiles),
    withdrawals: all.flatMap(({ withdrawals = [] }) => withdrawals),
  };
}

type Ended = { readonly outcome: Outcome } | { readonly fault: unknown };

async function orFault(publishing: Promise<Outcome>): Promise<Ended> {
  try {
    return { outcome: await publishing };
  } catch (fault) {
    return { fault };
  }
}

function tell(group: readonly Waiting[], ended: Ended): void {
  for (const { resolve, fail } of group) {
    if ('fault' in ended) fail(ended.fault);
    else resolve(ended.outcome);
  }
}
