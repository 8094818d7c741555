/** The real daemon while its host's clock is set back, far ahead and right again: what is shown grows, ends when it should, and is not renewed in a storm. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { parseTimestamp, TIMESTAMP_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { TIMESTAMP_LIFETIME_MS } from '../../signer/lifetimes.ts';
import { objectStoreFolder } from '../../signer/object-store-folder.ts';
import { accepted } from '../accepted.ts';
import { makeKilledSigner } from '../real/killed-signer.ts';
import { PROJECT } from '../results.ts';
import { allChanges } from '../signer/publishing.ts';

const DAY_MS = 86_400_000;
const LOOKS = 3;
const LOOK_MS = 50;

/** The metrics at the socket `path`. */
function metricsAt(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: path, path: '/metrics' }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Uint8Array) => (text += String(chunk)));
      answer.on('end', () => resolve(text));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test.each([false, true])('a clock that is set under the daemon (of a deployment: %s)', async (isDeployment) => {
  const signer = await makeKilledSigner({ isDeployment });
  onTestFinished(() => rm(signer.folder, { recursive: true }));
  const at = (name: string): string => join(signer.folder, name);
  const setClock = async (ms: number): Promise<void> => {
    // At once for whoever reads it: half a file would be another time.
    await writeFile(at('shift-next'), String(ms));
    await rename(at('shift-next'), at('shift'));
  };
  await setClock(0);
  const store = objectStoreFolder(at('store'));
  const shown = async (): Promise<{ readonly version: number; readonly expires: number }> => {
    const file = await store.get('gateway/metadata/timestamp.json', TIMESTAMP_BYTES_MAX);
    return accepted(parseTimestamp(file?.bytes ?? new Uint8Array())).signed;
  };
  const shift = {
    SHIFTED_CLOCK: at('shift'),
    NODE_OPTIONS: `--import=${pathToFileURL(join(PROJECT, 'test', 'shifted-clock.ts')).href}`,
  };
  const by = ['env', ...Object.entries(shift).map(([name, value]) => `${name}=${value}`)];
  const options = ['--look-ms', String(LOOK_MS), '--metrics', at('metrics')];
  const daemon = await signer.start(['--store', at('store')], options, by);
  onTestFinished(() => daemon.kill());
  /** Waits until so many looks more have failed with `code`. */
  const looksFail = async (code: string): Promise<void> => {
    const count = async (): Promise<number> => {
      const failed = new RegExp(`^firmament_signer_looks_failed_total\\{code="${code}"\\} (\\d+)$`, 'm');
      return Number(failed.exec(await metricsAt(at('metrics')))?.[1] ?? 0);
    };
    const until = (await count()) + LOOKS;
    while ((await count()) < until) await wait(LOOK_MS);
  };
  const publishNext = async (): Promise<ReturnType<typeof daemon.ask>> => {
    const released = await signer.repository.publishRelease({ now: Date.now() });
    return daemon.ask('publish', allChanges(signer.repository, [released]));
  };
  expect(await daemon.ask('publish', allChanges(signer.repository))).toMatchObject({ ok: true });
  const first = await shown();
  await setClock(-3 * DAY_MS);
  await looksFail('CLOCK_BEHIND');
  expect(await shown(), 'nothing is renewed by a clock that is behind').toEqual(first);
  expect(await publishNext()).toMatchObject({ ok: true });
  expect(await shown()).toMatchObject({ version: first.version + 1, expires: first.expires });
  expect(await signer.seenIn(store)).toBe(2);
  await setClock(30 * DAY_MS);
  await looksFail('CLOCK_AHEAD');
  const asked = signer.repository.newest('stable');
  expect(await daemon.ask('publish', { channels: new Map([['stable', asked]]) })).toMatchObject({
    code: 'CLOCK_AHEAD',
  });
  expect(await shown()).toMatchObject({ version: first.version + 1, expires: first.expires });
  await setClock(0);
  expect(await publishNext()).toMatchObject({ ok: true });
  const last = await shown();
  expect(last.version).toBe(first.version + 2);
  expect(last.expires).toBeGreaterThanOrEqual(first.expires);
  expect(last.expires).toBeLessThanOrEqual(Date.now() + TIMESTAMP_LIFETIME_MS);
  expect(await signer.seenIn(store)).toBe(3);
});
