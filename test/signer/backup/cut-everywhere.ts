/**
 * A process of its own, whose calls to the file system are cut: at call number N, for every N, and all after it, as when the power goes.
 *
 * - `node cut-everywhere.ts SIGNER BACKUP`: backs up the folder SIGNER, and restores the file BACKUP, into places beside them. Tells by one
 *   JSON line what stood there after each cut: the names of a restored folder, and whether a backup was there and is whole.
 * - Before a call and after it are the same as after the call before and before the next one.
 */
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';

const power = { calls: 0, cutAt: Infinity };

function cuttable<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    if (++power.calls >= power.cutAt) throw new Error('the power is cut');
    return call(...args);
  };
}

const { open } = promises;
Object.assign(fs, {
  ...{ linkSync: cuttable(fs.linkSync), mkdirSync: cuttable(fs.mkdirSync), renameSync: cuttable(fs.renameSync) },
  ...{ openSync: cuttable(fs.openSync), writeFileSync: cuttable(fs.writeFileSync), rmSync: cuttable(fs.rmSync) },
  fsync: cuttable(fs.fsync),
});
Object.assign(promises, {
  ...{ link: cuttable(promises.link), mkdtemp: cuttable(promises.mkdtemp), rename: cuttable(promises.rename) },
  ...{ rm: cuttable(promises.rm), rmdir: cuttable(promises.rmdir) },
  open: cuttable(async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    const { sync, writeFile } = handle;
    return Object.assign(handle, { sync: cuttable(sync.bind(handle)), writeFile: cuttable(writeFile.bind(handle)) });
  }),
});
syncBuiltinESMExports();

const { makeBackup } = await import('../../../signer/backup/make-backup.ts');
const { restoreBackup } = await import('../../../signer/backup/restore-backup.ts');
const [, , signer = '', backup = ''] = process.argv;
const [to, out] = [join(dirname(signer), 'restored'), join(dirname(signer), 'made.backup')];
const now = Date.UTC(2026, 0, 6);
const restore = (file: string): Promise<unknown> => restoreBackup({ file, folder: to, sha256: undefined, now });

/** Does `work` with the power cut at every call in turn, until it gets to its end; `look` sees what is there with power. */
async function cutAtEvery(work: () => Promise<unknown>, look: (isDone: boolean) => Promise<void>): Promise<void> {
  for (let cutAt = 1, isDone = false; !isDone; cutAt++) {
    Object.assign(power, { calls: 0, cutAt });
    isDone = await work().then(
      () => true,
      () => false,
    );
    power.cutAt = Infinity;
    await look(isDone);
    for (const path of [to, out]) fs.rmSync(path, { recursive: true, force: true });
  }
}

const filesIn = (folder: string): readonly string[] | undefined =>
  fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true }).map(String).sort() : undefined;

const restored: (readonly string[] | undefined)[] = [];
await cutAtEvery(
  () => restore(backup),
  () => Promise.resolve(void restored.push(filesIn(to))),
);
const made: (readonly string[] | undefined)[] = [];
await cutAtEvery(
  () => makeBackup({ folder: signer, out }, now),
  async () => {
    if (fs.existsSync(out)) await restore(out);
    made.push(filesIn(to));
  },
);
process.stdout.write(JSON.stringify({ restored, made }));
