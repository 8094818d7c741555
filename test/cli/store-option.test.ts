/** Where a repository is published: addresses are read strictly, and credentials come from a file that only their owner can read. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storeValue } from '../../cli/store-address.ts';
import { readStoreCredentials } from '../../cli/store-credentials.ts';
import { firmament } from './run-firmament.ts';

const SECRET = 'a secret that nobody may ever see';
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-store-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(content: string, mode = 0o600): Promise<string> {
  const file = join(await mkdtemp(join(folder, 'c-')), 'credentials.json');
  await writeFile(file, content, { mode });
  return file;
}

describe('addresses', () => {
  test.each(['store', './store', '/srv/store', 'C:\\store', 's3'])('%s is a folder', (value) => {
    expect(storeValue(value)).toEqual({ folder: value });
  });

  test.each([
    ['s3+http://127.0.0.1:9000/firmament', { tls: false, host: '127.0.0.1', port: 9000, region: 'us-east-1' }],
    ['s3+https://store.example/firmament/', { tls: true, host: 'store.example', port: 443, region: 'us-east-1' }],
    ['s3+http://[::1]/firmament?region=eu-1', { tls: false, host: '::1', port: 80, region: 'eu-1' }],
  ])('%s is a bucket', (value, expected) => {
    expect(storeValue(value)).toEqual({ bucket: { ...expected, bucket: 'firmament' } });
  });

  test.each([
    's3://127.0.0.1/firmament',
    'http://127.0.0.1/firmament',
    's3+ftp://127.0.0.1/firmament',
    's3+http://127.0.0.1:9000/',
    's3+http://127.0.0.1:9000/Upper',
    's3+http://127.0.0.1:9000/a/b/c',
    's3+http://127.0.0.1:99999/firmament',
    's3+http://key:secret@127.0.0.1:9000/firmament',
    's3+http://127.0.0.1:9000/firmament?region=a%20b',
    's3+http://127.0.0.1:9000/firmament?token=x',
    's3+http://127.0.0.1:9000/firmament#x',
  ])('%s is misuse, not a folder of that name', (value) => {
    expect(() => storeValue(value)).toThrow(expect.objectContaining({ code: 'commander.invalidArgument' }));
  });
});

describe('credentials', () => {
  test('are read from a file of their owner', async () => {
    const given = { accessKey: 'publisher', secretKey: SECRET.replaceAll(' ', '-') };
    expect(await readStoreCredentials(await fileOf(JSON.stringify(given)))).toEqual({ ok: true, value: given });
  });

  test.each([
    '',
    '{}',
    JSON.stringify({ accessKey: 'publisher' }),
    JSON.stringify({ accessKey: '', secretKey: 'x' }),
    JSON.stringify({ accessKey: 'publisher', secretKey: SECRET }),
    JSON.stringify({ accessKey: 'publisher', secretKey: 'x', token: SECRET }),
    JSON.stringify({ accessKey: 'publisher', secretKey: 'x'.repeat(129) }),
    ' '.repeat(4_097),
  ])('that are malformed are refused without being shown (%#)', async (content) => {
    const refused = await readStoreCredentials(await fileOf(content));
    expect(refused).toMatchObject({ ok: false, code: 'CREDENTIALS_REFUSED' });
    expect(JSON.stringify(refused)).not.toContain(SECRET);
  });

  test('that others could read are refused', async () => {
    const file = await fileOf(JSON.stringify({ accessKey: 'a', secretKey: 'b' }), 0o644);
    const expected = process.platform === 'win32' ? { ok: true } : { code: 'CREDENTIALS_REFUSED' };
    expect(await readStoreCredentials(file)).toMatchObject(expected);
  });

  test('are demanded for a bucket, before anything else is done', async () => {
    const store = ['--store', 's3+http://127.0.0.1:9/firmament'];
    const publish = ['publish', '--product', 'gateway', '--state', 'x', '--key', 'x'];
    for (const args of [['serve', '--port', '0'], publish])
      expect(await firmament(...args, ...store)).toMatchObject({ exit: 1, answer: { code: 'CREDENTIALS_REFUSED' } });
  });
});
