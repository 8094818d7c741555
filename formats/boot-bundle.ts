/**
 * The boot bundle of a slot: all signed files that its images need to be judged from flash alone (rule R10).
 *
 * - The files stand in it byte for byte as they were signed; nothing about them is trusted until `boot/verify-bundle.ts` has checked it.
 * - `roots` is a chain of consecutive root versions; it must contain the root that the floors pin.
 * - `evidence` has one item for each component of the device, in the order of installation.
 * - Specified in `docs/formats/flash.md`.
 */
import { encodeBase64 } from './bytes.ts';
import { base64Bytes, decodeJson, list, literal, object, optional, refine, type Decoder } from './decode.ts';
import { encodeJson } from './encode-json.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder, segmentDecoder } from './names.ts';
import { COMPONENTS_MAX } from './release.ts';
import { ROOT_BYTES_MAX } from './tuf-root.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type BootBundle = {
  readonly release: string;
  /** Root files, oldest first. */
  readonly roots: readonly Uint8Array[];
  readonly targets: Uint8Array;
  readonly channel: Uint8Array;
  /** The evidence of each image that this device installs, in the order of installation. */
  readonly evidence: readonly ComponentEvidence[];
};

/** What vouches for the image of one component. */
export type ComponentEvidence = {
  readonly component: string;
  /** DSSE envelope of the image's provenance. */
  readonly provenance: Uint8Array;
  /** DSSE envelope of the verification summary, where the channel names one. */
  readonly vsa?: Uint8Array | undefined;
};

export const BOOT_BUNDLE_BYTES_MAX = 1_000_000;
export const ROOTS_MAX = 256;
const FILE_BYTES_MAX = 700_000;

const evidenceDecoder: Decoder<ComponentEvidence> = object('refused', {
  component: nameDecoder,
  provenance: base64Bytes(FILE_BYTES_MAX),
  vsa: optional(base64Bytes(FILE_BYTES_MAX)),
});

const bundleDecoder: Decoder<BootBundle> = refine(
  object('refused', {
    version: literal(1),
    release: segmentDecoder,
    roots: list(base64Bytes(ROOT_BYTES_MAX), ROOTS_MAX, 1),
    targets: base64Bytes(FILE_BYTES_MAX),
    channel: base64Bytes(FILE_BYTES_MAX),
    evidence: list(evidenceDecoder, COMPONENTS_MAX, 1),
  }),
  ({ version: _, ...bundle }) => accept(bundle),
);

/** Parses a boot bundle. */
export function parseBootBundle(bytes: Uint8Array): Verdict<BootBundle, 'BOOT_BUNDLE_MALFORMED'> {
  const bundle = decodeJson(bytes, BOOT_BUNDLE_BYTES_MAX, bundleDecoder);
  return bundle.ok ? bundle : reject('BOOT_BUNDLE_MALFORMED', `${bundle.code}: ${bundle.detail}`);
}

/** The bytes of a boot bundle. */
export function encodeBootBundle(bundle: BootBundle): Uint8Array {
  return encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['release', bundle.release],
      ['roots', bundle.roots.map(encodeBase64)],
      ['targets', encodeBase64(bundle.targets)],
      ['channel', encodeBase64(bundle.channel)],
      ['evidence', bundle.evidence.map(evidenceToJson)],
    ]),
  );
}

function evidenceToJson({ component, provenance, vsa }: ComponentEvidence): JsonValue {
  const members = new Map<string, JsonValue>([
    ['component', component],
    ['provenance', encodeBase64(provenance)],
  ]);
  if (vsa !== undefined) members.set('vsa', encodeBase64(vsa));
  return members;
}
