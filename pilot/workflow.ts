/**
 * The workflow of the firmware's repository: it proposes what was built, to a control plane that is a process of its own.
 *
 * - The step is the bundled action, run as a runner runs it, with a token of this machine's issuer for its run.
 * - Whoever approves takes the files from `incoming/`, each held against the digest that was proposed; never from the builder.
 */
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { sha256Hex } from '../formats/sha256.ts';
import {
  incomingFiles,
  parseStoredProposal,
  STORED_PROPOSAL_BYTES_MAX,
  type StoredProposal,
} from '../formats/stored-proposal.ts';
import { runStep } from './action-runner.ts';
import { textOf } from './child.ts';
import { must } from './forgery.ts';
import { startOidcIssuer, type Job, type OidcIssuer } from './oidc-issuer.ts';
import type { ReleasePlan } from './builds.ts';
import { COMPONENT, HARDWARE, MICROCONTROLLER, MICROCONTROLLER_HARDWARE, PRODUCT, type Stage } from './stage.ts';
import { startVerb } from './verb-process.ts';

/** A proposal as those who approve see it: who made it, and where its files lie. */
export type Proposed = {
  readonly issuer: string;
  readonly subject: string;
  readonly main: Files;
  readonly microcontroller: Files;
  /** SHA-256 of the image, as proposed and as it lies there. */
  readonly sha256: string;
  readonly tookMs: number;
};
type Files = { readonly image: string; readonly provenance: string };
type ReleaseFiles = Files & { readonly microcontroller: Files };

export type Workflow = {
  /** Proposes a release, as a run of its own. */
  readonly propose: (plan: ReleasePlan, files: ReleaseFiles) => Promise<Proposed>;
  readonly stop: () => Promise<void>;
};

const AUDIENCE = 'https://control.pilot.example';
const JOB: Omit<Job, 'runId'> = { repository: 'pilot/firmware', ref: 'refs/heads/main', actor: 'eli' };

/** Starts the issuer and the control plane. */
export async function startWorkflow(stage: Stage): Promise<Workflow> {
  const issuer = await startOidcIssuer();
  const folders = { store: join(stage.folder, 'control', 'store'), state: join(stage.folder, 'control', 'proposals') };
  const subject = `repo:${JOB.repository}:ref:${JOB.ref}`;
  const control = await startVerb([
    ...['control', '--store', folders.store, '--state', folders.state, '--audience', AUDIENCE],
    ...['--proposer', `${PRODUCT},${issuer.url},${subject}`, '--port', '0'],
  ]);
  const url = textOf(control.answer, 'url');
  let runs = 0;
  return {
    propose: async (plan, files) => {
      const startedAt = stage.now();
      const id = await runAction(stage, { issuer, url, runId: String(++runs) }, { plan, files });
      const stored = await readStored(join(folders.state, PRODUCT, `${id}.json`));
      const [partImage, part, image, main] = await takeIncoming(folders.store, stored);
      if (partImage === undefined || part === undefined || image === undefined || main === undefined) {
        throw new Error('two images with their provenance were proposed');
      }
      return {
        ...stored.proposedBy,
        main: { image: image.path, provenance: main.path },
        microcontroller: { image: partImage.path, provenance: part.path },
        sha256: image.sha256,
        tookMs: stage.now() - startedAt,
      };
    },
    stop: async () => {
      await control.end('SIGTERM');
      await issuer.close();
    },
  };
}

/** Runs the action. @returns the id of the proposal. */
async function runAction(
  stage: Stage,
  run: { readonly issuer: OidcIssuer; readonly url: string; readonly runId: string },
  { plan, files }: { readonly plan: ReleasePlan; readonly files: ReleaseFiles },
): Promise<string> {
  const { release, securityCounter, microcontroller, what } = plan;
  const filesOf = ({ image, provenance }: Files): object => ({
    image: relative(stage.folder, image),
    statements: [relative(stage.folder, provenance)],
  });
  const main = {
    ...{ component: COMPONENT, firmwareVersion: release, securityCounter, hardwareIds: [HARDWARE], installer: 'slot' },
    ...filesOf(files),
  };
  const part = {
    ...{ component: MICROCONTROLLER, hardwareIds: [MICROCONTROLLER_HARDWARE], installer: 'transfer' },
    ...{ firmwareVersion: microcontroller.version, securityCounter: microcontroller.securityCounter },
    ...filesOf(files.microcontroller),
  };
  const { exit, log, outputs } = await runStep('propose', {
    inputs: {
      ...{ 'control-url': run.url, audience: AUDIENCE, product: PRODUCT, release, notes: what },
      components: JSON.stringify([part, main]),
    },
    workspace: stage.folder,
    oidc: run.issuer.requestFor({ ...JOB, runId: run.runId }),
  });
  const id = outputs.get('proposal-id');
  if (exit !== 0 || id === undefined) throw new Error(`the workflow did not propose ${release}: ${log.trim()}`);
  return id;
}

async function readStored(path: string): Promise<StoredProposal> {
  const bytes = await readFile(path);
  if (bytes.length > STORED_PROPOSAL_BYTES_MAX) throw new Error(`${path} is too long`);
  const stored = must(parseStoredProposal(bytes));
  if (stored.state !== 'open') throw new Error(`${stored.id} is not open`);
  return stored;
}

/** The files of a proposal where the control plane has them, each found to be the one that was proposed. */
function takeIncoming(
  store: string,
  { id, proposal }: StoredProposal,
): Promise<readonly { readonly path: string; readonly sha256: string }[]> {
  return Promise.all(
    incomingFiles(id, proposal).map(async ({ name, file }) => {
      const path = join(store, ...name.split('/'));
      const sha256 = sha256Hex(await readFile(path));
      if (sha256 !== file.sha256) throw new Error(`${name} is not what was proposed`);
      return { path, sha256 };
    }),
  );
}
