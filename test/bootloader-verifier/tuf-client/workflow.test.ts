/** Runs of the client that follow one another: what is asked for again and what is not, and folders that were damaged. The clauses stand in `tuf-clauses/`. */
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { refreshMetadata, ROOTS_A_RUN_MAX } from '../../../bootloader-verifier/agent/tuf-client/refresh-metadata.ts';
import { edited } from '../../formats/sample-repository.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { simulate } from './simulated-repository.ts';

const FIRST = 'root 1, snapshot 1, targets 1, timestamp 1';
const UNCHANGED = ['2.root.json', 'timestamp.json'];

test.each([false, true])(
  'what is kept and still named is not asked for again, with hashes: %s',
  async (namesHashes) => {
    const { repository, client } = await simulate((r) => (r.namesHashes = namesHashes));
    await client.refresh();
    expect(repository.requests).toEqual(UNCHANGED);
    await repository.publish('timestamp');
    expect(await client.refresh()).toBe('root 1, snapshot 1, targets 1, timestamp 2');
    expect(repository.requests).toEqual(UNCHANGED);
  },
);

test('without a kept root, or from one that nobody signed, it refuses, and asks for nothing', async () => {
  const { repository, client } = await simulate();
  client.kept.set('root', edited(client.kept.get('root') ?? new Uint8Array(), ['signatures'], []));
  expect(await client.refresh()).toBe('METADATA_THRESHOLD_UNMET');
  client.kept.clear();
  expect(await client.refresh()).toBe('NOT_FOUND');
  expect(repository.requests).toEqual([]);
});

test('after a bad root the next run goes on from the good one before it', async () => {
  const { repository, client } = await simulate();
  await repository.publish('root', 'root');
  const whole = repository.newest('root');
  repository.tamper('root', ['signatures'], []);
  expect(await client.refresh()).toBe('METADATA_THRESHOLD_UNMET');
  repository.files.set('metadata/3.root.json', whole);
  expect(await client.refresh()).toBe('root 3, snapshot 1, targets 1, timestamp 1');
  expect(repository.requests[0]).toBe('3.root.json');
});

test('one run takes as many roots as its limit, and the next run those that are left (5.3.3)', async () => {
  const { repository, client } = await simulate();
  for (let count = 0; count < ROOTS_A_RUN_MAX + 1; count++) await repository.publish('root');
  await client.refresh();
  expect(client.versions()).toMatch(new RegExp(`^root ${ROOTS_A_RUN_MAX + 1},`));
  await client.refresh();
  expect(client.versions()).toMatch(new RegExp(`^root ${ROOTS_A_RUN_MAX + 2},`));
});

test('a damaged snapshot in the folder is no reason to forget the timestamp', async () => {
  const { repository, client } = await simulate();
  await repository.publish('timestamp');
  await client.refresh();
  client.kept.set('snapshot', encodeUtf8('{'));
  repository.versions.set('timestamp', 0);
  await repository.publish('timestamp');
  expect(await client.refresh()).toBe('TIMESTAMP_ROLLBACK');
});

test('a kept file that was altered is asked for again', async () => {
  const { repository, client } = await simulate();
  for (const role of ['snapshot', 'targets']) {
    const whole = client.kept.get(role) ?? new Uint8Array();
    client.kept.set(role, edited(whole, ['signed', 'expires'], '2039-01-01T00:00:00Z'));
  }
  expect(await client.refresh()).toBe(FIRST);
  expect(repository.requests).toEqual([...UNCHANGED, '1.snapshot.json', '1.targets.json']);
});

test('kept targets of keys that root has replaced are asked for again', async () => {
  const { repository, client } = await simulate();
  repository.rotate('targets', 'new targets');
  await repository.publish('root');
  expect(await client.refresh()).toBe('METADATA_THRESHOLD_UNMET');
  await repository.publish('targets', 'snapshot', 'timestamp');
  expect(await client.refresh()).toBe('root 2, snapshot 2, targets 2, timestamp 2');
});

test('in one run a role is asked for again on another way, though it was good on the first (5.6.7)', async () => {
  const { repository, client } = await simulate((r) => {
    for (const [parent, path] of [
      ['P', 'p/*'],
      ['Q', 'q/*'],
    ] as const) {
      r.delegate('targets', parent, { paths: [path] });
      r.delegate(parent, 'R', { paths: [path] });
      r.add('R', path.replace('*', 'file'), parent);
    }
    r.signers.set('R', [seededSigner('tuf P to R')]);
  });
  expect(await client.find('p/file', 'q/file')).toEqual([sha256Hex(encodeUtf8('P')), 'METADATA_THRESHOLD_UNMET']);
  expect(repository.requests.filter((path) => path.includes('.R.'))).toHaveLength(2);
});

test('a write that fails at any step leaves a folder from which the next run goes on', async () => {
  for (let step = 0; step < 4; step++) {
    const { repository, client } = await simulate();
    await repository.publish('root', 'targets', 'snapshot', 'timestamp');
    let writes = 0;
    const { store } = client;
    const write: typeof store.write = (role, bytes) =>
      writes++ === step ? Promise.reject(new Error('no power')) : store.write(role, bytes);
    await expect(refreshMetadata({ ...client.client, store: { ...store, write } })).rejects.toThrow('no power');
    expect(await client.refresh()).toBe('root 2, snapshot 2, targets 2, timestamp 2');
  }
});
