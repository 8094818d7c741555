/**
 * What people's own tools and the signer refuse: an author who would approve, a draft that was overtaken, one that was withdrawn.
 *
 * - Each is tried with the installed tool, in a process of the holder's own, on the key holder's own folder.
 */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { textOf } from './child.ts';
import type { Company, Holder } from './company.ts';
import { signersOf, signsEvent, type PilotRepository } from './founding.ts';
import { eventFile, newestEventFile, PROPOSER } from './releases.ts';
import { CHANNEL, tell, type Stage } from './stage.ts';

type Tool = Company['operator'];
type At = { readonly company: Company; readonly repository: PilotRepository };

/** Tries all three and tells each. */
export async function showSigningRefusals(stage: Stage, at: At): Promise<void> {
  const { company, repository } = at;
  const { managers } = company;
  const [first, second] = signersOf(managers);
  const author = managers.at(-1) ?? first;
  const drafts = await Promise.all([
    draft(at, 'current', newestEventFile(repository)),
    draft(at, 'overtaken', eventFile(repository, CHANNEL, '2.0.0')),
  ]);
  const [current, overtaken] = drafts;
  const signedBy = (holder: Holder, event: string): Promise<string> =>
    codeOf(holder.tool, ...signsEvent(holder, event, repository));
  await expectRefusal(
    stage,
    { step: 'refuse: the author approves', by: author.name, code: 'AUTHOR_NEVER_COUNTS' },
    () => signedBy(author, current),
  );
  await expectRefusal(stage, { step: 'refuse: a draft that was overtaken', by: first.name, code: 'EVENT_STALE' }, () =>
    signedBy(first, overtaken),
  );
  await expectRefusal(stage, { step: 'refuse: a withdrawn draft', by: 'signer', code: 'EVENT_WITHDRAWN' }, () =>
    publishWithdrawn(at, current, [first, second]),
  );
}

/** A draft that changes a floor alone. */
async function draft({ company, repository }: At, name: string, former: string): Promise<string> {
  const out = join(repository.desk, `${name}.${CHANNEL}.signing.json`);
  await company.operator.run(
    'channel-draft',
    ...['--root-one', repository.root, '--delegated-by', repository.targets, '--channel', CHANNEL, '--out', out],
    ...['--former', former, '--proposer', PROPOSER, '--min-security-counter', '1'],
  );
  return out;
}

/** Two managers sign; one of them withdraws; somebody hands both files to the signer. */
async function publishWithdrawn(
  { company, repository }: At,
  event: string,
  [first, second]: readonly [Holder, Holder],
): Promise<string> {
  for (const holder of [first, second]) await holder.tool.run(...signsEvent(holder, event, repository));
  const withdrawn = `${event}.withdrawn`;
  await cp(event, withdrawn);
  const key = ['--key', second.keyFile, '--passphrase-file', second.passphraseFile];
  await second.tool.run('withdraw', '--event', withdrawn, ...key);
  const handed = ['--event', event, '--withdrawn', withdrawn];
  return codeOf(company.operator, 'publish', '--signer', repository.signer.socket, ...handed);
}

async function expectRefusal(
  stage: Stage,
  said: { readonly step: string; readonly by: string; readonly code: string },
  attempt: () => Promise<string>,
): Promise<void> {
  await tell(stage, { step: said.step, by: said.by }, async () => {
    const code = await attempt();
    return { ok: code === said.code, code, detail: code === said.code ? 'refused' : `${said.code} was expected` };
  });
}

/** The code with which a verb refuses; of a publisher's refusal the one that a device would give. */
async function codeOf(tool: Tool, ...args: readonly string[]): Promise<string> {
  const refusal = await tool.refusal(...args);
  const code = textOf(refusal, 'code');
  return code === 'PUBLICATION_REFUSED' ? (textOf(refusal, 'detail').split(':')[0] ?? code) : code;
}
