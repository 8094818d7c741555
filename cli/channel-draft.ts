/** `firmament channel-draft`: a release added to a channel, another put in force, images revoked. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { sha256Hex } from '../formats/sha256.ts';
import type { Verdict } from '../formats/verdict.ts';
import { draftChannel, type ReleasedFile, type ReleaseDraft } from '../signer/draft-channel.ts';
import { CHANNEL_LIFETIME_MS } from '../signer/lifetimes.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import { concludeDraft } from './draft-output.ts';
import { readInput, readOptional } from './files.ts';
import { countValue, daysValue, firmwareVersionValue, nameValue } from './option-values.ts';
import { addPlanOptions, planOf, type PlanOptions } from './plan-option.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = PlanOptions & {
  readonly rootOne: string;
  readonly channel: string;
  readonly former?: string;
  readonly release?: string;
  readonly component?: string;
  readonly image?: string;
  readonly provenance?: string;
  readonly vsa?: string;
  readonly firmwareVersion?: string;
  readonly securityCounter?: number;
  readonly hardware: readonly string[];
  readonly inForce?: string;
  readonly minSecurityCounter?: number;
  readonly revoke: readonly string[];
  readonly days: number;
  readonly out: string;
};

/** Adds the verb. */
export function defineChannelDraft(command: Command, host: Host, conclude: Conclude): void {
  addPlanOptions(command)
    .requiredOption('--root-one <file>', 'root version 1, as signed: it names the repository')
    .requiredOption('--channel <name>', 'the channel', nameValue)
    .option('--former <file>', 'the newest file of this channel; left out for the first one')
    .option('--release <name>', 'a release to add and to put in force')
    .option('--component <name>', 'its component', nameValue)
    .option('--image <file>', 'its image')
    .option('--provenance <file>', 'the provenance of the image')
    .option('--vsa <file>', 'the summary of its judgement, where verifiers are listed')
    .option('--firmware-version <version>', 'its version for people', firmwareVersionValue)
    .option('--security-counter <n>', 'its security counter', countValue)
    .option('--hardware <id...>', 'the hardware it is for', [])
    .option('--in-force <release>', 'put another listed release in force')
    .option('--min-security-counter <n>', 'refuse everything below at every start', countValue)
    .option('--revoke <sha256...>', 'images that may not start any more', [])
    .option('--days <n>', 'how long it is valid', daysValue, CHANNEL_LIFETIME_MS)
    .requiredOption('--out <file>', 'where the draft goes')
    .action(async (options: Options) => {
      const release = await readRelease(options);
      if (release === undefined && options.release !== undefined) {
        const needed = '--component, --image, --provenance, --firmware-version, --security-counter and --hardware';
        command.error(`a release needs ${needed}`, { exitCode: 64 });
      }
      conclude(await draft(options, release, host));
    });
}

async function draft(options: Options, release: ReleaseDraft | undefined, host: Host): Promise<Verdict<Answer>> {
  const repository = repositoryIdOf(await readInput(options.rootOne));
  if (!repository.ok) return repository;
  const { channel, out } = options;
  const drafted = draftChannel({
    repository: repository.value,
    channel,
    former: await readOptional(options.former),
    now: host.now(),
    lifetimeMs: options.days,
    release,
    inForce: options.inForce,
    minSecurityCounter: options.minSecurityCounter,
    revokedDigests: options.revoke,
    plan: planOf(options, host.now()),
    resumes: options.resume,
  });
  return concludeDraft(
    drafted,
    out,
    `firmament sign --role ${channel} --delegated-by TARGETS --metadata ${out} --key KEY`,
  );
}

/** The release that the options describe, or undefined if they do not describe a whole one. */
async function readRelease(options: Options): Promise<ReleaseDraft | undefined> {
  const { release, component, image, provenance, firmwareVersion, securityCounter, hardware } = options;
  if (release === undefined || component === undefined || image === undefined || provenance === undefined) {
    return undefined;
  }
  if (firmwareVersion === undefined || securityCounter === undefined || hardware.length === 0) return undefined;
  const described = {
    component,
    firmwareVersion,
    securityCounter,
    hardwareIds: hardware,
    installer: 'slot' as const,
    image: await releasedFile(image),
    provenance: await releasedFile(provenance),
    vsa: options.vsa === undefined ? undefined : await releasedFile(options.vsa),
  };
  return { name: release, components: [described] };
}

async function releasedFile(path: string): Promise<ReleasedFile> {
  const bytes = await readInput(path);
  return { file: basename(path), length: bytes.length, sha256: sha256Hex(bytes) };
}
