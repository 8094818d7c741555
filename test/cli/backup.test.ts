/** An operator loses a signer and gets it back with `firmament` alone: backed up while it works, killed, restored elsewhere, resumed. */
import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Refreshed } from '../../bootloader-verifier/agent/refresh.ts';
import { refresh } from '../../bootloader-verifier/agent/refresh.ts';
import { encodePublishRequest, type RequestPart } from '../../formats/publish-request.ts';
import { signerClient } from '../../ota-server/signer-client.ts';
import { startVerb, type VerbProcess } from '../../pilot/verb-process.ts';
import { generateKey } from '../../signer/key-file.ts';
import { objectStoreFolder } from '../../signer/object-store-folder.ts';
import { accepted } from '../accepted.ts';
import { LOGGED } from '../logged-repository.ts';
import { allChanges } from '../signer/publishing.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';
import { firmament } from './run-firmament.ts';

const ANSWER_MS_MAX = 120_000;

type World = {
  readonly at: (...names: readonly string[]) => string;
  readonly repository: TinyRepository;
  /** Starts the daemon over the folder `state`. */
  readonly start: (state: string, ...more: readonly string[]) => Promise<VerbProcess>;
  /** Hands in all that people have signed. */
  readonly publish: (path?: string) => Promise<{ readonly ok: boolean; readonly code?: string | undefined }>;
  readonly refreshed: (seen?: Refreshed['seen']) => Promise<Refreshed>;
};

async function makeWorld(): Promise<World> {
  const folder = temporaryFolder('backup');
  const at = (...names: readonly string[]): string => join(folder, ...names);
  await writeFile(at('passphrase'), 'correct horse', { mode: 0o600 });
  const [online, log] = await Promise.all([generateKey('correct horse', 1), generateKey('correct horse', 1)]);
  await writeFile(at('online.age'), online.file, { mode: 0o600 });
  await writeFile(at('log.age'), log.file, { mode: 0o600 });
  const repository = await makeTinyRepository({
    ...{ now: Date.now(), online: online.signer, log: { ...LOGGED, keys: [log.signer.key] } },
  });
  await writeFile(at('1.root.json'), repository.factory.root);
  const keys = ['--key', at('online.age'), at('log.age'), '--passphrase-file', at('passphrase'), at('passphrase')];
  const store = objectStoreFolder(at('store'));
  return {
    ...{ at, repository },
    start: async (state, ...more) => {
      const places = ['--socket', at('sock'), '--store', at('store'), '--state', at(state), '--look-ms', '3600000'];
      const daemon = await startVerb(['signer', ...places, ...keys, ...more]);
      onTestFinished(() => void daemon.end('SIGKILL'));
      return daemon;
    },
    publish: () => signerClient(at('sock'), ANSWER_MS_MAX, 'gateway')('publish', requestOf(repository)),
    refreshed: async (seen) => {
      const get = async (name: string, bytesMax: number): Promise<Uint8Array | undefined> =>
        (await store.get(`gateway/${name}`, bytesMax))?.bytes;
      const rootsAtHand = [repository.factory.root];
      return accepted(
        await refresh({ device: repository.device(), client: { get }, rootsAtHand, seen, now: Date.now() }),
      );
    },
  };
}

function requestOf(repository: TinyRepository): Uint8Array {
  const {
    roots = [],
    targets = new Uint8Array(),
    channels = new Map<string, Uint8Array>(),
    targetFiles = [],
  } = allChanges(repository);
  const part = (kind: RequestPart['kind'], bytes: Uint8Array, name?: string): RequestPart => ({ kind, name, bytes });
  return encodePublishRequest([
    ...roots.map((bytes) => part('root', bytes)),
    part('targets', targets),
    ...[...channels].map(([name, bytes]) => part('channel', bytes, name)),
    ...targetFiles.map((bytes) => part('file', bytes)),
  ]);
}

/** What `resume` says, and the digest that it asks to be confirmed. */
async function resume(
  { at }: World,
  ...more: readonly string[]
): Promise<{ readonly code: unknown; readonly digest: string; readonly said: string }> {
  const asked = await firmament('resume', '--state', at('restored'), '--store', at('store'), ...more);
  const digest = / digest ([0-9a-f]{64})$/.exec(String(asked.answer['detail']))?.[1] ?? '';
  return { code: asked.answer['code'], digest, said: asked.stderr };
}

test.each([
  ['a deployment', []],
  ['one product', ['--product', 'gateway']],
] as const)(
  'of %s: backed up beside the daemon, killed, restored on another folder, resumed, and it publishes again',
  async (_, product) => {
    const world = await makeWorld();
    const { at, repository, start, publish, refreshed } = world;
    const first = await start('signer', ...product);
    expect(await publish()).toMatchObject({ ok: true });
    const backup = await firmament('backup', '--state', at('signer'), '--out', at('one.backup'));
    expect(backup.answer, backup.stderr).toMatchObject({ ok: true });
    await cp(at('store'), at('old'), { recursive: true });
    await repository.publishRelease();
    expect(await publish()).toMatchObject({ ok: true });
    const mirrored = await firmament('mirror', at('mirror'), '--store', at('store'), '--root-one', at('1.root.json'));
    expect(mirrored.answer, mirrored.stderr).toMatchObject({ ok: true });
    const before = await refreshed();
    await first.end('SIGKILL');
    await rm(at('signer'), { recursive: true });

    const digest = String(backup.answer['sha256']);
    const restored = await firmament('restore', at('one.backup'), '--state', at('restored'), '--digest', digest);
    expect(restored.answer, restored.stderr).toMatchObject({ ok: true });
    const held = await start('restored', ...product);
    expect(await publish()).toMatchObject({ ok: false, code: 'SIGNER_STATE_RESTORED' });
    expect(await held.end('SIGTERM')).toBe(0);

    // A store that was set back to what it was then is told by the mirror.
    const setBack = ['--store', at('old'), '--mirror', at('mirror')];
    const old = await firmament('resume', '--state', at('restored'), ...setBack);
    expect(old.answer['code'], old.stderr).toBe('LOG_ROLLBACK');
    expect(old.answer['detail']).toContain('the mirror');

    const asked = await resume(world, '--mirror', at('mirror'));
    expect(asked.code).toBe('RESUME_UNCONFIRMED');
    expect(asked.said).toMatch(/gateway timestamp 2 snapshot 2 [0-9a-f]{64} log 5 /);
    expect((await resume(world, '--confirm', '00'.repeat(32))).code).toBe('RESUME_UNCONFIRMED');
    expect((await resume(world, '--mirror', at('mirror'), '--confirm', asked.digest)).code).toBe('DONE');

    const second = await start('restored', ...product);
    await repository.publishRelease();
    expect(await publish()).toMatchObject({ ok: true });
    expect(await second.end('SIGTERM')).toBe(0);
    const after = await refreshed(before.seen);
    expect(after.channelRole.signed.version).toBe(3);
    const state =
      product.length > 0
        ? ['--root-one', at('1.root.json'), '--state', at('restored', 'state.json')]
        : ['--state', at('restored', 'state.db')];
    const checked = await firmament('fsck', '--store', at('store'), ...state);
    expect(checked.answer, checked.stderr).toMatchObject({ ok: true, damaged: 0, warnings: 0 });
    expect((await readdir(at())).filter((name) => name.startsWith('.'))).toEqual([]);
  },
);

test('a signer of one product moves into a deployment, which goes on with it and with its CA; the old one never signs again', async () => {
  const world = await makeWorld();
  const { at, repository, start, publish, refreshed } = world;
  const alone = await start('alone', '--product', 'gateway');
  expect(await publish()).toMatchObject({ ok: true });
  const running = await firmament('adopt', at('alone'), '--state', at('all'));
  expect(running.answer['code'], running.stderr).toBe('SIGNER_RUNNING');
  expect(await alone.end('SIGTERM')).toBe(0);
  const adopted = await firmament('adopt', at('alone'), '--state', at('all'));
  expect(adopted.answer, adopted.stderr).toMatchObject({ ok: true, product: 'gateway', timestampVersion: 1 });

  await writeFile(at('ca.age'), (await generateKey('correct horse', 1)).file, { mode: 0o600 });
  const ca = (value: string): readonly string[] => ['--ca-key', value, '--ca-passphrase-file', at('passphrase')];
  const all = await start('all', ...ca(`gateway=${at('ca.age')}`));
  await repository.publishRelease();
  expect(await publish()).toMatchObject({ ok: true });
  expect((await refreshed()).channelRole.signed.version).toBe(2);
  const ask = (product: string, verb: string): Promise<{ readonly ok: boolean; readonly code?: string | undefined }> =>
    signerClient(at('sock'), ANSWER_MS_MAX, product)(verb, new Uint8Array());
  expect(await ask('gateway', 'nonce')).toMatchObject({ ok: true });
  expect(await ask('gateway', 'cacerts')).toMatchObject({ ok: false, code: 'CA_NOT_LISTED' });
  expect(await ask('hub', 'nonce')).toMatchObject({ ok: false, code: 'NOT_FOUND' });
  expect(await all.end('SIGTERM')).toBe(0);

  const again = await start('alone', '--product', 'gateway');
  expect(await publish()).toMatchObject({ ok: false, code: 'SIGNER_STATE_MOVED' });
  expect(await again.end('SIGTERM')).toBe(0);
});

test('a CA is of one product: a deployment is told which, and no key is that of two', async () => {
  const { at } = await makeWorld();
  await writeFile(at('ca.age'), (await generateKey('correct horse', 1)).file, { mode: 0o600 });
  const signer = (...cas: readonly string[]): ReturnType<typeof firmament> =>
    firmament(
      ...['signer', '--socket', at('sock'), '--store', at('store'), '--state', at('all')],
      ...['--key', at('online.age'), '--passphrase-file', at('passphrase')],
      ...['--ca-key', ...cas, '--ca-passphrase-file', ...cas.map(() => at('passphrase'))],
    );
  expect((await signer(at('ca.age'))).exit).toBe(64);
  const twice = await signer(`gateway=${at('ca.age')}`, `hub=${at('ca.age')}`);
  expect(twice.answer).toMatchObject({ ok: false, code: 'KEY_NOT_OF_ROLE' });
  const online = await signer(`gateway=${at('online.age')}`);
  expect(online.answer).toMatchObject({ ok: false, code: 'KEY_NOT_OF_ROLE' });
});
