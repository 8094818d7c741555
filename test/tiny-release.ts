/**
 * A tiny release for tests: an image, its provenance by a seeded builder, and what a channel says of both.
 *
 * - Everything follows from the options: the same options give the same bytes.
 */
import { preAuthEncoding, encodeEnvelope } from '../formats/dsse.ts';
import { encodeUtf8 } from '../formats/bytes.ts';
import { encodeProvenance, TWO_RUNS_BUILD_TYPE, type Provenance } from '../formats/provenance.ts';
import type { Installer } from '../formats/release.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { STATEMENT_PAYLOAD_TYPE } from '../formats/statement.ts';
import type { Builder } from '../formats/trust-part.ts';
import type { Vsa } from '../formats/vsa.ts';
import type { ComponentDraft } from '../signer/draft-channel.ts';
import type { Signer } from '../signer/signer.ts';

/** One component of a release; what is left out has the default of the device `gateway` on hardware `gw-1`. */
export type ComponentOptions = {
  readonly component?: string;
  readonly file?: string;
  readonly image?: Uint8Array;
  readonly firmwareVersion?: string;
  readonly securityCounter?: number;
  readonly hardwareIds?: readonly string[];
  readonly installer?: Installer;
  /** Changes what the builder claims, before it is signed. */
  readonly provenance?: Partial<Provenance>;
  /** Who signs the provenance. */
  readonly builder?: Signer;
  /** Stands for the whole provenance file. */
  readonly provenanceBytes?: Uint8Array;
  /** Stands for the file of an honest verifier, which is made in repositories that list one; undefined is none. */
  readonly vsa?: (honest: Vsa) => Promise<Uint8Array | undefined>;
};
export type TinyComponent = {
  readonly draft: ComponentDraft;
  readonly image: Uint8Array;
  readonly provenance: Uint8Array;
  readonly vsa?: Uint8Array | undefined;
};

export const BUILDER_ID = 'https://builder.example/two-runs';
export const SOURCE_URI = 'git+https://source.example/gateway.git';
const NOON_MS = Date.UTC(2026, 0, 1, 12);

/** What the targets role of a tiny repository lists. */
export function tinyBuilder(signer: Signer): Builder {
  return { id: BUILDER_ID, key: signer.key, source: SOURCE_URI };
}

/** The component of `release` that `options` describe, built by `builder`. */
export async function tinyComponent(
  release: string,
  builder: Signer,
  options: ComponentOptions,
): Promise<TinyComponent> {
  const { component = 'gateway', file = 'image.js', hardwareIds = ['gw-1'], securityCounter = 1 } = options;
  const image = options.image ?? encodeUtf8(`// ${component} ${release}\n`);
  const claims = { ...tinyProvenance(file, sha256Hex(image)), ...options.provenance };
  const provenance = options.provenanceBytes ?? (await signedProvenance(claims, options.builder ?? builder));
  const firmwareVersion = options.firmwareVersion ?? (/^\d+\.\d+\.\d+$/.test(release) ? release : '1.0.0');
  const draft = {
    component,
    firmwareVersion,
    securityCounter,
    hardwareIds,
    installer: options.installer ?? 'slot',
    image: { file, length: image.length, sha256: sha256Hex(image) },
    provenance: { file: `${file}.provenance.json`, length: provenance.length, sha256: sha256Hex(provenance) },
  };
  return { draft, image, provenance };
}

/** The DSSE envelope of `claims`, signed by `builder`. */
export async function signedProvenance(claims: Provenance, builder: Signer): Promise<Uint8Array> {
  const payload = encodeProvenance(claims);
  const sig = await builder.sign(preAuthEncoding(STATEMENT_PAYLOAD_TYPE, payload));
  return encodeEnvelope({
    payloadType: STATEMENT_PAYLOAD_TYPE,
    payload,
    signatures: [{ keyid: builder.keyid, sig }],
  });
}

/** What an honest builder claims of an image: two runs with nothing in common but their result. */
export function tinyProvenance(name: string, sha256: string): Provenance {
  const run = (index: number): Provenance['runs'][number] => ({
    sha256,
    surroundings: {
      folder: `run-${index}`,
      clockShiftSeconds: index * 1000,
      timeZone: `Etc/GMT+${index}`,
      locale: `locale-${index}`,
      user: `user-${index}`,
      host: `host-${index}`,
      umask: `002${index}`,
      fileTimes: NOON_MS - index * 86_400_000,
      fileOrder: `order-${index}`,
    },
  });
  return {
    subjects: [{ name, sha256 }],
    buildType: TWO_RUNS_BUILD_TYPE,
    externalParameters: {
      source: SOURCE_URI,
      folder: '.',
      command: ['node', 'build.ts'],
      output: `dist/${name}`,
      environment: new Map(),
    },
    source: { uri: SOURCE_URI, commit: 'c0ffee'.padEnd(40, '0'), algorithm: 'gitCommit' },
    dependencies: [],
    builderId: BUILDER_ID,
    builderVersions: new Map([['node', '24.0.0']]),
    invocationId: 'https://builder.example/runs/1',
    startedOn: NOON_MS,
    finishedOn: NOON_MS + 60_000,
    runs: [run(1), run(2)],
  };
}
