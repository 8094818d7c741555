/**
 * The four releases of the pilot's firmware: judged, approved by two managers, published.
 *
 * - Version 3 has a real fault, which its own self-test finds on the device; version 4 repairs it.
 * - Each carries a microcontroller's image too: versions 3 and 4 a newer one, which a revert must take back.
 * - What happens on the device afterwards is known beforehand: `kept` or `reverted`.
 * - Who takes a release when is for its plan to say (`rollout.ts`).
 */
import { existsSync } from 'node:fs';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSigningEvent } from '../formats/signing-event.ts';
import type { BuiltRelease, ReleasePlan } from './builds.ts';
import type { JsonObject } from '../formats/json.ts';
import { textOf } from './child.ts';
import type { Company } from './company.ts';
import { must } from './forgery.ts';
import { judge, type ToJudge, VERIFIER_ID } from './judging.ts';
import { signersOf, signsEvent, type PilotRepository } from './founding.ts';
import {
  BUILDER_ID,
  CHANNEL,
  COMPONENT,
  HARDWARE,
  MICROCONTROLLER,
  MICROCONTROLLER_HARDWARE,
  tell,
  WORKFLOW,
  type Stage,
} from './stage.ts';
import type { Proposed } from './workflow.ts';

/** The workflow as an option of `channel-draft`. */
export const PROPOSER: string = `${WORKFLOW.issuer}#${WORKFLOW.subject}`;
/** Each draw shows both waves in three of four cases. */
const DRAWS_MAX = 40;
const OLDER = { version: '7.27.0', securityCounter: 1 };
const NEWER = { version: '7.28.0', securityCounter: 2 };

export const RELEASES: readonly ReleasePlan[] = [
  {
    release: '1.0.0',
    securityCounter: 1,
    microcontroller: OLDER,
    outcome: 'kept',
    what: 'receives and shows readings',
  },
  {
    release: '2.0.0',
    securityCounter: 2,
    microcontroller: OLDER,
    outcome: 'kept',
    what: 'adds least, mean and greatest value',
  },
  {
    release: '3.0.0',
    securityCounter: 3,
    microcontroller: NEWER,
    outcome: 'reverted',
    what: 'a new decoder that fails below zero',
  },
  { release: '4.0.0', securityCounter: 4, microcontroller: NEWER, outcome: 'kept', what: 'repairs the decoder' },
];

type By = { readonly company: Company; readonly repository: PilotRepository };
/** How a release is rolled out: its plan, as options of `channel-draft`, and whether the draw of its cohorts shows what is to be shown. */
export type ReleaseRollout = {
  readonly options: readonly string[];
  /** @param channel the channel file, signed: it draws the cohorts. */
  readonly fits: (channel: Uint8Array) => boolean;
};

/** Tells the build, has two managers approve the release for its channels, and publishes it. */
export async function publishRelease(
  stage: Stage,
  by: By & { readonly rollout?: ReleaseRollout },
  built: BuiltRelease,
): Promise<void> {
  const { release, securityCounter } = built.plan;
  const { company, repository } = by;
  const isFirst = built.plan === RELEASES[0];
  const channels = isFirst ? [CHANNEL, 'beta'] : [CHANNEL];
  const [first, second] = signersOf(company.managers);
  const approvers = `${first.name}, ${second.name}`;
  const judged = await judgeRelease(stage, by, built);
  await tell(stage, { step: `approve ${release}`, by: approvers }, async () => {
    const [approved] = await Promise.all(channels.map((channel) => approve(by, judged, channel)));
    const planned = by.rollout === undefined ? '' : `, with a plan, drawn ${String(approved?.draws)} times`;
    const detail = `${channels.join(' and ')}, security counter ${securityCounter}${planned}`;
    return { digest: approved?.event, detail };
  });
  const { published } = await tell(stage, { step: `publish ${release}`, by: 'signer' }, async () => {
    const published = await publish(by, { channels, built: judged, isFirst });
    return {
      published,
      digest: textOf(published, 'snapshotSha256'),
      detail: `timestamp ${String(published.get('timestampVersion'))}, after the device's own code accepted it`,
    };
  });
  await tell(stage, { step: `log ${release}`, by: 'signer' }, () =>
    Promise.resolve({
      digest: textOf(published, 'logRoot'),
      detail: `${String(published.get('logSize'))} entries under this root: the release stood there before anybody saw it`,
    }),
  );
  await keepNewest(repository, eventFile(repository, CHANNEL, release));
  stage.onRelease({
    ...{ release, digest: built.sha256, builtBy: BUILDER_ID, judgedBy: VERIFIER_ID, approvedBy: approvers },
    ...{ logged: `among ${String(published.get('logSize'))} entries`, outcome: 'published' },
  });
}

/** Tells what was built and proposed, and has both images judged. @throws Error if one of them is denied. */
export async function judgeRelease(stage: Stage, by: By, built: BuiltRelease): Promise<JudgedRelease> {
  const { release, what } = built.plan;
  tellBuilds(stage, built, `two runs, one image; provenance signed; ${what}`);
  if (built.proposed !== undefined) tellProposal(stage, release, built.proposed);
  const { vsas } = await tell(stage, { step: `judge ${release}`, by: 'judge' }, async () => {
    const judged = await Promise.all([
      judge(by, toJudge(by.repository, built)),
      judge(by, partToJudge(by.repository, built)),
    ]);
    const [{ digest, reasons }] = judged;
    return { digest, detail: `each of two images: ${reasons.join('; ')}`, vsas: judged.map(({ vsa }) => vsa) };
  });
  return { ...built, vsas };
}

/** What the judge is asked about `built`. */
export function toJudge(repository: PilotRepository, { plan, image, provenance }: BuiltRelease): ToJudge {
  const { release, securityCounter } = plan;
  const former = plan === RELEASES[0] ? undefined : newestEventFile(repository);
  const firmwareVersion = release;
  const what = { release, component: COMPONENT, hardware: HARDWARE, firmwareVersion };
  return { ...what, securityCounter, image, provenance, former };
}

/** The same of its microcontroller. */
function partToJudge(repository: PilotRepository, built: BuiltRelease): ToJudge {
  const { version, securityCounter } = built.plan.microcontroller;
  const { image, provenance } = built.microcontroller;
  const what = { component: MICROCONTROLLER, hardware: MICROCONTROLLER_HARDWARE, firmwareVersion: version };
  return { ...toJudge(repository, built), ...what, securityCounter, image, provenance };
}

/** A release that was judged fit, with the summary of its gateway and that of its microcontroller. */
export type JudgedRelease = BuiltRelease & { readonly vsas: readonly string[] };

/** Tells what was built for this release: its gateway image, and the microcontroller's where it is the first to carry it. */
function tellBuilds(stage: Stage, built: BuiltRelease, detail: string): void {
  const { plan, microcontroller } = built;
  const add = (step: string, digest: string, more: { readonly detail: string; readonly tookMs: number }): void =>
    stage.account.add({ step, by: 'builder', ok: true, digest, code: undefined, at: stage.now(), ...more });
  add(`build ${plan.release}`, built.sha256, { detail, tookMs: built.tookMs });
  const { version } = plan.microcontroller;
  if (RELEASES.find((other) => other.microcontroller.version === version) !== plan) return;
  add(`build ${MICROCONTROLLER} ${version}`, microcontroller.sha256, {
    detail: 'two runs, one image; provenance signed; Pybricks for the Prime Hub, from npm',
    tookMs: microcontroller.tookMs,
  });
}

function tellProposal(stage: Stage, release: string, { sha256, subject, tookMs }: Proposed): void {
  stage.account.add({
    ...{ step: `propose ${release}`, by: 'workflow', ok: true, digest: sha256, code: undefined },
    ...{ detail: `with the token of its run, as ${subject}`, at: stage.now(), tookMs },
  });
}

/**
 * Drafts the channel with the release, as the workflow proposed it, and has two managers sign it.
 * What they sign draws the cohorts of its plan: where a small fleet would not show both waves, they sign a plan of another second.
 */
async function approve(
  by: By & { readonly rollout?: ReleaseRollout },
  judged: JudgedRelease,
  channel: string,
): Promise<{ readonly event: string; readonly draws: number }> {
  const out = eventFile(by.repository, channel, judged.plan.release);
  for (let draws = 1; draws <= DRAWS_MAX; draws++) {
    await rm(out, { force: true });
    const event = await draftRelease(by, judged, channel);
    for (const holder of signersOf(by.company.managers)) {
      await holder.tool.run(...signsEvent(holder, out, by.repository));
    }
    const { metadata } = must(parseSigningEvent(await readFile(out)));
    if (by.rollout?.fits(metadata) !== false) return { event, draws };
  }
  throw new Error('no draw shows both waves');
}

/** Drafts the channel with the release, as the workflow proposed it. @returns the event's name. */
export async function draftRelease(
  { company, repository, rollout }: By & { readonly rollout?: ReleaseRollout },
  { plan, image, provenance, microcontroller, vsas: [mainVsa = '', partVsa = ''] }: JudgedRelease,
  channel: string,
): Promise<string> {
  const { release, securityCounter } = plan;
  const out = eventFile(repository, channel, release);
  const history = historyEventFile(repository);
  const former = plan === RELEASES[0] ? [] : ['--former', newestEventFile(repository)];
  if (existsSync(history)) former.push('--history', history);
  const draft = await company.operator.run(
    'channel-draft',
    ...['--root-one', repository.root, '--channel', channel, '--out', out, ...former],
    ...['--delegated-by', repository.targets, '--proposer', PROPOSER, ...(rollout?.options ?? [])],
    ...['--release', release],
    ...['--component', MICROCONTROLLER, '--hardware', MICROCONTROLLER_HARDWARE, '--installer', 'transfer'],
    ...['--image', microcontroller.image, '--provenance', microcontroller.provenance, '--vsa', partVsa],
    ...['--firmware-version', plan.microcontroller.version],
    ...['--security-counter', String(plan.microcontroller.securityCounter)],
    ...['--component', COMPONENT, '--hardware', HARDWARE, '--image', image, '--provenance', provenance],
    ...['--vsa', mainVsa],
    ...['--firmware-version', release, '--security-counter', String(securityCounter)],
  );
  return textOf(draft, 'event');
}

function publish(
  { company, repository }: By,
  what: { readonly channels: readonly string[]; readonly built: JudgedRelease; readonly isFirst: boolean },
): Promise<JsonObject> {
  const { channels, built, isFirst } = what;
  const founding = isFirst ? ['--root', repository.root, '--targets', repository.targets] : [];
  const events = channels.map((channel) => eventFile(repository, channel, built.plan.release));
  return company.operator.run(
    'publish',
    ...['--signer', repository.signer.socket, ...founding],
    ...['--event', ...events, '--file', built.image, built.microcontroller.image],
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

/** The event that brought the history that is published now; none stands there as long as the channel has no history. */
function historyEventFile({ desk }: Pick<PilotRepository, 'desk'>): string {
  return join(desk, `history.${CHANNEL}.signing.json`);
}

/** Keeps `file`, an event that was published, for the next draft to follow. */
export async function keepNewest(repository: Pick<PilotRepository, 'desk'>, file: string): Promise<void> {
  await cp(file, newestEventFile(repository));
  const { history } = must(parseSigningEvent(await readFile(file)));
  if (history !== undefined) await cp(file, historyEventFile(repository));
}
