/**
 * The repository of the pilot's product, from nothing: root, targets, and where everything is kept.
 *
 * - Root and targets are signed by two of three owners, each with the installed tool and a key of their own.
 * - The publisher's memory lies outside of what is published.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { firmament, textOf } from './child.ts';
import type { Company, Holder } from './company.ts';
import { POLICY, VERIFIER_ID } from './judging.ts';
import type { PublishedStore } from './published-store.ts';
import { BUILDER_ID, CHANNEL, LOG_ORIGIN, PRODUCT, SOURCE_URI, tell, type Stage } from './stage.ts';

export type PilotRepository = {
  /** What is published, and a server serves. */
  readonly store: PublishedStore;
  /** The publisher's memory. */
  readonly state: string;
  readonly root: string;
  readonly targets: string;
  /** The folder of drafts and signed files. */
  readonly desk: string;
};

/** Drafts and signs root and targets. Nothing is published yet: a first publication needs a release. */
export async function foundRepository(stage: Stage, company: Company): Promise<PilotRepository> {
  const desk = join(stage.folder, 'desk');
  await mkdir(desk, { recursive: true });
  const root = join(desk, '1.root.json');
  const targets = join(desk, '1.targets.json');
  const [first, second] = signersOf(company.owners);
  await tell(stage, { step: 'root', by: `${first.name}, ${second.name}` }, async () => {
    const draft = await draftRoot(company, root);
    await sign(first, root, ['--role', 'root']);
    await sign(second, root, ['--role', 'root']);
    return { digest: textOf(draft, 'sha256'), detail: 'root 1: two of three owners' };
  });
  await tell(stage, { step: 'targets', by: `${first.name}, ${second.name}` }, async () => {
    const draft = await draftTargets(company, { root, out: targets });
    await sign(first, targets, ['--role', 'targets', '--delegated-by', root]);
    await sign(second, targets, ['--role', 'targets', '--delegated-by', root]);
    return {
      digest: textOf(draft, 'sha256'),
      detail: 'channels stable and beta: two of three managers; a builder, a judge and its policy',
    };
  });
  return { store: stage.store, state: join(stage.folder, 'signer', 'state.json'), root, targets, desk };
}

/** Adds a holder's signature to a draft, without a question: the pilot has nobody at the terminal. */
export async function sign(holder: Holder, metadata: string, role: readonly string[]): Promise<void> {
  const { keyFile, passphraseFile } = holder;
  await firmament(
    'sign',
    ...['--metadata', metadata, '--key', keyFile, '--passphrase-file', passphraseFile, '--yes'],
    ...role,
  );
}

/** The two of a quorum who sign. */
export function signersOf(holders: readonly Holder[]): readonly [Holder, Holder] {
  const [first, second] = holders;
  if (first === undefined || second === undefined) throw new Error('a quorum has at least two people');
  return [first, second];
}

function draftRoot(company: Company, out: string): ReturnType<typeof firmament> {
  const owners = company.owners.map(({ publicFile }) => publicFile);
  return firmament(
    'root-draft',
    ...['--product', PRODUCT, '--out', out],
    ...['--root', ...owners, '--targets', ...owners],
    ...['--snapshot', company.snapshot.publicFile, '--timestamp', company.timestamp.publicFile],
    ...['--log-origin', LOG_ORIGIN, '--log-key', company.log.publicFile],
  );
}

function draftTargets(
  company: Company,
  files: { readonly root: string; readonly out: string },
): ReturnType<typeof firmament> {
  const managers = company.managers.map(({ publicFile }) => publicFile).join(',');
  return firmament(
    'targets-draft',
    ...['--root-one', files.root, '--out', files.out],
    ...['--channel', `${CHANNEL}:2:${managers}`, '--channel', `beta:2:${managers}`],
    ...['--builder', BUILDER_ID, '--builder-key', company.builder.publicFile, '--builder-source', SOURCE_URI],
    ...['--verifier', VERIFIER_ID, '--verifier-key', company.judge.publicFile, '--policy', POLICY],
  );
}
