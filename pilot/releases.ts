/**
 * The four releases of the pilot's firmware: built and attested, judged, approved by two managers, published.
 *
 * - Version 3 has a real fault, which its own self-test finds on the device; version 4 repairs it.
 * - What happens on the device afterwards is part of the plan: `kept` or `reverted`.
 */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { firmament, PROJECT, textOf } from './child.ts';
import type { Company } from './company.ts';
import { judge, type ToJudge } from './judging.ts';
import { signersOf, signsEvent, type PilotRepository } from './founding.ts';
import type { Proposed, Workflow } from './workflow.ts';
import { BUILDER_ID, CHANNEL, COMPONENT, HARDWARE, PRODUCT, SOURCE_URI, tell, WORKFLOW, type Stage } from './stage.ts';

/** The workflow as an option of `channel-draft`. */
export const PROPOSER: string = `${WORKFLOW.issuer}#${WORKFLOW.subject}`;
const FIRMWARE = join(PROJECT, 'pilot', 'firmware');

export type ReleasePlan = {
  readonly release: string;
  readonly securityCounter: number;
  readonly outcome: 'kept' | 'reverted';
  readonly what: string;
};

export const RELEASES: readonly ReleasePlan[] = [
  { release: '1.0.0', securityCounter: 1, outcome: 'kept', what: 'receives and shows readings' },
  { release: '2.0.0', securityCounter: 2, outcome: 'kept', what: 'adds least, mean and greatest value' },
  { release: '3.0.0', securityCounter: 3, outcome: 'reverted', what: 'a new decoder that fails below zero' },
  { release: '4.0.0', securityCounter: 4, outcome: 'kept', what: 'repairs the decoder' },
];

/** A release that came out the same twice, with its provenance. */
export type BuiltRelease = {
  readonly plan: ReleasePlan;
  /** What became of its proposal, once it was made. */
  readonly proposed: Proposed | undefined;
  readonly image: string;
  readonly provenance: string;
  readonly sha256: string;
  readonly tookMs: number;
};

/** Builds and attests a release. Its step is told later, in the order of the chain. */
export async function buildRelease(stage: Stage, company: Company, plan: ReleasePlan): Promise<BuiltRelease> {
  const startedAt = stage.now();
  const { builder } = company;
  const out = join(stage.folder, 'build', plan.release);
  await mkdir(out, { recursive: true });
  const built = await firmament(
    'build',
    ...['--source', FIRMWARE, '--output', 'dist/gateway.js', '--out', out],
    ...['--key', builder.keyFile, '--passphrase-file', builder.passphraseFile],
    ...['--builder', BUILDER_ID, '--source-uri', SOURCE_URI],
    ...['--', 'node', 'build.ts', plan.release],
  );
  return {
    plan,
    proposed: undefined,
    image: textOf(built, 'image'),
    provenance: textOf(built, 'provenance'),
    sha256: textOf(built, 'sha256'),
    tookMs: stage.now() - startedAt,
  };
}

/** Proposes what was built. From here on its files are those that the control plane has taken, not the builder's. */
export async function proposeRelease(workflow: Workflow, built: BuiltRelease): Promise<BuiltRelease> {
  const proposed = await workflow.propose(built.plan, built);
  return { ...built, proposed, image: proposed.image, provenance: proposed.provenance };
}

/** Tells the build, has two managers approve the release for its channels, and publishes it. */
export async function publishRelease(
  stage: Stage,
  by: { readonly company: Company; readonly repository: PilotRepository },
  built: BuiltRelease,
): Promise<void> {
  const { release, what, securityCounter } = built.plan;
  const { company, repository } = by;
  const isFirst = built.plan === RELEASES[0];
  const channels = isFirst ? [CHANNEL, 'beta'] : [CHANNEL];
  const [first, second] = signersOf(company.managers);
  const approvers = `${first.name}, ${second.name}`;
  stage.account.add({
    ...{ step: `build ${release}`, by: 'builder', ok: true, digest: built.sha256, code: undefined },
    ...{ detail: `two runs, one image; provenance signed; ${what}`, at: stage.now(), tookMs: built.tookMs },
  });
  if (built.proposed !== undefined) tellProposal(stage, release, built.proposed);
  const { vsa } = await tell(stage, { step: `judge ${release}`, by: 'judge' }, async () => {
    const { reasons, ...judged } = await judge(by, toJudge(repository, built));
    return { ...judged, detail: reasons.join('; ') };
  });
  await tell(stage, { step: `approve ${release}`, by: approvers }, async () => {
    const [digest] = await Promise.all(channels.map((channel) => approve(by, { ...built, vsa }, channel)));
    return { digest, detail: `${channels.join(' and ')}, security counter ${securityCounter}` };
  });
  const { published } = await tell(stage, { step: `publish ${release}`, by: 'publisher' }, async () => {
    const published = await publish(company, repository, { channels, built: { ...built, vsa }, isFirst });
    return {
      published,
      digest: textOf(published, 'snapshotSha256'),
      detail: `timestamp ${String(published.get('timestampVersion'))}, after the device's own code accepted it`,
    };
  });
  await tell(stage, { step: `log ${release}`, by: 'publisher' }, () =>
    Promise.resolve({
      digest: textOf(published, 'logRoot'),
      detail: `${String(published.get('logSize'))} entries under this root: the release stood there before anybody saw it`,
    }),
  );
  await cp(eventFile(repository, CHANNEL, release), newestEventFile(repository));
  stage.onRelease({
    ...{ release, digest: built.sha256, builtBy: BUILDER_ID, approvedBy: approvers },
    outcome: 'published',
  });
}

/** What the judge is asked about `built`. */
export function toJudge(repository: PilotRepository, { plan, image, provenance }: BuiltRelease): ToJudge {
  const { release, securityCounter } = plan;
  const former = plan === RELEASES[0] ? undefined : newestEventFile(repository);
  return { release, component: COMPONENT, hardware: HARDWARE, securityCounter, image, provenance, former };
}

/** A release that was judged fit, with the summary. */
type JudgedRelease = BuiltRelease & { readonly vsa: string };

function tellProposal(stage: Stage, release: string, { sha256, subject, tookMs }: Proposed): void {
  stage.account.add({
    ...{ step: `propose ${release}`, by: 'workflow', ok: true, digest: sha256, code: undefined },
    ...{ detail: `with the token of its run, as ${subject}`, at: stage.now(), tookMs },
  });
}

/** Drafts the channel with the release, as the workflow proposed it, and has two managers sign it. @returns the event's name. */
async function approve(
  { company, repository }: { readonly company: Company; readonly repository: PilotRepository },
  { plan, image, provenance, vsa }: JudgedRelease,
  channel: string,
): Promise<string> {
  const { release, securityCounter } = plan;
  const out = eventFile(repository, channel, release);
  const former = plan === RELEASES[0] ? [] : ['--former', newestEventFile(repository)];
  const draft = await firmament(
    'channel-draft',
    ...['--root-one', repository.root, '--channel', channel, '--out', out, ...former],
    ...['--delegated-by', repository.targets, '--proposer', PROPOSER],
    ...['--release', release, '--component', COMPONENT, '--hardware', HARDWARE],
    ...['--image', image, '--provenance', provenance, '--vsa', vsa],
    ...['--firmware-version', release, '--security-counter', String(securityCounter)],
  );
  for (const holder of signersOf(company.managers)) {
    await firmament(...signsEvent(holder, out, repository));
  }
  return textOf(draft, 'event');
}

function publish(
  { snapshot, timestamp, log }: Company,
  repository: PilotRepository,
  what: { readonly channels: readonly string[]; readonly built: JudgedRelease; readonly isFirst: boolean },
): ReturnType<typeof firmament> {
  const { channels, built, isFirst } = what;
  const founding = isFirst ? ['--root', repository.root, '--targets', repository.targets] : [];
  const events = channels.map((channel) => eventFile(repository, channel, built.plan.release));
  return firmament(
    'publish',
    ...['--product', PRODUCT, ...repository.store.options, '--state', repository.state, ...founding],
    ...['--key', snapshot.keyFile, timestamp.keyFile, log.keyFile],
    ...['--passphrase-file', snapshot.passphraseFile, timestamp.passphraseFile, log.passphraseFile],
    ...['--event', ...events, '--file', built.image],
  );
}

/** The signing event of a release for a channel. */
export function eventFile({ desk }: Pick<PilotRepository, 'desk'>, channel: string, release: string): string {
  return join(desk, `${release}.${channel}.signing.json`);
}

/** The event that brought what is published now. */
export function newestEventFile({ desk }: Pick<PilotRepository, 'desk'>): string {
  return join(desk, `newest.${CHANNEL}.signing.json`);
}
