/**
 * A release: one or more components, installed and confirmed as one, each with its evidence.
 *
 * - A component's image is the target `RELEASE/COMPONENT/FILE` whose `custom.firmament` (version 1) describes it.
 * - Its evidence stands beside it as targets of the same release and component, named by digest through TUF itself (rule R29).
 * - Unknown members are refused.
 * - Each component has an order of its own: the order of members in a file is under no signature and must decide nothing.
 * - Specified in `docs/formats/release.md`.
 */
import { integer, list, literal, object, oneOf, optional, refine, type Decoder } from './decode.ts';
import type { JsonObject, JsonValue } from './json.ts';
import {
  encodeTargetName,
  firmwareVersionDecoder,
  nameDecoder,
  parseTargetName,
  releaseOf,
  segmentDecoder,
} from './names.ts';
import type { TargetFile } from './tuf-targets.ts';
import { accept, reject, type Verdict } from './verdict.ts';

/**
 * How a component's image is brought to life: `slot` is started by the boot stage from the slot it lies in; `transfer` is
 * brought from there to the flash of a microcontroller of its own.
 */
export type Installer = 'slot' | 'transfer';

/** What `custom.firmament` says of an image. */
export type ImagePart = {
  readonly firmwareVersion: string;
  /** Never decreases; a device refuses what lies below its floor. */
  readonly securityCounter: number;
  readonly hardwareIds: readonly string[];
  readonly installer: Installer;
  /** Components are installed in this order, lowest first; no two have the same. */
  readonly order: number;
  /** File name of the provenance, beside the image. */
  readonly provenance: string;
  /** File name of the summary of its judgement, beside the image; devices demand it where verifiers are listed. */
  readonly vsa?: string | undefined;
};

/** A file of a release, as TUF names it. */
export type ReleaseTarget = { readonly name: string; readonly length: number; readonly sha256: string };
export type Component = ImagePart & {
  readonly component: string;
  readonly image: ReleaseTarget;
  readonly provenanceTarget: ReleaseTarget;
  readonly vsaTarget?: ReleaseTarget | undefined;
};
export type Release = { readonly release: string; readonly components: readonly Component[] };

export const COMPONENTS_MAX = 8;
export const HARDWARE_IDS_MAX = 32;

export const installerDecoder: Decoder<Installer> = oneOf('slot', 'transfer');

const imagePartDecoder: Decoder<ImagePart> = refine(
  object('refused', {
    version: literal(1),
    firmwareVersion: firmwareVersionDecoder,
    securityCounter: integer(0),
    hardwareIds: list(nameDecoder, HARDWARE_IDS_MAX, 1),
    installer: installerDecoder,
    order: integer(1, COMPONENTS_MAX),
    provenance: segmentDecoder,
    vsa: optional(segmentDecoder),
  }),
  ({ version: _, ...part }) => accept(part),
);

const customDecoder = object('ignored', { firmament: optional(imagePartDecoder) });

/**
 * Assembles the release `name` from a channel's targets.
 * @returns its components in the order of installation, or `RELEASE_MALFORMED` if it has none, too many, two in one place,
 * none that is started from a slot, or one whose evidence is missing.
 */
export function parseRelease(
  targets: ReadonlyMap<string, TargetFile>,
  name: string,
): Verdict<Release, 'RELEASE_MALFORMED'> {
  const components: Component[] = [];
  for (const [targetName, file] of targets) {
    if (file.custom === undefined || !targetName.startsWith(`${name}/`)) continue;
    const parts = parseTargetName(targetName);
    if (parts === undefined || parts.release !== name) continue;
    const custom = customDecoder(file.custom);
    if (!custom.ok) return reject('RELEASE_MALFORMED', `${targetName}: .custom${custom.detail}`);
    const part = custom.value.firmament;
    if (part === undefined) continue;
    const beside = (name: string): Verdict<ReleaseTarget, 'RELEASE_MALFORMED'> =>
      findBeside(targets, encodeTargetName({ ...parts, file: name }), targetName);
    const image = findBeside(targets, targetName, targetName);
    if (!image.ok) return image;
    const provenance = beside(part.provenance);
    if (!provenance.ok) return provenance;
    const vsa = part.vsa === undefined ? accept(undefined) : beside(part.vsa);
    if (!vsa.ok) return vsa;
    components.push({
      ...part,
      component: parts.component,
      image: image.value,
      provenanceTarget: provenance.value,
      vsaTarget: vsa.value,
    });
  }
  if (components.length === 0) return reject('RELEASE_MALFORMED', `${name}: the channel lists no image of it`);
  const names = new Set(components.map((component) => component.component));
  const orders = new Set(components.map((component) => component.order));
  // Orders reach to `COMPONENTS_MAX`: where each has its own, there are no more components than that.
  if (names.size < components.length || orders.size < components.length) {
    return reject('RELEASE_MALFORMED', `${name}: each component has one image and an order of its own`);
  }
  if (!components.some(({ installer }) => installer === 'slot')) {
    return reject('RELEASE_MALFORMED', `${name}: no component is started from a slot`);
  }
  return accept({ release: name, components: components.sort((a, b) => a.order - b.order) });
}

/** The target `name`: the image `of` itself, or what it names as its evidence. */
function findBeside(
  targets: ReadonlyMap<string, TargetFile>,
  name: string,
  of: string,
): Verdict<ReleaseTarget, 'RELEASE_MALFORMED'> {
  const file = targets.get(name);
  if (file === undefined) return reject('RELEASE_MALFORMED', `${of}: ${name} is not a target`);
  const { length, sha256 } = file;
  return sha256 === undefined
    ? reject('RELEASE_MALFORMED', `${of}: ${name} has no SHA-256`)
    : accept({ name, length, sha256 });
}

/** Whether `targets` list anything of the release `name`. */
export function listsRelease(targets: ReadonlyMap<string, TargetFile>, name: string): boolean {
  return [...targets.keys()].some((targetName) => releaseOf(targetName) === name);
}

/** The files that stand for a component beside its image. */
export function evidenceTargets({ provenanceTarget, vsaTarget }: Component): readonly ReleaseTarget[] {
  return vsaTarget === undefined ? [provenanceTarget] : [provenanceTarget, vsaTarget];
}

/** The `custom` member of an image's target. */
export function imagePartToCustom(part: ImagePart): JsonObject {
  const firmament = new Map<string, JsonValue>([
    ['version', 1],
    ['firmwareVersion', part.firmwareVersion],
    ['securityCounter', part.securityCounter],
    ['hardwareIds', part.hardwareIds],
    ['installer', part.installer],
    ['order', part.order],
    ['provenance', part.provenance],
  ]);
  if (part.vsa !== undefined) firmament.set('vsa', part.vsa);
  return new Map([['firmament', firmament]]);
}
