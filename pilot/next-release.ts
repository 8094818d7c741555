/**
 * The release after those of the pilot: somebody changes the firmware and pushes it, the chain takes it up to the signing event.
 *
 * - What CI would do is done as for every release: built twice, attested, proposed with the token of its run, judged.
 * - The draft follows what is published now, whoever has published it; nobody signs here: that is for people, with their own keys.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SILENCE_MS_MAX, repositoryClientHttp } from '../bootloader-verifier/agent/repository-client-http.ts';
import { parseSigningEvent } from '../formats/signing-event.ts';
import { parseTargets } from '../formats/tuf-targets.ts';
import { proposeRelease, type BuildRelease, type ReleasePlan } from './builds.ts';
import type { Company } from './company.ts';
import type { PilotRepository } from './founding.ts';
import { must } from './forgery.ts';
import { VERIFIER_ID } from './judging.ts';
import { draftRelease, eventFile, judgeRelease, keepNewest, RELEASES } from './releases.ts';
import { BUILDER_ID, CHANNEL, type Stage } from './stage.ts';
import { readRoles } from './status/read-roles.ts';
import type { Workflow } from './workflow.ts';

/** A pushed change: the version of the firmware, and what is new in it. */
export type Push = { readonly release: string; readonly what: string };
/** What waits for signatures. */
export type Drafted = {
  readonly event: string;
  /** The images that are published with it. */
  readonly images: readonly [string, string];
  readonly sha256: string;
};
/** Takes a push to its draft. @throws Error with the words of the link that refused it. */
export type TakePush = (push: Push) => Promise<Drafted>;

/** What takes pushes, one after the other. @param by.url where the repository is served. */
export function openPushes(
  stage: Stage,
  by: {
    readonly company: Company;
    readonly repository: PilotRepository;
    readonly workflow: Workflow;
    readonly build: BuildRelease;
    readonly url: string;
  },
): TakePush {
  const drafted: string[] = [];
  let former: Promise<unknown> = Promise.resolve();
  const take: TakePush = async ({ release, what }) => {
    if (drafted.includes(release) || RELEASES.some((known) => known.release === release)) {
      throw new Error('there is a release of this name already, and a name is given once: choose the next version');
    }
    await followPublished(by, drafted);
    await rm(join(stage.folder, 'build', release), { recursive: true, force: true });
    const built = await proposeRelease(by.workflow, await by.build(planOf({ release, what })));
    const judged = await judgeRelease(stage, by, built);
    await draftRelease(by, judged, CHANNEL);
    drafted.push(release);
    stage.onRelease({
      ...{ release, digest: built.sha256, builtBy: BUILDER_ID, judgedBy: VERIFIER_ID },
      outcome: 'drafted: waits for two managers',
    });
    const event = eventFile(by.repository, CHANNEL, release);
    return { event, images: [built.image, built.microcontroller.image], sha256: built.sha256 };
  };
  return (push) => {
    const taken = former.then(() => take(push));
    former = taken.catch(() => undefined);
    return taken;
  };
}

/** A change repairs and adds; it closes no way back, so counter and microcontroller stay those of the newest release. */
function planOf(push: Push): ReleasePlan {
  const newest = RELEASES.at(-1);
  if (newest === undefined) throw new Error('the pilot has releases');
  return { ...newest, ...push, outcome: 'kept' };
}

/** Where an earlier push has been signed and published meanwhile, the next draft follows it. */
async function followPublished(
  { repository, url }: { readonly repository: PilotRepository; readonly url: string },
  drafted: readonly string[],
): Promise<void> {
  const stop = AbortSignal.timeout(SILENCE_MS_MAX);
  const { roles } = await readRoles(repositoryClientHttp(new URL(url), { silenceMsMax: SILENCE_MS_MAX, stop }));
  const published = roles.find(({ role }) => role === CHANNEL)?.version;
  for (const release of drafted) {
    const file = eventFile(repository, CHANNEL, release);
    const { metadata } = must(parseSigningEvent(await readFile(file)));
    if (must(parseTargets(metadata)).signed.version === published) await keepNewest(repository, file);
  }
}
