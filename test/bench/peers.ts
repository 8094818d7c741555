/**
 * The peers that the benchmark measures us beside: versions pinned here, in their fastest documented settings.
 *
 * - A line of the benchmark names its peer by the name here; a run with another version installed is refused.
 */
import { createRequire } from 'node:module';

export type Peer = {
  /** The npm package, or undefined for Node itself and for a real part. */
  readonly package: string | undefined;
  /** The real part that brings it (`test/real/parts.ts`): its version is looked at when it has been prepared. */
  readonly part?: string;
  readonly version: string;
  /** What is run of the peer. */
  readonly command: string;
  /** What is run of ours beside it. */
  readonly ours: string;
};

const SERVE = 'serve({ store, host, port, log }) of ota-server/listen.ts, its own process';

const TUF_CLIENT = 'bootloader-verifier/tuf-client download, a cold folder, its own process, start-up included';

export const PEERS: Readonly<Record<string, Peer>> = {
  'python-tuf': {
    package: undefined,
    part: 'python-tuf',
    version: '7.0.1',
    command: 'tuf.ngclient.Updater: refresh(), get_targetinfo(), download_target(), a cold folder, its own process',
    ours: TUF_CLIENT,
  },
  'python-tuf, bins': {
    package: undefined,
    part: 'python-tuf',
    version: '7.0.1',
    command:
      '1,000,000 targets that say of an image what ours say, in 1,024 succinct bins, signed and written; a release added to its bin, a new snapshot and timestamp',
    ours: 'a deployment of as many releases: drafts, signatures of people, and the publications of the signer daemon, each synced',
  },
  'tuf-js': {
    package: 'tuf-js',
    version: '6.0.2',
    command: 'Updater: refresh(), getTargetInfo(), downloadTarget(), a cold folder, its own process',
    ours: TUF_CLIENT,
  },
  'go-tuf': {
    package: undefined,
    part: 'go-tuf',
    version: 'v2.4.2',
    command: 'updater: Refresh(), GetTargetInfo(), DownloadTarget(), a cold folder, its own process, built by Go',
    ours: TUF_CLIENT,
  },
  '@tufjs/models': {
    package: '@tufjs/models',
    version: '5.0.2',
    command: 'Metadata.fromJSON(MetadataKind.Targets, JSON.parse(text))',
    ours: 'parseTargets(bytes): strict JSON, every field checked, and the canonical bytes for the signatures',
  },
  'express.static': {
    package: 'express',
    version: '5.3.0',
    command: 'express.static(folder, { index: false, redirect: false, fallthrough: false, lastModified: false })',
    ours: SERVE,
  },
  'a fixed bound': {
    package: undefined,
    version: '24.21.0',
    command: 'nothing: what a deployment of 10,000 products, or the start of a client, may cost at most',
    ours: "the signer daemon's own code over a folder and its database, and a device's refresh, in a process of its own; tuf-client init",
  },
  'node -e 0': {
    package: undefined,
    version: '24.21.0',
    command: 'node -e 0, its own process',
    ours: 'tuf-client init, its own process',
  },
  'bare node:http': {
    package: undefined,
    version: '24.21.0',
    command: 'createServer((request, response) => response.writeHead(...).end(body)), the answer known beforehand',
    ours: SERVE,
  },
};

/** The version of `peer` that is installed; of a part, the one that is wanted. */
export function installedVersion(peer: Peer): string {
  if (peer.part !== undefined) return peer.version;
  if (peer.package === undefined) return process.versions.node;
  const manifest = createRequire(import.meta.url)(`${peer.package}/package.json`) as { readonly version: string };
  return manifest.version;
}
