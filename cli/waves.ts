/** `firmament waves`: how the rollouts of a signer stand, in words: what is open, who voted, what is missing. */
import type { Command } from 'commander';
import { parseRolloutStatuses, type RolloutStatus } from '../formats/rollout-status.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { askSigner } from './ask-signer.ts';
import { nameValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';

/** What each reason to wait means for people. */
const REASONS: Readonly<Record<NonNullable<RolloutStatus['because']>, string>> = {
  halted: 'halted by a manager: repair and release anew, or resume by quorum',
  'not-begun': 'the plan has not begun yet',
  'too-few-expected': 'fewer devices are expected in the next wave than its gate demands',
  soaking: 'the open wave has yet to soak',
  'gate-unmet': 'the gate of the open wave is not met yet',
  'book-lost':
    'who is expected is not known any more, as after a restored backup: leases run out; release under another plan',
  'gate-lost': 'a gate can no longer be met: leases run out; halt, and release a repaired version',
  completed: 'all waves are open and met: the release is for everybody',
};

type Options = { readonly signer: string; readonly product?: string; readonly step: boolean };

/** Adds the verb. */
export function defineWaves(command: Command, _host: Host, conclude: Conclude): void {
  command
    .requiredOption('--signer <socket>', 'the socket of the signer')
    .option('--product <name>', 'the product, where the signer serves several', nameValue)
    .option('--step', 'have the signer do first what is due', false)
    .action(async (options: Options) => conclude(await waves(options)));
}

async function waves({ signer: socket, product, step }: Options): Promise<Verdict<Answer>> {
  const answer = await askSigner({ socket, product }, step ? 'step' : 'waves', new Uint8Array());
  if (!answer.ok) return answer;
  const rollouts = parseRolloutStatuses(answer.value);
  if (!rollouts.ok) return rollouts;
  const text = rollouts.value.length === 0 ? 'No channel has a plan.' : rollouts.value.map(describeRollout).join('\n');
  return accept({ facts: { rollouts: rollouts.value }, text });
}

function describeRollout({ channel, release, open, waves: all, because, did, votes }: RolloutStatus): string {
  const head = `${channel}: ${release}, ${open} of ${all} waves open: ${because === undefined ? did : REASONS[because]}`;
  const lines = votes.map(
    ({ expected, confirmed, failed }, wave) =>
      `  wave ${wave + 1}: ${confirmed} of ${expected} confirmed, ${failed} failed, ${expected - confirmed - failed} silent`,
  );
  return [head, ...lines].join('\n');
}
