/** The folder of receipts: each stands there whole, a stick that is away takes none, and nothing is written for a server. */
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { receiptFolder } from '../../../bootloader-verifier/agent/receipt-folder.ts';
import { runVerb } from '../../../bootloader-verifier/agent/verbs.ts';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { virtualClock } from '../../../simulation/virtual-clock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-receipts-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a receipt is there under its name alone, and a newer one takes its place', async () => {
  const receipts = receiptFolder(folder);
  expect(await receipts.has('ab-1.receipt')).toBe(false);
  await receipts.write('ab-1.receipt', encodeUtf8('one'));
  await receipts.write('ab-1.receipt', encodeUtf8('two'));
  expect(await receipts.has('ab-1.receipt')).toBe(true);
  expect(await readdir(folder)).toEqual(['ab-1.receipt']);
  expect(await readFile(join(folder, 'ab-1.receipt'), 'utf8')).toBe('two');
});

test('what a cut left behind, under the name that nobody reads, does not stand in the way', async () => {
  await writeFile(join(folder, '.ab-1.receipt'), 'half of a longer one, which was cut');
  await receiptFolder(folder).write('ab-1.receipt', encodeUtf8('one'));
  expect(await readdir(folder)).toEqual(['ab-1.receipt']);
  expect(await readFile(join(folder, 'ab-1.receipt'), 'utf8')).toBe('one');
});

test('a link under the name that nobody reads is not written through, wherever it leads', async () => {
  const victim = join(folder, 'victim');
  await writeFile(victim, 'of the device');
  await symlink(victim, join(folder, '.ab-1.receipt'));
  await symlink(victim, join(folder, 'ab-1.receipt'));
  await receiptFolder(folder).write('ab-1.receipt', encodeUtf8('one'));
  expect(await readFile(victim, 'utf8')).toBe('of the device');
  expect(await readFile(join(folder, 'ab-1.receipt'), 'utf8')).toBe('one');
  expect((await readdir(folder)).sort()).toEqual(['ab-1.receipt', 'victim']);
});

test('a folder that is not there takes no receipt and is not made', async () => {
  const away = join(folder, 'away');
  const receipts = receiptFolder(away);
  await expect(receipts.write('ab-1.receipt', encodeUtf8('one'))).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
  expect(await receipts.has('ab-1.receipt')).toBe(false);
  expect(await readdir(folder)).toEqual([]);
});

test('a name that is not of our making is a bug, not a file', async () => {
  const receipts = receiptFolder(folder);
  for (const name of ['../up.receipt', 'a/b.receipt', '.hidden.receipt', 'x.capsule']) {
    await expect(receipts.write(name, encodeUtf8('one')), name).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
  }
  expect(await readdir(folder)).toEqual([]);
});

test('receipts go with capsules: a device that asks a server is told at its check-in', async () => {
  const lines: string[] = [];
  const exit = await runVerb(['run', '--flash', folder, '--url', 'http://127.0.0.1:1/r/x/', '--receipts', folder], {
    nodePath: '',
    clock: virtualClock(0),
    newSecret: (count) => new Uint8Array(count),
    writeLine: (line) => void lines.push(line),
    writeNote: () => undefined,
    stop: new AbortController().signal,
  });
  expect(exit).toBe(64);
  expect(lines.join('')).toContain('USAGE');
});
