/**
 * `firmament judge`: verifies the evidence of an image, decides by the policy in force, says why, and signs the outcome.
 *
 * - A denial names every policy that decided and what it demands; nothing is written.
 */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { encodeTargetName, parseTargetName } from '../formats/names.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { INPUTS_MAX } from '../formats/vsa.ts';
import { openCedarEngine } from '../policies/policy-engine-cedar.ts';
import { judgeImage, type JudgedFiles } from '../signer/judge.ts';
import { readJudgingTrust } from '../signer/judging-trust.ts';
import { demandAllowed, signVsa } from '../signer/sign-vsa.ts';
import { readChannelFile } from './event-files.ts';
import { readInput, writeNew } from './files.ts';
import { openSigner } from './open-signer.ts';
import { countValue, firmwareVersionValue, nameValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = {
  readonly root: readonly string[];
  readonly targets: string;
  readonly former?: string;
  readonly policy: string;
  readonly image: string;
  readonly provenance: string;
  readonly rebuild: readonly string[];
  readonly release: string;
  readonly component: string;
  readonly firmwareVersion: string;
  readonly securityCounter: number;
  readonly hardware: readonly string[];
  readonly key: string;
  readonly passphraseFile?: string;
  readonly out: string;
};

/** Adds the verb. */
export function defineJudge(command: Command, host: Host, conclude: Conclude): void {
  command
    .requiredOption('--root <file...>', 'root files, from version 1 to the newest')
    .requiredOption('--targets <file>', 'the targets file: it lists builders, verifiers and the policy')
    .option(
      '--former <file>',
      'the newest file of the channel, or the event that brought it; left out for the first one',
    )
    .requiredOption('--policy <file>', 'the policy in force')
    .requiredOption('--image <file>', 'the image')
    .requiredOption('--provenance <file>', 'its provenance')
    .option('--rebuild <file...>', 'provenance of others who built the same image', [])
    .requiredOption('--release <name>', 'the release that it is for')
    .requiredOption('--component <name>', 'its component', nameValue)
    .requiredOption('--firmware-version <version>', 'its version for people', firmwareVersionValue)
    .requiredOption('--security-counter <n>', 'its security counter', countValue)
    .requiredOption('--hardware <id...>', 'the hardware it is for')
    .requiredOption('--key <file>', 'the key of a listed verifier')
    .option('--passphrase-file <file>', 'where its passphrase stands; otherwise you are asked')
    .requiredOption('--out <file>', 'where the summary goes')
    .action(async (options: Options) => {
      const { release, component, image, rebuild } = options;
      const targetName = encodeTargetName({ release, component, file: basename(image) });
      if (parseTargetName(targetName) === undefined) {
        command.error('release and image file: letters, digits, dots and dashes are expected', { exitCode: 64 });
      }
      if (rebuild.length >= INPUTS_MAX) {
        command.error(`at most ${INPUTS_MAX - 1} rebuilds are judged`, { exitCode: 64 });
      }
      conclude(await judge(options, targetName, host));
    });
}

async function judge(options: Options, targetName: string, host: Host): Promise<Verdict<Answer>> {
  const roots = await Promise.all(options.root.map(readInput));
  const trust = readJudgingTrust({ roots, targets: await readInput(options.targets) }, host.now());
  if (!trust.ok) return trust;
  const files = await readFiles(options);
  const image = await readInput(options.image);
  const release = {
    component: options.component,
    firmwareVersion: options.firmwareVersion,
    securityCounter: options.securityCounter,
    hardwareIds: options.hardware.map(nameValue),
    image: { length: image.length, sha256: sha256Hex(image) },
    former: await readChannelFile(options.former),
  };
  const judgement = judgeImage(trust.value, release, { files, engine: await openCedarEngine() });
  if (!judgement.ok) return judgement;
  const { allowed, reasons, policies, levels } = judgement.value;
  host.say(`${targetName}: ${allowed ? 'fit for release' : 'not fit for release'}\n  ${reasons.join('\n  ')}\n`);
  const fit = demandAllowed(judgement.value, targetName);
  if (!fit.ok) return fit;
  const signer = await openSigner(
    await readInput(options.key),
    { file: options.key, passphraseFile: options.passphraseFile },
    host,
  );
  if (!signer.ok) return signer;
  const judged = { release, targetName, files, judgement: judgement.value };
  const vsa = await signVsa(trust.value, judged, { signer: signer.value, now: host.now() });
  if (!vsa.ok) return vsa;
  await writeNew(options.out, vsa.value);
  const facts = {
    file: options.out,
    sha256: sha256Hex(vsa.value),
    image: release.image.sha256,
    policies,
    reasons,
    levels,
  };
  return accept({ facts, text: `${options.out}: the summary of this judgement\n  next: firmament channel-draft` });
}

async function readFiles({ policy, provenance, rebuild }: Options): Promise<JudgedFiles> {
  return {
    policy: await readInput(policy),
    provenance: await readInput(provenance),
    rebuilds: await Promise.all(rebuild.map(readInput)),
  };
}
