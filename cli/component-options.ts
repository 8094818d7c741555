/**
 * The options that describe the components of a release: each `--component` begins one, and what follows describes it.
 *
 * - Components are installed in the order in which they stand on the command line.
 * - A component that is not described whole, and a description without a component, are misuse.
 */
import { basename } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { installerDecoder, type Installer } from '../formats/release.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { ComponentDraft, ReleasedFile } from '../signer/draft-channel.ts';
import { readInput } from './files.ts';
import { countValue, firmwareVersionValue, nameValue } from './option-values.ts';

/** What was said of one component. */
export type DescribedComponent = {
  readonly component: string;
  installer: Installer;
  image?: string;
  provenance?: string;
  vsa?: string;
  firmwareVersion?: string;
  securityCounter?: number;
  hardwareIds: readonly string[];
};

/** What a component needs, for people. */
export const COMPONENT_NEEDS =
  '--component, --image, --provenance, --firmware-version, --security-counter and --hardware';

/** Adds the options to `command`. @returns the components that they describe, in order, filled while the line is parsed. */
export function defineComponentOptions(command: Command): readonly DescribedComponent[] {
  const described: DescribedComponent[] = [];
  const begin = (value: string): void => {
    described.push({ component: nameValue(value), installer: 'slot', hardwareIds: [] });
  };
  const into = (take: (component: DescribedComponent, value: string) => void) => (value: string) => {
    const last = described.at(-1);
    if (last === undefined) throw new InvalidArgumentError('--component comes first');
    take(last, value);
  };
  command
    .option('--component <name>', 'a component of it; the options up to the next one describe it', begin)
    .option(
      '--installer <kind>',
      'slot for what the device starts (default), transfer for a microcontroller',
      into(installer),
    )
    .option(
      '--image <file>',
      'its image',
      into((to, value) => (to.image = value)),
    )
    .option(
      '--provenance <file>',
      'the provenance of the image',
      into((to, value) => (to.provenance = value)),
    )
    .option(
      '--vsa <file>',
      'the summary of its judgement, where verifiers are listed',
      into((to, value) => (to.vsa = value)),
    )
    .option('--firmware-version <version>', 'its version for people', into(firmwareVersion))
    .option('--security-counter <n>', 'its security counter', into(securityCounter))
    .option('--hardware <id...>', 'the hardware it is for', into(hardware));
  return described;
}

function installer(to: DescribedComponent, value: string): void {
  const kind = installerDecoder(value);
  if (!kind.ok) throw new InvalidArgumentError('slot or transfer is expected');
  to.installer = kind.value;
}

function firmwareVersion(to: DescribedComponent, value: string): void {
  to.firmwareVersion = firmwareVersionValue(value);
}

function securityCounter(to: DescribedComponent, value: string): void {
  to.securityCounter = countValue(value);
}

function hardware(to: DescribedComponent, value: string): void {
  to.hardwareIds = [...to.hardwareIds, value];
}

/** The drafts of `described`, their files read; or undefined if there is none, or one is not described whole. */
export async function readComponents(
  described: readonly DescribedComponent[],
): Promise<readonly ComponentDraft[] | undefined> {
  const drafts: ComponentDraft[] = [];
  for (const { image, provenance, vsa, firmwareVersion: version, securityCounter: counter, ...part } of described) {
    if (image === undefined || provenance === undefined || version === undefined) return undefined;
    if (counter === undefined || part.hardwareIds.length === 0) return undefined;
    drafts.push({
      ...part,
      firmwareVersion: version,
      securityCounter: counter,
      image: await releasedFile(image),
      provenance: await releasedFile(provenance),
      vsa: vsa === undefined ? undefined : await releasedFile(vsa),
    });
  }
  return drafts.length === 0 ? undefined : drafts;
}

async function releasedFile(path: string): Promise<ReleasedFile> {
  const bytes = await readInput(path);
  return { file: basename(path), length: bytes.length, sha256: sha256Hex(bytes) };
}
