/**
 * A chain that real processes are killed in: two releases, published, and a device that has confirmed the first.
 *
 * - Everything is made by the pilot's own steps: keys, root, builds, approvals, publications.
 * - Each round works on copies, so that every kill falls into the same way from the first release to the second.
 * - A kill is `SIGKILL`: nothing of the process gets to run any more. What the file system took before stays.
 */
import { watch } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAccount } from '../../../pilot/account.ts';
import { foundCompany, type Company } from '../../../pilot/company.ts';
import { foundRepository, type PilotRepository } from '../../../pilot/founding.ts';
import { openPublishedStore } from '../../../pilot/published-store.ts';
import { releaseBuilder, type BuiltRelease } from '../../../pilot/builds.ts';
import { publishRelease, RELEASES } from '../../../pilot/releases.ts';
import { startSigner } from '../../../pilot/signer-process.ts';
import type { Stage } from '../../../pilot/stage.ts';

export type KilledChain = {
  readonly folder: string;
  readonly stage: Stage;
  readonly company: Company;
  readonly repository: PilotRepository;
  readonly store: string;
  readonly releases: readonly [BuiltRelease, BuiltRelease];
  /** Approves and publishes a release, as the pilot does. */
  readonly publish: (built: BuiltRelease) => Promise<void>;
  readonly remove: () => Promise<void>;
};

/** Makes the company, its repository and two builds; nothing is published yet. */
export async function makeKilledChain(): Promise<KilledChain> {
  const folder = await mkdtemp(join(tmpdir(), 'firmament-kills-'));
  const store = join(folder, 'store');
  const stage: Stage = {
    folder,
    store: await openPublishedStore(store),
    account: openAccount(() => undefined, true),
    now: Date.now,
    onDeviceEvent: () => undefined,
    onRelease: () => undefined,
  };
  const company = await foundCompany(join(folder, 'people'));
  const signer = await startSigner(stage, company);
  const repository = await foundRepository(stage, company, signer);
  const [one, two] = RELEASES;
  if (one === undefined || two === undefined) throw new Error('the pilot has two releases');
  const build = releaseBuilder(stage, company);
  const releases = [await build(one), await build(two)] as const;
  const publish = (built: BuiltRelease): Promise<void> => publishRelease(stage, { company, repository }, built);
  const remove = async (): Promise<void> => {
    await signer.stop();
    await company.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { folder, stage, company, repository, store, releases, publish, remove };
}

/** A copy of `from` under a name of its own, beside it; the caller's rounds number them. */
export async function copyFolder(from: string, to: string): Promise<string> {
  await rm(to, { recursive: true, force: true });
  await mkdir(join(to, '..'), { recursive: true });
  await cp(from, to, { recursive: true });
  return to;
}

/**
 * Settles at the `count`-th time that `name` in `folder` is seen to change, or once `ended` settles.
 * @param folder must exist; only changes after this call count.
 */
export function changeOf(
  folder: string,
  { name, count, ended }: { readonly name: string; readonly count: number; readonly ended: Promise<void> },
): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    const watcher = watch(folder, (_, changed) => {
      if (changed === name && ++seen === count) finish();
    });
    const finish = (): void => {
      watcher.close();
      resolve();
    };
    void ended.then(finish, finish);
  });
}

/** The file in `folder` that was written last, at a nanosecond's precision. */
export async function lastWritten(folder: string): Promise<string> {
  let last = { name: '', at: 0n };
  for (const name of await readdir(folder)) {
    const { mtimeNs } = await stat(join(folder, name), { bigint: true });
    if (mtimeNs > last.at) last = { name, at: mtimeNs };
  }
  return last.name;
}

/** Counts where kills fell; the text names every place with its number. */
export function countPlaces(): {
  readonly add: (place: string) => void;
  readonly of: (place: string) => number;
  readonly text: () => string;
} {
  const counts = new Map<string, number>();
  return {
    add: (place) => void counts.set(place, (counts.get(place) ?? 0) + 1),
    of: (place) => counts.get(place) ?? 0,
    text: () => [...counts].map(([place, count]) => `${place} ${count}`).join(', '),
  };
}
