/** A hundred publishers at once, each of a product of its own, against one signer process: every one is published, also through a kill. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { objectStoreFolder } from '../../signer/object-store-folder.ts';
import { publishByMany } from '../many-publishers.ts';
import { temporaryFolder } from '../temporary-folder.ts';

test('a hundred publishers at once are all published, and again where the signer is killed in the middle', async () => {
  const folder = temporaryFolder('many');
  const place = join(folder, 'store');
  const many = { folder, options: ['--store', place], store: objectStoreFolder(place) };
  expect((await publishByMany(many, onTestFinished)).beforeKill).toBeGreaterThan(0);
});
