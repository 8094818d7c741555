/** A signer's memory in two files: what every memory must do, for its owner alone, and nothing damaged that reads as nothing. */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signerMemoryFile } from '../../signer/signer-memory-file.ts';
import { accepted } from '../accepted.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { testSignerMemory } from './signer-memory-contract.ts';

testSignerMemory(() => {
  const path = join(temporaryFolder('memory'), 'state.json');
  return Promise.resolve(() => Promise.resolve(signerMemoryFile(path)));
});

test('the log is remembered beside the state, in files that their owner alone can read; a damaged one is a fault, not an absence', async () => {
  const folder = temporaryFolder('memory');
  const path = join(folder, 'state.json');
  const memory = signerMemoryFile(path);
  accepted(await memory.writeLog({ origin: 'log.example', size: 1, rootHash: new Uint8Array(32) }, undefined));
  expect(readdirSync(folder)).toEqual(['state.json.log']);
  expect(statSync(`${path}.log`).mode & 0o777).toBe(0o600);
  for (const damaged of ['', '{}', 'x'.repeat(100_000)]) {
    for (const file of [path, `${path}.log`]) writeFileSync(file, damaged);
    await expect(memory.read(), damaged.slice(0, 9)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(memory.readLog(), damaged.slice(0, 9)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  }
});
