/**
 * The peers that the benchmark measures us beside: versions pinned here, in their fastest documented settings.
 *
 * - A line of the benchmark names its peer by the name here; a run with another version installed is refused.
 */
import { createRequire } from 'node:module';

export type Peer = {
  /** The npm package, or undefined for Node itself. */
  readonly package: string | undefined;
  readonly version: string;
  /** What is run of the peer. */
  readonly command: string;
  /** What is run of ours beside it. */
  readonly ours: string;
};

const SERVE = 'serve({ store, host, port, log }) of ota-server/listen.ts, its own process';

export const PEERS: Readonly<Record<string, Peer>> = {
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
    command: 'nothing: what a deployment of 10,000 products may cost at most',
    ours: "the signer daemon's own code over a folder and its database, and a device's refresh, in a process of its own",
  },
  'bare node:http': {
    package: undefined,
    version: '24.21.0',
    command: 'createServer((request, response) => response.writeHead(...).end(body)), the answer known beforehand',
    ours: SERVE,
  },
};

/** The version of `peer` that is installed. */
export function installedVersion(peer: Peer): string {
  if (peer.package === undefined) return process.versions.node;
  const manifest = createRequire(import.meta.url)(`${peer.package}/package.json`) as { readonly version: string };
  return manifest.version;
}
