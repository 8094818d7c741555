/** tuf-js's client on every kind of change of a repository of ours. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Updater } from 'tuf-js';
import { sha256Hex } from '../../../formats/sha256.ts';
import { testForeignClient, type Seen } from './published-changes.ts';

const TOP = ['root', 'timestamp', 'snapshot', 'targets'] as const;

testForeignClient('tuf-js', async ({ folder, metadataUrl, targetsUrl, root, targets }) => {
  const targetDir = join(folder, 'targets');
  mkdirSync(targetDir, { recursive: true });
  const rootFile = join(folder, 'root.json');
  if (!existsSync(rootFile)) writeFileSync(rootFile, root);
  const updater = new Updater({
    ...{ metadataDir: folder, metadataBaseUrl: metadataUrl, targetDir, targetBaseUrl: targetsUrl },
    config: { fetchRetries: 0 },
  });
  await updater.refresh();
  const found: [string, string][] = [];
  for (const name of targets) {
    const info = await updater.getTargetInfo(name);
    const file =
      info === undefined
        ? undefined
        : await updater.downloadTarget(info, join(targetDir, sha256Hex(Buffer.from(name))));
    found.push([name, file === undefined ? 'not found' : sha256Hex(readFileSync(file))]);
  }
  // What it trusts, it keeps.
  const versions = TOP.map((role): [string, number] => {
    const kept = JSON.parse(readFileSync(join(folder, `${role}.json`), 'utf8')) as { signed: { version: number } };
    return [role, kept.signed.version];
  });
  return { versions: Object.fromEntries(versions) as Seen['versions'], targets: Object.fromEntries(found) };
});
