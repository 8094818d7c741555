/** The store of proposals over a folder: the contract, and what a crash or a stranger may leave in it. */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { proposalStoreFolder } from '../../ota-server/proposal-store-folder.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { stored, testProposalStore } from './proposal-store-contract.ts';

const PRODUCT = 'gateway';
const TOKEN = 'a'.repeat(64);
const newFolder = (): string => temporaryFolder('proposals');

testProposalStore(async () => {
  const folder = newFolder();
  return { store: proposalStoreFolder(folder), reopen: () => proposalStoreFolder(folder) };
});

test('a crash between token and proposal costs the token, and shows no proposal', async () => {
  const folder = newFolder();
  await mkdir(join(folder, PRODUCT, 'tokens'), { recursive: true });
  await writeFile(join(folder, PRODUCT, 'tokens', TOKEN), stored(1).id);
  const store = proposalStoreFolder(folder);
  expect(await store.find(PRODUCT, stored(1).id)).toBeUndefined();
  expect(await store.list(PRODUCT, 9)).toEqual([]);
  expect(await store.create(stored(1), TOKEN)).toMatchObject({ code: 'TOKEN_REPLAYED' });
});

test('what a cut write leaves is not read, and nothing is left where all went well', async () => {
  const folder = newFolder();
  const store = proposalStoreFolder(folder);
  await store.create(stored(1), TOKEN);
  await store.open(PRODUCT, stored(1).id);
  expect((await readdir(join(folder, PRODUCT))).sort()).toEqual([`${stored(1).id}.json`, 'tokens']);
  await writeFile(join(folder, PRODUCT, '.firmament-half'), '{"version":1,');
  await writeFile(join(folder, PRODUCT, 'notes.json'), 'x');
  expect(await store.list(PRODUCT, 9)).toHaveLength(1);
});

test('a damaged proposal is a fault, never an absence', async () => {
  const folder = newFolder();
  const store = proposalStoreFolder(folder);
  await store.create(stored(1), TOKEN);
  await writeFile(join(folder, PRODUCT, `${stored(1).id}.json`), '{"version":1');
  const fault = { name: 'OperationError', code: 'FILE_UNREADABLE', retriable: false };
  await expect(store.find(PRODUCT, stored(1).id)).rejects.toMatchObject(fault);
  await expect(store.list(PRODUCT, 9)).rejects.toMatchObject(fault);
});

test('a proposal that lies where another belongs is a fault, whoever put it there', async () => {
  const folder = newFolder();
  const store = proposalStoreFolder(folder);
  await store.create(stored(1), TOKEN);
  const moved = async (product: string, name: string): Promise<void> => {
    await mkdir(join(folder, product), { recursive: true });
    await copyFile(join(folder, PRODUCT, `${stored(1).id}.json`), join(folder, product, `${name}.json`));
    const fault = { code: 'FILE_UNREADABLE', retriable: false };
    const reads = [store.find(product, name), store.open(product, name), store.list(product, 9)];
    await Promise.all(reads.map((read) => expect(read).rejects.toMatchObject(fault)));
  };
  await moved('other', stored(1).id);
  await moved(PRODUCT, stored(2).id);
});

test('a folder that cannot be written to is a fault', async () => {
  const folder = newFolder();
  await writeFile(join(folder, PRODUCT), 'a file');
  const store = proposalStoreFolder(folder);
  await expect(store.create(stored(1), TOKEN)).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
});

test('a name that was never parsed reaches no path', async () => {
  const store = proposalStoreFolder(newFolder());
  for (const [product, name] of [
    ['../up', stored(1).id],
    [PRODUCT, '../../x'],
    ['.', stored(1).id],
  ] as const)
    await expect(store.find(product, name)).rejects.toThrow('names are parsed');
});
