/**
 * People and a signer publish a repository with `firmament` alone, each step a process; then somebody else's client reads it.
 *
 * - The oracle is tuf-js: it starts from root 1, refreshes over HTTP and downloads the image by its delegated name.
 */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Updater } from 'tuf-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveStore, type StoreServer } from '../../pilot/store-server.ts';
import { startVerb } from '../../pilot/verb-process.ts';
import { encodePublicKeyFile } from '../../signer/key-file.ts';
import { seededSigner } from '../seeded-signer.ts';
import { BUILDER_ID, SOURCE_URI, tinyComponent } from '../tiny-release.ts';
import { firmament } from './run-firmament.ts';

const PEOPLE = ['ada', 'ben', 'online'];
const BUILDER = seededSigner('builder');
let folder = '';
let server: StoreServer | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-flow-'));
  await writeFile(at('passphrase'), 'three words together', { mode: 0o600 });
  await writeFile(at('builder.pub.json'), encodePublicKeyFile(BUILDER.key));
  const passphrase = ['--passphrase-file', at('passphrase'), '--work-factor', '2'];
  await Promise.all(PEOPLE.map((name) => done('key-generate', '--out', at(`${name}.age`), ...passphrase)));
});

afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

const at = (...names: readonly string[]): string => join(folder, ...names);

/** Runs a verb that must do its work. */
async function done(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { exit, answer, stderr } = await firmament(...args);
  expect(exit, stderr).toBe(0);
  return answer;
}

/** The options with which `name` signs, without being asked. */
const by = (name: string): readonly string[] => [
  ...['--key', at(`${name}.age`), '--passphrase-file', at('passphrase'), '--yes'],
];

/** Both people sign `file`, one after the other. */
async function signByBoth(file: string, role: string, ...more: readonly string[]): Promise<void> {
  for (const name of ['ada', 'ben']) {
    await done('sign', '--metadata', file, '--role', role, ...by(name), ...more);
  }
}

const BOTH = (): readonly string[] => [at('ada.pub.json'), at('ben.pub.json')];

async function foundRepository(): Promise<void> {
  const online = ['--snapshot', at('online.pub.json'), '--timestamp', at('online.pub.json')];
  const people = ['--root', ...BOTH(), '--targets', ...BOTH()];
  await done('root-draft', '--product', 'gateway', ...people, ...online, '--out', at('1.root.json'));
  await signByBoth(at('1.root.json'), 'root');
  const builder = ['--builder', BUILDER_ID, '--builder-key', at('builder.pub.json'), '--builder-source', SOURCE_URI];
  const channel = ['--channel', `stable:2:${BOTH().join(',')}`];
  const of = ['--root-one', at('1.root.json')];
  await done('targets-draft', ...of, ...channel, ...builder, '--out', at('1.targets.json'));
  await signByBoth(at('1.targets.json'), 'targets', '--delegated-by', at('1.root.json'));
}

type Signed = { readonly version: number; readonly signers?: readonly string[]; readonly file?: string };

/** Drafts a release and has `signers` sign it; returns the options that hand its files to `publish`. */
async function release(
  name: string,
  { version, signers = ['ada', 'ben'], file = String(version) }: Signed,
  ...more: readonly string[]
): Promise<readonly string[]> {
  const { image, provenance } = await tinyComponent(name, BUILDER, { securityCounter: version });
  await mkdir(at(name));
  await writeFile(at(name, 'image.js'), image);
  await writeFile(at(name, 'provenance.json'), provenance);
  const event = at(`${file}.stable.signing.json`);
  await done(
    ...['channel-draft', '--root-one', at('1.root.json'), '--channel', 'stable', '--release', name],
    ...['--component', 'gateway', '--hardware', 'gw-1', '--firmware-version', name],
    ...['--security-counter', String(version), '--image', at(name, 'image.js')],
    ...['--provenance', at(name, 'provenance.json'), '--out', event, ...more],
    ...['--delegated-by', at('1.targets.json'), '--author', 'ada'],
  );
  for (const signer of signers) await done('sign', '--event', event, ...by(signer), '--root-one', at('1.root.json'));
  return ['--event', event, '--file', at(name, 'image.js')];
}

const publishOptions = (): readonly string[] => [
  ...['publish', '--product', 'gateway', '--store', at('store'), '--state', at('signer', 'state.json')],
  ...['--key', at('online.age'), '--passphrase-file', at('passphrase')],
];

/** Starts `firmament signer` over the store. @returns what asks it to end, and waits until it has. */
async function startDaemon(): Promise<() => Promise<void>> {
  const options = ['--socket', at('signer.sock'), '--product', 'gateway', '--state', at('signer')];
  const keys = ['--store', at('store'), '--key', at('online.age'), '--passphrase-file', at('passphrase')];
  const { end } = await startVerb(['signer', ...options, ...keys]);
  return async () => expect(await end('SIGTERM')).toBe(0);
}

/** A fresh tuf-js client of the product at `url`. */
async function newClient(url: string): Promise<Updater> {
  const client = await mkdtemp(at('client-'));
  await copyFile(at('1.root.json'), join(client, 'root.json'));
  await mkdir(join(client, 'targets'));
  return new Updater({
    metadataDir: client,
    targetDir: join(client, 'targets'),
    metadataBaseUrl: `${url}gateway/metadata/`,
    targetBaseUrl: `${url}gateway/targets/`,
  });
}

test('what people sign and the signer publishes, tuf-js refreshes and downloads, release after release', async () => {
  await foundRepository();
  const first = await release('1.0.0', { version: 1 });
  const founding = ['--root', at('1.root.json'), '--targets', at('1.targets.json')];
  const published = await done(...publishOptions(), ...founding, ...first);
  expect(published).toMatchObject({ code: 'DONE', timestampVersion: 1, snapshotVersion: 1 });

  server = await serveStore(['--store', at('store')]);
  const { url } = server;
  const client = await newClient(url);
  await client.refresh();
  const target = await client.getTargetInfo('1.0.0/gateway/image.js');
  if (target === undefined) throw new Error('tuf-js does not find the target');
  expect(await readFile(await client.downloadTarget(target))).toEqual(await readFile(at('1.0.0', 'image.js')));

  const second = await release('2.0.0', { version: 2 }, '--former', at('1.stable.signing.json'));
  await done(...publishOptions(), ...second);
  expect(await done(...publishOptions())).toMatchObject({ timestampVersion: 3, snapshotVersion: 2, written: [] });
  const later = await newClient(url);
  for (const name of ['1.0.0/gateway/image.js', '2.0.0/gateway/image.js']) {
    expect(await later.getTargetInfo(name), name).toBeDefined();
  }
  expect(await later.getTargetInfo('3.0.0/gateway/image.js')).toBeUndefined();
});

test('a publication that a device would refuse leaves the store as it was, and says why', async () => {
  const bad = await release('3.0.0', { version: 3, signers: ['ada'] }, '--former', at('2.stable.signing.json'));
  const before = await readdir(at('store'), { recursive: true });
  const refusal = await firmament(...publishOptions(), ...bad);
  expect(refusal).toMatchObject({ exit: 1, answer: { ok: false, code: 'PUBLICATION_REFUSED' } });
  expect(refusal.answer['detail']).toContain('METADATA_THRESHOLD_UNMET');
  expect(await readdir(at('store'), { recursive: true })).toEqual(before);
});

test('a draft that devices would refuse is not even signed', async () => {
  const least = ['--former', at('2.stable.signing.json'), '--min-security-counter', '5'];
  await release('4.0.0', { version: 4, signers: [] }, ...least);
  expect(await firmament('sign', '--event', at('4.stable.signing.json'), ...by('ada'))).toMatchObject({
    exit: 1,
    answer: { code: 'IMAGE_ROLLBACK' },
  });
});

test('a draft that was overtaken is rebased, signed again and published; a withdrawn one never is', async () => {
  await release('5.0.0', { version: 3, signers: [], file: '5' }, '--former', at('1.stable.signing.json'));
  const stale = await firmament('sign', '--event', at('5.stable.signing.json'), ...by('ada'));
  expect(stale).toMatchObject({ exit: 1, answer: { code: 'EVENT_STALE' } });
  const rebased = at('5b.stable.signing.json');
  const onto = ['--former', at('2.stable.signing.json'), '--out', rebased];
  await done('rebase', '--event', at('5.stable.signing.json'), ...onto);
  for (const name of ['ada', 'ben']) await done('sign', '--event', rebased, ...by(name));
  const withdrawn = at('5c.stable.signing.json');
  await copyFile(rebased, withdrawn);
  await done('withdraw', '--event', withdrawn, '--key', at('ben.age'), '--passphrase-file', at('passphrase'));
  expect(await firmament('sign', '--event', withdrawn, ...by('ada'))).toMatchObject({
    answer: { code: 'EVENT_WITHDRAWN' },
  });
  await done(...publishOptions(), '--withdrawn', withdrawn);
  const image = ['--file', at('5.0.0', 'image.js')];
  const refused = await firmament(...publishOptions(), '--event', rebased, ...image);
  expect(refused).toMatchObject({ exit: 1, answer: { code: 'PUBLICATION_REFUSED' } });
  expect(refused.answer['detail']).toContain('EVENT_WITHDRAWN');
});

test('a daemon publishes for people without keys, remembers withdrawals, and suffers no publisher beside it', async () => {
  const former = ['--former', at('2.stable.signing.json'), '--min-security-counter', '1'];
  const hand = await release('6.0.0', { version: 3, file: '6' }, ...former);
  const withdrawn = at('6.withdrawn.signing.json');
  await copyFile(at('6.stable.signing.json'), withdrawn);
  await done('withdraw', '--event', withdrawn, '--key', at('ada.age'), '--passphrase-file', at('passphrase'));
  const socket = ['--signer', at('signer.sock')];
  const first = await startDaemon();
  const before = await done('publish', ...socket);
  expect(before).toMatchObject({ product: 'gateway', written: [] });
  expect(await firmament(...publishOptions())).toMatchObject({ exit: 69, answer: { code: 'SIGNER_RUNNING' } });
  expect(await firmament('publish', ...socket, '--store', at('store'))).toMatchObject({
    exit: 64,
    answer: { code: 'USAGE' },
  });
  expect(await firmament('publish')).toMatchObject({ exit: 64, answer: { code: 'USAGE' } });
  await done('publish', ...socket, '--withdrawn', withdrawn);
  await first();
  const second = await startDaemon();
  const refused = await firmament('publish', ...socket, ...hand);
  expect(refused).toMatchObject({ exit: 1, answer: { code: 'PUBLICATION_REFUSED' } });
  expect(refused.answer['detail']).toContain('EVENT_WITHDRAWN');
  const others = ['--former', at('2.stable.signing.json'), '--min-security-counter', '2'];
  const taken = await done('publish', ...socket, ...(await release('7.0.0', { version: 3, file: '7' }, ...others)));
  expect(taken['written']).toContain('gateway/metadata/3.stable.json');
  await second();
  expect(await firmament('publish', ...socket)).toMatchObject({ exit: 69, answer: { code: 'NETWORK_UNREACHABLE' } });
  await done(...publishOptions());
});

test('a signer whose state is gone publishes nothing over a repository that exists', async () => {
  await rm(at('signer'), { recursive: true });
  expect(await firmament(...publishOptions())).toMatchObject({ exit: 1, answer: { code: 'SIGNER_STATE_MISSING' } });
});
