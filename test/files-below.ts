/** All that lies below a folder, by its name from there: what a server of files would answer. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The files below `folder`. */
export function filesBelow(folder: string): ReadonlyMap<string, Uint8Array> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return new Map(files.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));
}
