/**
 * The repository of the pilot's product, from nothing: root, targets, and where everything is kept.
 *
 * - The list of people says whose key is whose, and who answers for the workflow that proposes.
 * - Root and targets are signed by two of three owners, each with the installed tool and a key of their own.
 * - What people have signed goes to the signer through its socket.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encodeJson } from '../formats/encode-json.ts';
import { peopleToJson, type Person } from '../formats/people.ts';
import { keyIdOf } from '../formats/tuf-key.ts';
import { parsePublicKeyFile } from '../signer/key-file.ts';
import type { JsonObject } from '../formats/json.ts';
import { textOf } from './child.ts';
import type { Company, Holder } from './company.ts';
import { must } from './forgery.ts';
import { POLICY, VERIFIER_ID } from './judging.ts';
import type { PublishedStore } from './published-store.ts';
import type { SignerProcess } from './signer-process.ts';
import {
  BUILDER_ID,
  CA,
  CHANNEL,
  FACTORY,
  LOG_ORIGIN,
  PRODUCT,
  SOURCE_URI,
  tell,
  WORKFLOW,
  type Stage,
} from './stage.ts';

/** What the owners allow the factory: how many devices, and for how many days. */
const FACTORY_DEVICES = 16;
const FACTORY_DAYS = 30;

export type PilotRepository = {
  /** What is published, and a server serves. */
  readonly store: PublishedStore;
  /** Who publishes. */
  readonly signer: SignerProcess;
  readonly root: string;
  readonly targets: string;
  /** The folder of drafts and signed files. */
  readonly desk: string;
};

/** Drafts and signs root and targets. Nothing is published yet: a first publication needs a release. */
export async function foundRepository(stage: Stage, company: Company, signer: SignerProcess): Promise<PilotRepository> {
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
      detail:
        'channels stable and beta: two of three managers; a builder, a judge and its policy; a factory, a CA; who opens waves',
    };
  });
  return { store: stage.store, signer, root, targets, desk };
}

/** The options with which a holder signs a channel's event, without a question: the pilot has nobody at the terminal. */
export function signsEvent(
  { keyFile, passphraseFile }: Holder,
  event: string,
  { root }: Pick<PilotRepository, 'root'>,
): readonly string[] {
  const key = ['--key', keyFile, '--passphrase-file', passphraseFile, '--yes'];
  return ['sign', '--event', event, '--root-one', root, '--policy', POLICY, ...key];
}

/** Adds a holder's signature to a draft of root or targets. */
async function sign(holder: Holder, metadata: string, role: readonly string[]): Promise<void> {
  const { keyFile, passphraseFile, tool } = holder;
  await tool.run(
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

function draftRoot(company: Company, out: string): Promise<JsonObject> {
  const owners = company.owners.map(({ publicFile }) => publicFile);
  return company.operator.run(
    'root-draft',
    ...['--product', PRODUCT, '--out', out],
    ...['--root', ...owners, '--targets', ...owners],
    ...['--snapshot', company.snapshot.publicFile, '--timestamp', company.timestamp.publicFile],
    ...['--log-origin', LOG_ORIGIN, '--log-key', company.log.publicFile],
  );
}

async function draftTargets(
  company: Company,
  files: { readonly root: string; readonly out: string },
): Promise<JsonObject> {
  const people = join(dirname(files.out), 'people.json');
  await writeFile(people, encodeJson(peopleToJson(await peopleOf(company))));
  const managers = company.managers.map(({ publicFile }) => publicFile).join(',');
  return company.operator.run(
    'targets-draft',
    ...['--root-one', files.root, '--out', files.out, '--people', people],
    ...['--channel', `${CHANNEL}:2:${managers}`, '--channel', `beta:2:${managers}`],
    ...['--rollout', `${CHANNEL}:${company.rollout.publicFile}`],
    ...['--factory', `${FACTORY}:${FACTORY_DAYS}:${FACTORY_DEVICES}:${company.factory.publicFile}`],
    ...['--builder', BUILDER_ID, '--builder-key', company.builder.publicFile, '--builder-source', SOURCE_URI],
    ...['--verifier', VERIFIER_ID, '--verifier-key', company.judge.publicFile, '--policy', POLICY],
    ...['--identity-anchor', `${CA}:${company.ca.publicFile}`],
  );
}

/** The managers by name, each with an independent key; the last one answers for the workflow. */
function peopleOf({ managers }: Company): Promise<readonly Person[]> {
  return Promise.all(
    managers.map(async ({ name, publicFile }, i) => {
      const keyid = keyIdOf(must(parsePublicKeyFile(await readFile(publicFile))));
      const subjects = i === managers.length - 1 ? [WORKFLOW] : [];
      return { person: name, keys: [{ keyid, independent: true }], subjects };
    }),
  );
}
