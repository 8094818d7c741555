/**
 * The roles of the published repository with their versions and expiries, and the wave that is open: as anybody can read them.
 *
 * - For people to look at: nothing here is verified, and nothing is decided by it. Devices verify for themselves.
 * - What cannot be read is left out; the page says what it has.
 */
import type { RepositoryClient } from '../../bootloader-verifier/agent/repository-client.ts';
import { parseChannelPart } from '../../formats/channel-part.ts';
import { encodeInstant } from '../../formats/instant.ts';
import type { Metadata, SignedHead } from '../../formats/tuf-metadata.ts';
import { parseRoot, ROOT_BYTES_MAX } from '../../formats/tuf-root.ts';
import { parseSnapshot, parseTimestamp, SNAPSHOT_BYTES_MAX, TIMESTAMP_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { parseTargets, TARGETS_BYTES_MAX, type Targets } from '../../formats/tuf-targets.ts';
import { parseWaveStep } from '../../formats/wave-step.ts';

export type RoleView = { readonly role: string; readonly version: number; readonly expires: string };
export type WaveView = {
  readonly channel: string;
  readonly release: string;
  readonly wave: string;
  readonly reaches: string;
  readonly leaseEnds: string;
};
export type RolesView = { readonly roles: readonly RoleView[]; readonly waves: readonly WaveView[] };

const ROOTS_LOOKED_FOR = 256;

/** Reads what the repository behind `client` shows. Faults of the network throw `OperationError`. */
export async function readRoles(client: RepositoryClient): Promise<RolesView> {
  const roles: RoleView[] = [];
  const root = await newestRoot(client);
  if (root !== undefined) roles.push(root);
  const timestamp = parsed(await client.get('metadata/timestamp.json', TIMESTAMP_BYTES_MAX), parseTimestamp);
  if (timestamp === undefined) return { roles, waves: [] };
  const { version } = timestamp.signed.snapshot;
  const snapshot = parsed(await client.get(`metadata/${version}.snapshot.json`, SNAPSHOT_BYTES_MAX), parseSnapshot);
  const people = new Map<string, Metadata<Targets>>();
  for (const [file, listed] of snapshot?.signed.meta ?? []) {
    const role = parsed(await client.get(`metadata/${listed.version}.${file}`, TARGETS_BYTES_MAX), parseTargets);
    if (role !== undefined) people.set(file.replace(/\.json$/, ''), role);
  }
  roles.push(...[...people].map(([name, { signed }]) => roleView(name, signed)));
  if (snapshot !== undefined) roles.push(roleView('snapshot', snapshot.signed));
  roles.push(roleView('timestamp', timestamp.signed));
  return { roles, waves: wavesOf(people) };
}

async function newestRoot(client: RepositoryClient): Promise<RoleView | undefined> {
  let newest: RoleView | undefined;
  for (let version = 1; version <= ROOTS_LOOKED_FOR; version++) {
    const root = parsed(await client.get(`metadata/${version}.root.json`, ROOT_BYTES_MAX), parseRoot);
    if (root === undefined) break;
    newest = roleView('root', root.signed);
  }
  return newest;
}

function parsed<T>(
  bytes: Uint8Array | undefined,
  parse: (bytes: Uint8Array) => { readonly ok: true; readonly value: T } | { readonly ok: false },
): T | undefined {
  const role = bytes === undefined ? undefined : parse(bytes);
  return role?.ok === true ? role.value : undefined;
}

function roleView(role: string, { version, expires }: SignedHead): RoleView {
  return { role, version, expires: encodeInstant(expires) };
}

/** The wave of each channel whose plan has one open. */
function wavesOf(roles: ReadonlyMap<string, Metadata<Targets>>): readonly WaveView[] {
  return [...roles].flatMap(([channel, { signed }]) => {
    const rollout = roles.get(`${channel}-rollout`);
    const part = rollout === undefined ? undefined : parseChannelPart(signed.firmament);
    const step = rollout === undefined ? undefined : parseWaveStep(rollout.signed.firmament);
    const plan = part?.ok === true ? part.value.plan : undefined;
    if (plan === undefined || step?.ok !== true || rollout === undefined) return [];
    const count = step.value.open.length;
    const bound = plan.waves[count - 1]?.cohortBp ?? 0;
    const done = step.value.completedAt !== undefined;
    return [
      {
        channel,
        release: plan.release,
        wave: done ? 'completed' : `${count} of ${plan.waves.length}`,
        reaches: done ? 'all devices' : `${bound / 100} % of the devices`,
        leaseEnds: encodeInstant(rollout.signed.expires),
      },
    ];
  });
}
