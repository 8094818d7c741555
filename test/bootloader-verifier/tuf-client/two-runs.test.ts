/** Two runs of the client on one folder at once: the slower one brings nothing back that the faster one has replaced. */
import { expect, test } from 'vitest';
import { openMetadataFolder } from '../../../bootloader-verifier/agent/tuf-client/metadata-folder.ts';
import {
  keepInitialRoot,
  refreshMetadata,
  type TufClient,
} from '../../../bootloader-verifier/agent/tuf-client/refresh-metadata.ts';
import { accepted } from '../../accepted.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { simulate, versionsOf, type SimulatedRepository } from './simulated-repository.ts';

const ROLES = ['root', 'timestamp', 'snapshot', 'targets'];

/** A client over a folder that it shares with others, which has refreshed once. @param pid of a process that lives. */
async function clientOver(client: TufClient, folder: string, pid: number): Promise<TufClient> {
  return { ...client, store: await openMetadataFolder(folder, pid) };
}

async function kept({ store }: TufClient): Promise<string> {
  const files = await Promise.all(ROLES.map(async (role) => [role, await store.read(role)] as const));
  return versionsOf(new Map(files.map(([role, bytes]) => [role, bytes ?? new Uint8Array()])));
}

type Scene = { readonly repository: SimulatedRepository; readonly slow: TufClient; readonly fast: TufClient };

/** Two clients with version 1 of everything, in front of a repository with version 2. */
async function twoRuns(): Promise<Scene> {
  const { repository, client } = await simulate();
  const folder = temporaryFolder('two-runs');
  const slow = await clientOver(client.client, folder, process.pid);
  const fast = await clientOver(client.client, folder, process.ppid);
  accepted(await keepInitialRoot(slow, repository.newest('root')));
  accepted(await refreshMetadata(slow));
  await repository.publishAll();
  return { repository, slow, fast };
}

/** `client`, for which the answer to `file` is on its way while `meanwhile` happens. */
function held(client: TufClient, file: string, meanwhile: () => Promise<void>): TufClient {
  return {
    ...client,
    fetcher: async (url, ...more) => {
      const answer = await client.fetcher(url, ...more);
      if (url.endsWith(`/${file}`)) await meanwhile();
      return answer;
    },
  };
}

test.each(['2.root.json', 'timestamp.json', '2.snapshot.json', '2.targets.json'])(
  'while one waits for %s, another one refreshes to newer files, which stay',
  async (file) => {
    const { repository, slow, fast } = await twoRuns();
    const run = refreshMetadata(
      held(slow, file, async () => {
        await repository.publishAll();
        accepted(await refreshMetadata(fast));
      }),
    );
    await expect(run).rejects.toThrow(/another run/);
    expect(await kept(fast)).toBe('root 3, snapshot 3, targets 3, timestamp 3');
    accepted(await refreshMetadata(slow));
    expect(await kept(slow)).toBe('root 3, snapshot 3, targets 3, timestamp 3');
  },
);

test.each(['2.root.json', 'timestamp.json', '2.snapshot.json', '2.targets.json'])(
  'while one waits for %s, another one brings the same: both end well',
  async (file) => {
    const { slow, fast } = await twoRuns();
    accepted(await refreshMetadata(held(slow, file, async () => void accepted(await refreshMetadata(fast)))));
    expect(await kept(slow)).toBe('root 2, snapshot 2, targets 2, timestamp 2');
  },
);
