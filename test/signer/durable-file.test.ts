/** What stands in the place of a file and is none: it is never waited for, and never read without end. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Longer than a process takes that ends by itself; one that reads without end fills no machine until then. */
const PATIENCE_MS = 4_000;

/** Reads `path` in a process of its own, for what waits in a call of the system holds up the whole process. */
function readAside(module: string, call: string, path: string): string {
  const code = `
    const { ${call} } = await import(${JSON.stringify(join(ROOT, module))});
    try { console.log((await ${call}(${JSON.stringify(path)}, 1000))?.length); }
    catch (fault) { console.log(fault.code, fault.message); }`;
  const done = spawnSync(process.execPath, ['--input-type=module', '-e', code], { timeout: PATIENCE_MS });
  return done.error === undefined ? done.stdout.toString().trim() : `it took longer than ${PATIENCE_MS} ms`;
}

const READERS: readonly (readonly [string, string])[] = [
  ['signer/durable-file.ts', 'readFileBounded'],
  ['ota-server/durable-folder.ts', 'readWhole'],
  ['ota-server/durable-folder.ts', 'digestFile'],
];

test.each(READERS)('%s: %s waits for no pipe and reads no device without end', (module, call) => {
  if (process.platform === 'win32') return;
  const folder = temporaryFolder('odd-file');
  const at = (name: string): string => join(folder, name);
  expect(spawnSync('mkfifo', [at('pipe')]).status).toBe(0);
  symlinkSync('/dev/zero', at('endless'));
  mkdirSync(at('folder'));
  writeFileSync(at('plain'), 'abc');
  symlinkSync('plain', at('link'));
  for (const odd of ['pipe', 'endless', 'folder']) {
    const said = readAside(module, call, at(odd));
    expect(said, odd).toMatch(/^FILE_UNREADABLE .*is no plain file/);
    expect(said, odd).toContain(at(odd));
  }
  expect(readAside(module, call, at('link')), 'a link to a file is that file').toBe('3');
  expect(readAside(module, call, at('absent'))).toBe('undefined');
});
