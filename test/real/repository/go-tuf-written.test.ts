/** The executable `tuf-client` reads a repository that go-tuf wrote, with keys of every type, before and after their rotation. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { TUF_CLIENT } from '../../../bootloader-verifier/agent/tuf-client/bundle.ts';
import { GO_TUF_ORACLE } from '../parts.ts';
import { askOracle } from './oracle.ts';

test('under ECDSA, RSA and Ed25519 keys a target is found, and the next one after new keys for root and targets', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-real-'));
  const targets = ['deep/a/one', 'deep/b/two'];
  await askOracle([GO_TUF_ORACLE], { Do: 'write', Folder: folder, Targets: targets });
  let state = 'before';
  const server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(folder, state, request.url ?? '')));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const own = join(folder, 'own');
    const run = (...args: readonly string[]): Promise<unknown> =>
      promisify(execFile)(process.execPath, [TUF_CLIENT, '--metadata-dir', join(own, 'metadata'), ...args]);
    const download = (name = ''): Promise<unknown> => {
      const place = ['--target-dir', join(own, 'targets'), '--target-base-url', `${url}/targets`];
      return run('--metadata-url', `${url}/metadata`, '--target-name', name, ...place, 'download');
    };
    await run('init', join(folder, 'before', 'metadata', '1.root.json'));
    await download(targets[0]);
    await expect(download(targets[1])).rejects.toMatchObject({
      stderr: expect.stringContaining('TARGET_UNKNOWN') as string,
    });
    state = 'after';
    await download(targets[1]);
    expect(readdirSync(join(own, 'targets')).sort()).toEqual(['deep%2Fa%2Fone', 'deep%2Fb%2Ftwo']);
    for (const name of targets) {
      expect(readFileSync(join(own, 'targets', encodeURIComponent(name)), 'utf8')).toBe(`content of ${name}`);
    }
    const root = JSON.parse(readFileSync(join(own, 'metadata', 'root.json'), 'utf8')) as {
      signed: { version: number };
    };
    expect(root.signed.version).toBe(2);
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});
