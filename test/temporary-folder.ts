/** Folders of a test's own: each ends with the test that asked for it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Has `work` done once whoever asks is through. */
export type Ends = (work: () => void | Promise<void>) => void;

/** A new folder whose name begins with `name`. @param ends by default the end of the running test. */
export function temporaryFolder(name: string, ends: Ends = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), `firmament-${name}-`));
  ends(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
