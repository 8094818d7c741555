/** A signer's books in a folder: what every keeper of them must do, for their owner alone, and whole or absent after a cut. */
import { statSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bookStoreFolder } from '../../signer/book-store-folder.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { testBookStore } from './book-store-contract.ts';

testBookStore(() => {
  const folder = join(temporaryFolder('books'), 'made-when-needed');
  return Promise.resolve(() => bookStoreFolder(folder));
});

test('an entry is a file that its owner alone can read, and nothing else is left beside it', async () => {
  const folder = temporaryFolder('books');
  await bookStoreFolder(folder).keep('devices/manifest-0', new Uint8Array(9));
  await bookStoreFolder(folder).keep('devices/manifest-0', new Uint8Array(9));
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(['devices', 'devices/manifest-0']);
  expect(statSync(join(folder, 'devices/manifest-0')).mode & 0o777).toBe(0o600);
});
