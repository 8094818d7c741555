/**
 * A mirror in a local folder, which any web server may serve.
 *
 * - A name is data: only names of the repository's layout become paths, each segment from an allow-list, none beginning with a dot.
 * - What is not whole yet has a name of its own, `.firmament-*`; a cut may leave it, nothing reads it, and the next run removes it:
 *   an image that is begun again and again must not fill the disk.
 */
import assert from 'node:assert';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MODE_PUBLIC, replaceFile } from '../durable-file.ts';
import { readStreamed, streamFile } from '../durable-stream.ts';
import { fileFault, hostCode } from '../host-fault.ts';
import type { MirrorPlace } from './mirror-place.ts';
import { objectListFolder } from './object-list-folder.ts';
import { placeOf } from './object-place.ts';
import { objectRemoverFolder } from './object-remover-folder.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;

/** The mirror in `folder`, which is made when first written to. */
export function mirrorPlaceFolder(folder: string): MirrorPlace {
  const pathOf = (name: string): string => {
    assert(NAME.test(name), 'a name of the layout');
    return join(folder, ...name.split('/'));
  };
  return {
    source: {
      open: async (name) => ((await isFile(pathOf(name))) ? readStreamed(pathOf(name)) : undefined),
    },
    keep: (name, bytes) => replaceFile(pathOf(name), { bytes, mode: MODE_PUBLIC }),
    keepStream: (name, fill) => streamFile(pathOf(name), { mode: MODE_PUBLIC, isNew: false }, fill),
  };
}

/** Removes what cuts have left of `product` in the mirror `folder`; only whoever holds the mirror's lock may. */
export async function removeLeftovers(folder: string, product: string): Promise<void> {
  const { remove } = objectRemoverFolder(folder);
  for await (const { name } of objectListFolder(folder).list(`${product}/`)) {
    if (placeOf(name.slice(product.length + 1))?.kind === 'leftover') await remove(name);
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (cause) {
    const code = hostCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw fileFault('FILE_UNREADABLE', path, cause);
  }
}
