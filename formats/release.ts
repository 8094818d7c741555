/**
 * A release: one or more components, installed and confirmed as one, each with its evidence.
 *
 * - A component's image is the target `RELEASE/COMPONENT/FILE` whose `custom.firmament` (version 1) describes it.
 * - Its evidence stands beside it as targets of the same release and component, named by digest through TUF itself (rule R29).
 * - Unknown members are refused.
 * - Specified in `docs/formats/release.md`.
 */
import { integer, list, literal, object, oneOf, refine, type Decoder } from './decode.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { encodeTargetName, firmwareVersionDecoder, nameDecoder, parseTargetName, segmentDecoder } from './names.ts';
import type { TargetFile } from './tuf-targets.ts';
import { accept, reject, type Verdict } from './verdict.ts';

/** How a component's image is brought to life; more kinds come with more installers. */
export type Installer = 'slot';

/** What `custom.firmament` says of an image. */
export type ImagePart = {
  readonly firmwareVersion: string;
  /** Never decreases; a device refuses what lies below its floor. */
  readonly securityCounter: number;
  readonly hardwareIds: readonly string[];
  readonly installer: Installer;
  /** Components are installed in this order, lowest first. */
  readonly order: number;
  /** File name of the provenance, beside the image. */
  readonly provenance: string;
};

export type Component = ImagePart & {
  readonly component: string;
  readonly image: { readonly name: string; readonly length: number; readonly sha256: string };
  readonly provenanceTarget: { readonly name: string; readonly length: number; readonly sha256: string };
};
export type Release = { readonly release: string; readonly components: readonly Component[] };

export const COMPONENTS_MAX = 8;
const HARDWARE_IDS_MAX = 32;

const imagePartDecoder: Decoder<ImagePart> = refine(
  object('refused', {
    version: literal(1),
    firmwareVersion: firmwareVersionDecoder,
    securityCounter: integer(0),
    hardwareIds: list(nameDecoder, HARDWARE_IDS_MAX, 1),
    installer: oneOf('slot'),
    order: integer(1, COMPONENTS_MAX),
    provenance: segmentDecoder,
  }),
  ({ version: _, ...part }) => accept(part),
);

/**
 * Assembles the release `name` from a channel's targets.
 * @returns its components in the order of installation, or `RELEASE_MALFORMED` if it has none, too many,
 * or one whose provenance is missing.
 */
export function parseRelease(
  targets: ReadonlyMap<string, TargetFile>,
  name: string,
): Verdict<Release, 'RELEASE_MALFORMED'> {
  const components: Component[] = [];
  for (const [targetName, file] of targets) {
    const parts = parseTargetName(targetName);
    const firmament = file.custom?.get('firmament');
    if (parts === undefined || parts.release !== name || firmament === undefined) continue;
    const part = imagePartDecoder(firmament);
    if (!part.ok) return reject('RELEASE_MALFORMED', `${targetName}: .custom.firmament${part.detail}`);
    const provenanceName = encodeTargetName({ ...parts, file: part.value.provenance });
    const provenance = targets.get(provenanceName);
    if (provenance === undefined)
      return reject('RELEASE_MALFORMED', `${targetName}: ${provenanceName} is not a target`);
    components.push({
      ...part.value,
      component: parts.component,
      image: { name: targetName, length: file.length, sha256: file.sha256 },
      provenanceTarget: { name: provenanceName, length: provenance.length, sha256: provenance.sha256 },
    });
  }
  components.sort((a, b) => a.order - b.order);
  const names = new Set(components.map((component) => component.component));
  if (components.length === 0) return reject('RELEASE_MALFORMED', `${name}: the channel lists no image of it`);
  if (components.length > COMPONENTS_MAX || names.size < components.length) {
    return reject('RELEASE_MALFORMED', `${name}: at most ${COMPONENTS_MAX} components, each with one image`);
  }
  return accept({ release: name, components });
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
  return new Map([['firmament', firmament]]);
}
