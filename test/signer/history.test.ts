/** A channel's history: releases out of force leave the channel in batches, and nothing is approved by what is said of them. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Updater } from 'tuf-js';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseChannelPart } from '../../formats/channel-part.ts';
import type { JsonValue } from '../../formats/json.ts';
import { parseTargetName } from '../../formats/names.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import {
  delegationsToJson,
  parseTargets,
  targetsToJson,
  type Delegations,
  type TargetFile,
} from '../../formats/tuf-targets.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import { CHANNEL_SPARE_MAX } from '../../signer/draft-history.ts';
import { draftChannelFiles } from '../../signer/draft-channel.ts';
import { HISTORY_LIFETIME_MS } from '../../signer/lifetimes.ts';
import type { Changes } from '../../signer/publication.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { verifyApprovedReleases } from '../../signer/identity/verify-approved-releases.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { startServer } from '../ota-server/running-server.ts';
import { HOUR_MS } from '../tiny-event.ts';
import { makeTinyDevice, steps } from '../tiny-device.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../tiny-repository.ts';
import { simulatedImage } from '../../simulation/simulated-device.ts';
import { filesOf, optionsFor } from './publishing.ts';

let repository: TinyRepository;
beforeEach(async () => {
  const first = { image: simulatedImage('1.0.0', 'healthy') };
  repository = await makeTinyRepository({ channels: ['stable'], first });
});

/** One release more, with the history kept. */
async function release(version: number, isShort = true): Promise<void> {
  const name = `${version}.0.0`;
  await repository.publishRelease({ release: name, image: simulatedImage(name, 'healthy'), isShort });
}

function releasesIn(role: string): readonly string[] {
  const { targets } = accepted(parseTargets(repository.newest(role))).signed;
  return [...new Set([...targets.keys()].map((name) => parseTargetName(name)?.release ?? ''))].sort();
}

describe('drafts', () => {
  test('a channel grows by a few releases and no further, and what leaves it stands in the history, once and for good', async () => {
    const moves: number[] = [];
    for (let version = 2; version <= 20; version++) {
      const before = repository.files.size;
      await release(version);
      expect(releasesIn('stable').length).toBeLessThanOrEqual(2 + CHANNEL_SPARE_MAX);
      // Channel, snapshot and the files of the release; the timestamp replaces one; the history now and then.
      if (repository.files.size - before === 5) moves.push(version);
    }
    expect(moves).toEqual([5, 8, 11, 14, 17, 20]);
    const all = [...releasesIn('stable'), ...releasesIn('stable-history')];
    expect(new Set(all).size).toBe(all.length);
    expect(all.length).toBe(20);
    expect(releasesIn('stable')).toEqual(['19.0.0', '20.0.0']);
  });

  test('a release that is in force, or was in force before, never leaves the channel', async () => {
    for (let version = 2; version <= 4; version++) await release(version);
    await repository.publishRelease({ release: '5.0.0', isShort: true, draft: { inForce: '1.0.0' } });
    expect(releasesIn('stable')).toEqual(['1.0.0', '4.0.0']);
  });

  test('what comes into force again is listed again, out of the history', async () => {
    for (let version = 2; version <= 5; version++) await release(version);
    const drafted = accepted(draftChannelFiles(draftOf({ inForce: '1.0.0' }), historyOf()));
    const { signed } = accepted(parseTargets(drafted.channel));
    expect(accepted(parseChannelPart(signed.firmament)).release).toBe('1.0.0');
    expect(drafted.history).toBe(undefined);
  });

  test('without the newest history nothing is moved out of a channel that has one', async () => {
    for (let version = 2; version <= 5; version++) await release(version);
    await release(6, false);
    await release(7, false);
    await release(8, false);
    const delegatedBy = repository.newest('targets');
    expect(draftChannelFiles(draftOf(), { former: undefined, delegatedBy })).toMatchObject({ code: 'DRAFT_REFUSED' });
    const other = { former: repository.newest('stable'), delegatedBy };
    expect(draftChannelFiles(draftOf(), other)).toMatchObject({ code: 'ROLE_MISMATCH' });
    expect(draftChannelFiles(draftOf(), historyOf())).toMatchObject({ ok: true });
  });

  test('a history is made anew under another quorum, and before it expires', async () => {
    for (let version = 2; version <= 5; version++) await release(version);
    const still = accepted(draftChannelFiles(draftOf(), historyOf()));
    expect(still.history).toBeUndefined();
    const late = draftOf({ now: repository.now + HISTORY_LIFETIME_MS - HOUR_MS });
    expect(accepted(draftChannelFiles(late, historyOf())).history).toBeDefined();
    const keys = (repository.signers.get('stable') ?? []).slice(0, 2).map(({ key }) => key);
    await repository.publishTargets({ channels: [{ name: 'stable', quorum: { keys, threshold: 2 } }] });
    const renewed = accepted(draftChannelFiles(draftOf(), historyOf()));
    const { signed } = accepted(parseTargets(renewed.history ?? new Uint8Array()));
    expect(signed.version).toBe(2);
    expect(signed.targets).toEqual(accepted(parseTargets(repository.newest('stable-history'))).signed.targets);
  });
});

type Draft = Parameters<typeof draftChannelFiles>[0];
function draftOf(change: Partial<Draft> = {}): Draft {
  const { id, now } = repository;
  return { repository: id, channel: 'stable', former: repository.newest('stable'), now, ...change };
}
function historyOf(): Parameters<typeof draftChannelFiles>[1] {
  return { former: repository.newest('stable-history'), delegatedBy: repository.newest('targets') };
}

describe('devices and other clients', () => {
  test('a device that runs a historical release keeps its trust, says so, and still goes to what is in force', async () => {
    const device = await makeTinyDevice(repository);
    await device.live();
    for (let version = 2; version <= 5; version++) await release(version);
    expect(releasesIn('stable')).not.toContain('1.0.0');
    const told = steps(await device.live());
    expect(told).toContain('trust RELEASE_UNLISTED');
    expect(told.slice(told.indexOf('trust RELEASE_UNLISTED'))).toContain('install');
    expect(device.runs.at(-1)).toMatchObject({ sha256: sha256Hex(simulatedImage('5.0.0', 'healthy')) });
    expect((await device.floors()).channelVersions.get('stable')).toBe(5);
  });

  test('no device fetches the history, whatever it runs', async () => {
    for (let version = 2; version <= 5; version++) await release(version);
    const asked: string[] = [];
    const client = repository.client;
    const source = {
      kind: 'server',
      client: {
        get: (name: string, bytesMax: number) => {
          asked.push(name);
          return client.get(name, bytesMax);
        },
      },
    } as const;
    const device = await makeTinyDevice(repository, { source });
    await device.live();
    expect(asked.filter((name) => name.includes('history'))).toEqual([]);
    expect(asked).toContain('metadata/5.stable.json');
  });

  test('a bundle for a historical release does not boot under the channel that names it as history', async () => {
    const old = repository.newest('stable');
    for (let version = 2; version <= 5; version++) await release(version);
    const device = await makeTinyDevice(repository);
    const image = simulatedImage('1.0.0', 'healthy');
    await device.putSlot('a', { bundle: repository.bundle('1.0.0'), image });
    const unlisted = await device.start();
    expect(unlisted.kind).toBe('recovery');
    expect(unlisted.refused[0]?.refusal.code).toBe('RELEASE_MALFORMED');
    await device.putSlot('a', {
      bundle: repository.bundle('1.0.0', { channel: repository.newest('stable-history') }),
      image,
    });
    expect(await device.start()).toMatchObject({ kind: 'recovery' });
    await device.putSlot('a', { bundle: repository.bundle('1.0.0', { channel: old }), image });
    expect(await device.start()).toMatchObject({ kind: 'started' });
  });

  test('tuf-js finds what is in force through the channel, and what is history through its delegation', async () => {
    // Its clock is the machine's.
    repository = await makeTinyRepository({ channels: ['stable'], now: Date.now() });
    for (let version = 2; version <= 5; version++) await release(version);
    const { put, port } = await startServer();
    for (const [name, bytes] of repository.files) put(`gateway/${name}`, bytes);
    const folder = mkdtempSync(join(tmpdir(), 'firmament-history-'));
    try {
      mkdirSync(join(folder, 'targets'));
      writeFileSync(join(folder, '1.root.json'), repository.factory.root);
      copyFileSync(join(folder, '1.root.json'), join(folder, 'root.json'));
      const base = `http://127.0.0.1:${port}/r/gateway`;
      const client = new Updater({
        metadataDir: folder,
        targetDir: join(folder, 'targets'),
        metadataBaseUrl: `${base}/metadata/`,
        targetBaseUrl: `${base}/targets/`,
      });
      await client.refresh();
      for (const name of ['5.0.0/gateway/image.js', '1.0.0/gateway/image.js']) {
        expect((await client.getTargetInfo(name))?.length, name).toBeGreaterThan(0);
      }
      expect(await client.getTargetInfo('6.0.0/gateway/image.js')).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the publisher', () => {
  let publisher: FaultStore;
  beforeEach(() => {
    publisher = makeFaultStore();
  });

  /** All that is newest, with other files of some roles. */
  function changes(other: Readonly<Record<string, Uint8Array>> = {}): Changes {
    const roles = ['stable', 'stable-history'].flatMap((name) => {
      const has = [...repository.files.keys()].some((file) => file.endsWith(`.${name}.json`));
      return has ? [[name, repository.newest(name)] as const] : [];
    });
    return {
      roots: repository.roots(),
      targets: repository.newest('targets'),
      channels: new Map([...roles, ...Object.entries(other)]),
      targetFiles: [...repository.releases.values()].flatMap(filesOf),
    };
  }
  const publish = (change: Changes): ReturnType<typeof publishChanges> =>
    publishChanges(optionsFor(repository, publisher), change);

  async function expectRefused(change: Changes, inner = 'HISTORY_MISMATCH'): Promise<void> {
    publisher.restore();
    const refused = await publish(change);
    expect(refused).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED' });
    expect(refused.ok ? '' : refused.detail).toContain(inner);
    expect(publisher.writes()).toBe(0);
  }

  /** The newest file of `role` with other members in its signed part, signed by the quorum. */
  function signedAgain(role: string, change: Readonly<Record<string, JsonValue>>): Promise<Uint8Array> {
    return repository.sign(role, new Map([...signedOf(repository.newest(role)), ...Object.entries(change)]));
  }

  test('a channel and its history are published together, release after release', async () => {
    accepted(await publish(changes()));
    for (let version = 2; version <= 8; version++) {
      await release(version);
      accepted(await publish(changes()));
    }
    const { written } = accepted(await publish(changes()));
    expect(written).toEqual([]);
    expect(publisher.objects.has('gateway/metadata/2.stable-history.json')).toBe(true);
  });

  test('a release that moves nothing writes a channel, a snapshot and a timestamp, and no other metadata', async () => {
    accepted(await publish(changes()));
    for (let version = 2; version <= 5; version++) await release(version);
    accepted(await publish(changes()));
    await release(6);
    const { written } = accepted(await publish(changes()));
    expect(written.filter((name) => name.includes('/metadata/'))).toEqual([
      'gateway/metadata/6.stable.json',
      'gateway/metadata/3.snapshot.json',
    ]);
  });

  test('a history that no channel names by its content is not published', async () => {
    for (let version = 2; version <= 5; version++) await release(version);
    accepted(await publish(changes()));
    const more = await signedAgain('stable-history', { version: 2 });
    await expectRefused(changes({ 'stable-history': more }));
    const stray = await signedAgain('stable-history', { version: 1, expires: '2031-01-01T00:00:00Z' });
    await expectRefused(changes({ 'stable-history': stray }));
  });

  test('a channel that delegates to others than its own quorum, or more than its history, is not published', async () => {
    for (let version = 2; version <= 5; version++) await release(version);
    const delegations = accepted(parseTargets(repository.newest('stable'))).signed.delegations;
    const [role] = delegations?.roles ?? [];
    if (delegations === undefined || role === undefined) throw new Error('no history');
    const thief = seededSigner('thief');
    const keys = new Map([...delegations.keys, [thief.keyid, thief.key]]);
    const keyids = [...role.keyids, thief.keyid];
    const changed: readonly Delegations[] = [
      { keys, roles: [{ ...role, keyids }] },
      { keys: delegations.keys, roles: [{ ...role, threshold: 1 }] },
      { keys: delegations.keys, roles: [role, { ...role, name: 'more' }] },
      { keys: delegations.keys, roles: [{ ...role, paths: ['**'] }] },
      { keys: delegations.keys, roles: [{ ...role, terminating: true }] },
    ];
    for (const other of changed) {
      await expectRefused(changes({ stable: await signedAgain('stable', { delegations: delegationsToJson(other) }) }));
    }
    const silent = new Map(signedOf(repository.newest('stable')));
    const { firmament } = accepted(parseTargets(repository.newest('stable'))).signed;
    silent.set('firmament', new Map([...(firmament ?? [])].filter(([name]) => name !== 'history')));
    await expectRefused(changes({ stable: await repository.sign('stable', silent) }));
    accepted(await publish(changes()));
  });

  test('nothing goes out of a history, and no channel forgets that it has one', async () => {
    for (let version = 2; version <= 5; version++) await release(version);
    accepted(await publish(changes()));
    const targets = new Map([...accepted(parseTargets(repository.newest('stable-history'))).signed.targets].slice(2));
    const less = await withHistory(targets);
    await expectRefused({ ...changes(less), targetFiles: [] });
    const { id, now } = repository;
    const alone = accepted(
      draftChannelFiles({ repository: id, channel: 'stable', former: repository.newest('stable'), now }, undefined),
    );
    const signed = new Map(signedOf(alone.channel));
    signed.delete('delegations');
    const { firmament } = accepted(parseTargets(alone.channel)).signed;
    signed.set('firmament', new Map([...(firmament ?? [])].filter(([name]) => name !== 'history')));
    await expectRefused(changes({ stable: await repository.sign('stable', signed) }));
  });

  test('a history that lacks signatures of its quorum is not published, though the channel names it', async () => {
    for (let version = 2; version <= 5; version++) await release(version);
    const [one] = repository.signers.get('stable') ?? [];
    const signers = one === undefined ? [] : [one];
    const half = await repository.sign('stable-history', signedOf(repository.newest('stable-history')), signers);
    await expectRefused(changes({ 'stable-history': half }), 'METADATA_THRESHOLD_UNMET');
  });

  /** Version 6 of the channel and version 2 of its history with `targets`, as their quorum would sign them. */
  async function withHistory(targets: ReadonlyMap<string, TargetFile>): Promise<Readonly<Record<string, Uint8Array>>> {
    const { signed } = accepted(parseTargets(repository.newest('stable-history')));
    const history = await repository.sign('stable-history', targetsToJson({ ...signed, version: 2, targets }));
    const sha256 = sha256Hex(accepted(parseTargets(history)).signedBytes);
    const pin = new Map<string, JsonValue>([
      ['version', 2],
      ['sha256', sha256],
    ]);
    const channel = accepted(parseTargets(repository.newest('stable'))).signed;
    const firmament = new Map([...(channel.firmament ?? []), ['history', pin] as const]);
    const stable = await repository.sign('stable', targetsToJson({ ...channel, version: 6, firmament }));
    return { stable, 'stable-history': history };
  }
});

test('what the channel names as its history was approved, and may still prove its start; another file proves nothing', async () => {
  for (let version = 2; version <= 5; version++) await release(version);
  const { id, now } = repository;
  const approvedWith = (history: Uint8Array): readonly string[] => {
    const roles = new Map(['targets', 'stable'].map((role) => [role, repository.newest(role)]));
    roles.set('stable-history', history);
    const published = { state: undefined, roots: repository.roots(), timestamp: undefined, snapshot: undefined, roles };
    const approved = accepted(verifyApprovedReleases(published, id, { now, check: checkSignaturePortable }));
    return [...(approved.channels.get('stable')?.targets.keys() ?? [])].map(
      (name) => parseTargetName(name)?.release ?? '',
    );
  };
  expect(approvedWith(repository.newest('stable-history'))).toContain('1.0.0');
  const other = await repository.sign(
    'stable-history',
    new Map([...signedOf(repository.newest('stable-history')), ['version', 2]]),
  );
  expect(approvedWith(other)).not.toContain('1.0.0');
  expect(approvedWith(other)).toContain('5.0.0');
});
