/**
 * The repository that `docs/formats/tuf.md` shows, as signed files, and ways to change them.
 *
 * - Made with the encoders alone, from seeded keys and a fixed date: the same bytes always.
 * - `edited` changes one value of a file as another tool would write it; the signatures stay and no longer fit.
 */
import { bindingToJson, type RepositoryId } from '../../formats/binding.ts';
import { encodeCanonicalJson } from '../../formats/canonical-json.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { channelPartToJson } from '../../formats/channel-part.ts';
import type { JsonObject, JsonValue } from '../../formats/json.ts';
import { imagePartToCustom } from '../../formats/release.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { PublicKey } from '../../formats/signature-check.ts';
import { trustPartToJson } from '../../formats/trust-part.ts';
import { encodeMetadata, type MetadataType, type SignedHead } from '../../formats/tuf-metadata.ts';
import { rootToJson, type Root } from '../../formats/tuf-root.ts';
import { snapshotToJson, timestampToJson, type MetaFile } from '../../formats/tuf-snapshot.ts';
import { targetsToJson, type Targets } from '../../formats/tuf-targets.ts';
import type { RoleKeys } from '../../formats/verify-signatures.ts';
import type { Signer } from '../../signer/signer.ts';
import { seededSigner } from '../seeded-signer.ts';

const PRODUCT = 'gateway';
export const SAMPLE_EXPIRES: number = Date.UTC(2030, 0, 1);

/** Who signs the sample: people's roles with two keys of two, online roles with one. */
export const SAMPLE_SIGNERS: Readonly<
  Record<'root' | 'targets' | 'stable' | 'snapshot' | 'timestamp', readonly Signer[]>
> = {
  root: [seededSigner('vector root 1'), seededSigner('vector root 2')],
  targets: [seededSigner('vector targets 1'), seededSigner('vector targets 2')],
  stable: [seededSigner('vector stable 1'), seededSigner('vector stable 2')],
  snapshot: [seededSigner('vector snapshot')],
  timestamp: [seededSigner('vector timestamp')],
};

/** The file of `signed` with a signature of each of `signers`. */
export async function signedBy(signed: JsonValue, signers: readonly Signer[]): Promise<Uint8Array> {
  const message = encodeCanonicalJson(signed);
  return encodeMetadata(
    signed,
    await Promise.all(signers.map(async ({ keyid, sign }) => ({ keyid, sig: await sign(message) }))),
  );
}

/** The keys of `signers` by id. */
export function keysOf(signers: readonly Signer[]): ReadonlyMap<string, PublicKey> {
  return new Map(signers.map(({ keyid, key }) => [keyid, key]));
}

/** The role that all of `signers` must sign. */
export function roleOf(signers: readonly Signer[]): RoleKeys {
  return { keyids: signers.map(({ keyid }) => keyid), threshold: signers.length };
}

/** The common part of version 1 of a file. */
export function headOf(type: MetadataType, firmament?: JsonObject): SignedHead {
  return { type, version: 1, expires: SAMPLE_EXPIRES, firmament };
}

/** Root metadata with the keys of the sample. */
export const SAMPLE_ROOT: Root = {
  consistentSnapshot: true,
  keys: keysOf(['root', 'targets', 'snapshot', 'timestamp'].flatMap((role) => SAMPLE_SIGNERS[role as 'root'])),
  roles: {
    root: roleOf(SAMPLE_SIGNERS.root),
    targets: roleOf(SAMPLE_SIGNERS.targets),
    snapshot: roleOf(SAMPLE_SIGNERS.snapshot),
    timestamp: roleOf(SAMPLE_SIGNERS.timestamp),
  },
};

const rootOne = await signedBy(
  rootToJson({
    ...headOf('root', bindingToJson({ product: PRODUCT, role: 'root', rootOneSha256: undefined })),
    ...SAMPLE_ROOT,
  }),
  SAMPLE_SIGNERS.root,
);

/** The repository of the sample. */
export const SAMPLE_ID: RepositoryId = { product: PRODUCT, rootOneSha256: sha256Hex(rootOne) };

/** The binding of a part of the sample, with what its role adds. */
export function bound(role: string, more: readonly (readonly [string, JsonValue])[] = []): JsonObject {
  return bindingToJson({ ...SAMPLE_ID, role }, more);
}

const IMAGE = encodeUtf8('// gateway 1.0.0\n');
const PROVENANCE = encodeUtf8('{}\n');

function fileOf(bytes: Uint8Array): { readonly length: number; readonly sha256: string } {
  return { length: bytes.length, sha256: sha256Hex(bytes) };
}

/** The top-level targets role: one channel, one builder. */
export const SAMPLE_TARGETS: Targets = {
  targets: new Map(),
  delegations: {
    keys: keysOf(SAMPLE_SIGNERS.stable),
    roles: [{ ...roleOf(SAMPLE_SIGNERS.stable), name: 'stable', terminating: false, paths: ['*/*/*'] }],
  },
};

/** The channel: release 1.0.0, an image with its provenance. */
export const SAMPLE_CHANNEL: Targets = {
  targets: new Map([
    [
      '1.0.0/gateway/image.js',
      {
        ...fileOf(IMAGE),
        custom: imagePartToCustom({
          firmwareVersion: '1.0.0',
          securityCounter: 1,
          hardwareIds: ['gw-1'],
          installer: 'slot',
          order: 1,
          provenance: 'image.js.provenance.json',
        }),
      },
    ],
    ['1.0.0/gateway/image.js.provenance.json', { ...fileOf(PROVENANCE), custom: undefined }],
  ]),
  delegations: undefined,
};

const trust = trustPartToJson({
  builders: [
    {
      id: 'https://builder.example/two-runs',
      key: seededSigner('vector builder').key,
      source: 'git+https://source.example/gateway.git',
    },
  ],
});
const approval = channelPartToJson({ release: '1.0.0', minSecurityCounter: 1, revokedDigests: [] });

const rootTwo = await signedBy(
  rootToJson({ ...headOf('root', bound('root')), version: 2, ...SAMPLE_ROOT }),
  SAMPLE_SIGNERS.root,
);
const targets = await signedBy(
  targetsToJson({ ...headOf('targets', bound('targets', trust)), ...SAMPLE_TARGETS }),
  SAMPLE_SIGNERS.targets,
);
const stable = await signedBy(
  targetsToJson({ ...headOf('targets', bound('stable', approval)), ...SAMPLE_CHANNEL }),
  SAMPLE_SIGNERS.stable,
);

function metaOf(file: Uint8Array): MetaFile {
  return { version: 1, ...fileOf(file) };
}

const meta = new Map([
  ['stable.json', metaOf(stable)],
  ['targets.json', metaOf(targets)],
]);
const snapshot = await signedBy(
  snapshotToJson({ ...headOf('snapshot', bound('snapshot')), meta }),
  SAMPLE_SIGNERS.snapshot,
);
const timestamp = await signedBy(
  timestampToJson({ ...headOf('timestamp', bound('timestamp')), snapshot: metaOf(snapshot) }),
  SAMPLE_SIGNERS.timestamp,
);

export type SampleName =
  '1.root.json' | '2.root.json' | '1.targets.json' | '1.stable.json' | '1.snapshot.json' | 'timestamp.json';

/** The signed files, each under the name that it is published by. */
export const SAMPLE_FILES: Readonly<Record<SampleName, Uint8Array>> = {
  '1.root.json': rootOne,
  '2.root.json': rootTwo,
  '1.targets.json': targets,
  '1.stable.json': stable,
  '1.snapshot.json': snapshot,
  'timestamp.json': timestamp,
};

type Plain = Record<string | number, unknown>;

/**
 * `file` with another value at `path`, through each member name and index; undefined removes the member.
 * A function makes the value from the one that stands there.
 */
export function edited(file: Uint8Array, path: readonly (string | number)[], value: unknown): Uint8Array {
  const whole = JSON.parse(new TextDecoder().decode(file)) as Plain;
  const parent = path.slice(0, -1).reduce((node, name) => node[name] as Plain, whole);
  const last = path.at(-1) ?? '';
  parent[last] = typeof value === 'function' ? (value as (old: unknown) => unknown)(parent[last]) : value;
  return encodeUtf8(JSON.stringify(whole));
}
