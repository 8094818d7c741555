/**
 * A process of its own, whose calls to the file system are cut: at call number N, for every N, and all after it, as when the power goes.
 *
 * - `node cut-everywhere.ts SIGNER BACKUP ALONE`: backs up the folder SIGNER, restores the file BACKUP, and moves ALONE, the folder of a signer
 *   of one product, into a deployment, all in places beside them. Tells by one JSON line what stood there after each cut: the names of a
 *   restored folder, and which of both memories may sign.
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
const { adoptProduct } = await import('../../../signer/backup/adopt-product.ts');
const { signerMemoryFile } = await import('../../../signer/signer-memory-file.ts');
const { openStateDatabase } = await import('../../../signer/signer-state-database.ts');
const { restoreBackup } = await import('../../../signer/backup/restore-backup.ts');
const [, , signer = '', backup = '', alone = ''] = process.argv;
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
/** What may sign for the product: the file that it was in, the deployment, or neither; and what the deployment has beside it. */
async function whoSigns(from: string): Promise<readonly string[]> {
  const database = await openStateDatabase(join(to, 'state.db'));
  const row = await database.memoryOf('gateway').read();
  database.close();
  const file = await signerMemoryFile(join(from, 'state.json')).read();
  const mayFile = file?.held === undefined ? ['file'] : [];
  return row !== undefined && row.held === undefined ? [...mayFile, 'deployment'] : mayFile;
}
const moved: string[] = [];
const finished: string[] = [];
const from = `${alone}-copy`;
const adopt = async (): Promise<void> => {
  const database = await openStateDatabase(join(to, 'state.db'));
  try {
    await adoptProduct({ from, to, memoryOf: database.memoryOf });
  } finally {
    database.close();
  }
};
const begin = (): void => {
  fs.rmSync(from, { recursive: true, force: true });
  fs.cpSync(alone, from, { recursive: true });
};
begin();
await cutAtEvery(adopt, async () => {
  moved.push((await whoSigns(from)).join(' and '));
  await adopt();
  finished.push(
    `${(await whoSigns(from)).join(' and ')}: ${(filesIn(to) ?? []).filter((name) => /word|json$/.test(name)).join(' ')}`,
  );
  begin();
});
process.stdout.write(JSON.stringify({ restored, made, moved, finished }));
