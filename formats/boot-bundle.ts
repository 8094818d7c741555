/**
 * The boot bundle of a slot: all signed files that its images need to be judged from flash alone (rule R10).
 *
 * - The files stand in it byte for byte as they were signed; nothing about them is trusted until `boot/verify-bundle.ts` has checked it.
 * - `roots` is a chain of consecutive root versions; it must contain the root that the floors pin.
 * - `evidence` has one item for each component of the device, in the order of installation.
 * - Specified in `docs/formats/flash.md`.
 */
import { encodeBase64 } from './bytes.ts';
import {
  base64Bytes,
  decodeJson,
  integer,
  list,
  literal,
  object,
  optional,
  refine,
  shape,
  type Decoder,
} from './decode.ts';
import { encodeJson } from './encode-json.ts';
import type { JsonValue } from './json.ts';
import { LOG_PROOF_BYTES_MAX } from './log-proof.ts';
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
  /** Proofs that channel and roots are logged, where root demands a log. */
  readonly proofs?: LogProofs | undefined;
};

/** The proof of the channel file, and of each root after the first by its version. */
export type LogProofs = {
  readonly channel: Uint8Array | undefined;
  readonly roots: ReadonlyMap<number, Uint8Array>;
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
/** In base64, and with what stands around each, that is less than a quarter of the longest bundle. */
const SMALL_BYTES_MAX = 100_000;
const SMALL_PARTS_MAX = 100;

const evidenceDecoder: Decoder<ComponentEvidence> = object('refused', {
  component: nameDecoder,
  provenance: base64Bytes(FILE_BYTES_MAX),
  vsa: optional(base64Bytes(FILE_BYTES_MAX)),
});

const rootProofDecoder = object('refused', { version: integer(2), proof: base64Bytes(LOG_PROOF_BYTES_MAX) });
const proofsDecoder: Decoder<LogProofs> = refine(
  object('refused', { channel: optional(base64Bytes(LOG_PROOF_BYTES_MAX)), roots: list(rootProofDecoder, ROOTS_MAX) }),
  ({ channel, roots }) =>
    roots.every(({ version }, i) => i === 0 || version > (roots[i - 1]?.version ?? 0))
      ? accept({ channel, roots: new Map(roots.map(({ version, proof }) => [version, proof])) })
      : shape('roots stand in order, each once'),
);

const bundleDecoder: Decoder<BootBundle> = refine(
  object('refused', {
    version: literal(1),
    release: segmentDecoder,
    roots: list(base64Bytes(ROOT_BYTES_MAX), ROOTS_MAX, 1),
    targets: base64Bytes(FILE_BYTES_MAX),
    channel: base64Bytes(FILE_BYTES_MAX),
    evidence: list(evidenceDecoder, COMPONENTS_MAX, 1),
    proofs: optional(proofsDecoder),
  }),
  ({ version: _, ...bundle }) => accept(bundle),
);

/** Parses a boot bundle. */
export function parseBootBundle(bytes: Uint8Array): Verdict<BootBundle, 'BOOT_BUNDLE_MALFORMED'> {
  const bundle = decodeJson(bytes, BOOT_BUNDLE_BYTES_MAX, bundleDecoder);
  return bundle.ok ? bundle : reject('BOOT_BUNDLE_MALFORMED', `${bundle.code}: ${bundle.detail}`);
}

/** Whether `bundle` lies so far below every limit that `parseBootBundle` reads what `encodeBootBundle` writes of it. */
export function isSmallBundle({ roots, targets, channel, evidence, proofs }: BootBundle): boolean {
  const proven = [proofs?.channel, ...(proofs?.roots.values() ?? [])];
  const files = [...roots, targets, channel, ...evidence.flatMap(({ provenance, vsa }) => [provenance, vsa])];
  const parts = [...files, ...proven].map((part) => part?.length ?? 0);
  return (
    parts.length < SMALL_PARTS_MAX &&
    parts.reduce((sum, length) => sum + length, 0) < SMALL_BYTES_MAX &&
    proven.every((proof) => (proof?.length ?? 0) <= LOG_PROOF_BYTES_MAX)
  );
}

/** The bytes of a boot bundle. */
export function encodeBootBundle(bundle: BootBundle): Uint8Array {
  const proofs: [string, JsonValue][] = bundle.proofs === undefined ? [] : [['proofs', proofsToJson(bundle.proofs)]];
  return encodeJson(
    new Map<string, JsonValue>([
      ...proofs,
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

function proofsToJson({ channel, roots }: LogProofs): JsonValue {
  const proven = [...roots].map(
    ([version, proof]) =>
      new Map<string, JsonValue>([
        ['version', version],
        ['proof', encodeBase64(proof)],
      ]),
  );
  const members = new Map<string, JsonValue>([['roots', proven]]);
  if (channel !== undefined) members.set('channel', encodeBase64(channel));
  return members;
}
