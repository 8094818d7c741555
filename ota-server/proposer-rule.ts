/**
 * Who may propose what: an issuer's subjects, by pattern, for one product.
 *
 * - A rule names its issuer: the same subject from another issuer is somebody else.
 * - Subjects are compared part by part between colons, each part as a path: a star stays within its part and its segment,
 *   so that no pattern for a branch reaches a tag, an environment or another repository.
 * - What runs for a pull request proposes nothing, whatever a pattern says: it may run what a stranger wrote.
 * - Source of the subjects' form: GitHub's documentation of OpenID Connect claims; others use colons in the same way.
 */
import { matchesPathPattern } from '../formats/path-pattern.ts';
import type { Proposer } from '../formats/stored-proposal.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';

export type ProposerRule = {
  readonly product: string;
  readonly issuer: string;
  /** Such as `repo:acme/gateway:ref:refs/heads/main`; a star stands for a run of characters within one segment. */
  readonly subject: string;
};

const PULL_REQUEST = 'pull_request';

/** Whether `proposer` may propose for `product`. */
export function judgeProposer(
  rules: readonly ProposerRule[],
  product: string,
  proposer: Proposer,
): Verdict<void, 'PROPOSER_REFUSED'> {
  if (isOfPullRequest(proposer)) return reject('PROPOSER_REFUSED', 'what runs for a pull request proposes nothing');
  const isAllowed = rules.some(
    (rule) =>
      rule.product === product && rule.issuer === proposer.issuer && matchesSubject(rule.subject, proposer.subject),
  );
  return isAllowed ? accept(undefined) : reject('PROPOSER_REFUSED', `no rule lets this subject propose for ${product}`);
}

function isOfPullRequest({ subject, claims }: Proposer): boolean {
  const event = claims.get('event_name') ?? '';
  return subject.split(':').includes(PULL_REQUEST) || event.startsWith(PULL_REQUEST);
}

function matchesSubject(pattern: string, subject: string): boolean {
  const patterns = pattern.split(':');
  const parts = subject.split(':');
  return patterns.length === parts.length && patterns.every((part, i) => matchesPathPattern(part, parts[i] ?? ''));
}
