/** Ways at the publisher and before people: a channel that strands a device, or leads it where it would not go, is not published. */
import { beforeEach, describe, expect, test } from 'vitest';
import { describeEvent } from '../../cli/describe-event.ts';
import { parseChannelPart, type ChannelPart } from '../../formats/channel-part.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import { draftChannelFiles, type ChannelDraft } from '../../signer/draft-channel.ts';
import type { GraphDraft } from '../../signer/draft-graph.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { rebaseEvent } from '../../signer/rebase-event.ts';
import { verifyEvent } from '../../signer/verify-event.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { HOUR_MS, makeTinyEvents, WORKFLOW, type TinyEvents } from '../tiny-event.ts';
import { makeTinyRepository, signedOf, type ReleaseOptions, type TinyRepository } from '../tiny-repository.ts';
import { filesOf, optionsFor } from './publishing.ts';

let repository: TinyRepository;
let publisher: FaultStore;
beforeEach(async () => {
  repository = await makeTinyRepository({ channels: ['stable'] });
  publisher = makeFaultStore();
});

/** Publishes the channel as it is now, with all that it needs. */
function publish(): ReturnType<typeof publishChanges> {
  publisher.restore();
  return publishChanges(optionsFor(repository, publisher), {
    roots: repository.roots(),
    targets: repository.newest('targets'),
    channels: new Map([['stable', repository.newest('stable')]]),
    targetFiles: [...repository.releases.values()].flatMap(filesOf),
  });
}

/** Whether the next channel, with these ways, is published; else the detail of the refusal. */
async function next(release: string, graph: GraphDraft = {}, more: ReleaseOptions = {}): Promise<string> {
  await repository.publishRelease({ release, ...more, draft: { graph, ...more.draft } });
  const published = await publish();
  expect(published.ok || publisher.writes() === 0).toBe(true);
  return published.ok ? 'published' : published.detail;
}

const from = (release: string, min: string): GraphDraft['from'] => new Map([[release, [{ min, below: undefined }]]]);

describe('the publisher', () => {
  beforeEach(async () => {
    accepted(await publish());
  });

  test('a release that is installed over newer ones alone strands the older ones, until they are led there or marked', async () => {
    const only = from('3.0.0', '2.0.0');
    expect(await next('2.0.0')).toBe('published');
    expect(await next('3.0.0', { from: only ?? new Map() })).toMatch(
      /GRAPH_REFUSED: a device that runs 1.0.0 is stranded: WAY_CLOSED/,
    );
    expect(await next('3.0.0', { waypoints: ['2.0.0'] })).toBe('published');
  });

  test('a stranded release that is marked as a dead end is published: people have said so', async () => {
    expect(await next('2.0.0')).toBe('published');
    const deadEnds = [{ release: '1.0.0', reason: 'too small' }];
    expect(await next('3.0.0', { from: from('3.0.0', '2.0.0') ?? new Map(), deadEnds })).toBe('published');
  });

  test('an older release comes into force only where all newer ones are recalled', async () => {
    expect(await next('2.0.0')).toBe('published');
    expect(await next('1.0.0')).toMatch(/2.0.0 is stranded: RECALL_MISSING/);
    expect(await next('1.0.0', { recalled: ['2.0.0'] })).toBe('published');
  });

  test('a recall below the counter of what is recalled is not published: no device would go', async () => {
    expect(await next('2.0.0', {}, { securityCounter: 2 })).toBe('published');
    expect(await next('1.0.0', { recalled: ['2.0.0'] })).toMatch(/IMAGE_ROLLBACK/);
  });

  test('a way whose counters jump too far is refused, and published once a waypoint lies between', async () => {
    expect(await next('2.0.0', {}, { securityCounter: 17 })).toBe('published');
    expect(await next('3.0.0', {}, { securityCounter: 33 })).toMatch(/from 1.0.0 to 3.0.0: COUNTER_JUMP/);
    expect(await next('3.0.0', { waypoints: ['2.0.0'] }, { securityCounter: 33 })).toBe('published');
  });

  test('a waypoint that is revoked, below the least counter, or not listed, is refused', async () => {
    expect(await next('2.0.0')).toBe('published');
    const revokedDigests = [sha256Hex(repository.releases.get('2.0.0')?.image ?? new Uint8Array())];
    const waypoints = { waypoints: ['2.0.0'] };
    expect(await next('3.0.0', waypoints, { draft: { revokedDigests } })).toMatch(/IMAGE_REVOKED/);
    repository.files.delete('metadata/3.stable.json');
    expect(await next('3.0.0', { waypoints: ['2.5.0'] })).toMatch(
      /GRAPH_REFUSED: the waypoint 2.5.0|RELEASE_MALFORMED/,
    );
    repository.files.delete('metadata/3.stable.json');
    expect(await next('3.0.0', waypoints, { securityCounter: 2, draft: { minSecurityCounter: 2 } })).toMatch(
      /IMAGE_ROLLBACK/,
    );
  });

  test('two waypoints of one version are refused: which comes first would be decided by nobody', async () => {
    expect(await next('2.0.0')).toBe('published');
    expect(await next('twin', {}, { firmwareVersion: '2.0.0' })).toBe('published');
    expect(await next('3.0.0', { waypoints: ['2.0.0', 'twin'] })).toMatch(/two waypoints have one version/);
  });

  test('a waypoint that would not boot is refused like a release in force', async () => {
    const builder = seededSigner('stranger');
    await repository.publishRelease({
      release: '2.0.0',
      builder,
      draft: { inForce: '1.0.0', graph: { recalled: ['2.0.0'] } },
    });
    accepted(await publish());
    expect(await next('3.0.0', { waypoints: ['2.0.0'] })).toMatch(/EVIDENCE_SIGNATURE_INVALID/);
  });

  test('from a release that is history the way must lead on as well', async () => {
    for (const name of ['2.0.0', '3.0.0', '4.0.0', '5.0.0'])
      await repository.publishRelease({ release: name, isShort: true });
    await repository.publishRelease({
      release: '6.0.0',
      isShort: true,
      draft: { graph: { from: from('6.0.0', '4.0.0') ?? new Map() } },
    });
    const changes = { channels: new Map(['stable', 'stable-history'].map((name) => [name, repository.newest(name)])) };
    const targetFiles = [...repository.releases.values()].flatMap(filesOf);
    const published = await publishChanges(optionsFor(repository, publisher), { ...changes, targetFiles });
    expect(published.ok ? '' : published.detail).toMatch(/a device that runs [123].0.0 is stranded/);
  });
});

describe('drafts', () => {
  const partOf = (file: Uint8Array): ChannelPart =>
    accepted(parseChannelPart(accepted(parseTargets(file)).signed.firmament));
  const draft = (change: Partial<ChannelDraft>): ReturnType<typeof draftChannelFiles> => {
    const { id, now } = repository;
    const former = repository.newest('stable');
    return draftChannelFiles({ repository: id, channel: 'stable', former, now, ...change }, undefined);
  };

  test('what was said of ways stays from version to version, goes by name, and ends where the release comes into force', async () => {
    await repository.publishRelease({ release: '2.0.0' });
    await repository.publishRelease({
      release: '3.0.0',
      draft: { graph: { waypoints: ['2.0.0'], recalled: ['2.5.0'] } },
    });
    const graph = (change: Partial<ChannelDraft>): ChannelPart['graph'] =>
      partOf(accepted(draft(change)).channel).graph;
    expect(graph({})).toMatchObject({ waypoints: ['2.0.0'], recalled: ['2.5.0'] });
    expect(graph({ graph: { without: ['2.0.0'] } })).toMatchObject({ waypoints: [], recalled: ['2.5.0'] });
    expect(graph({ graph: { recalled: ['2.0.0'] } })).toMatchObject({ waypoints: [], recalled: ['2.5.0', '2.0.0'] });
    expect(graph({ graph: { without: ['2.0.0', '2.5.0'] } })).toBeUndefined();
    expect(graph({ inForce: '2.0.0', graph: { recalled: ['3.0.0'] } })).toMatchObject({
      waypoints: [],
      recalled: ['2.5.0', '3.0.0'],
    });
  });

  test('a graph that is none is not drafted', () => {
    const deadEnds = [{ release: '0.9.0', reason: '' }];
    expect(draft({ graph: { deadEnds } })).toMatchObject({ code: 'DRAFT_REFUSED' });
    expect(draft({ graph: { waypoints: ['1.0.0'] } })).toMatchObject({ code: 'RELEASE_MALFORMED' });
  });

  test('waypoints and dead ends stay in the channel, and a waypoint out of the history is listed again', async () => {
    for (const name of ['2.0.0', '3.0.0', '4.0.0', '5.0.0'])
      await repository.publishRelease({ release: name, isShort: true });
    const history = { former: repository.newest('stable-history'), delegatedBy: repository.newest('targets') };
    const { id, now } = repository;
    const content = {
      repository: id,
      channel: 'stable',
      former: repository.newest('stable'),
      now,
      graph: { waypoints: ['2.0.0'] },
    };
    const drafted = accepted(draftChannelFiles(content, history));
    expect(
      [...accepted(parseTargets(drafted.channel)).signed.targets.keys()].some((name) => name.startsWith('2.0.0/')),
    ).toBe(true);
    repository.put('stable', await repository.sign('stable', signedOf(drafted.channel)));
    for (const name of ['6.0.0', '7.0.0', '8.0.0', '9.0.0'])
      await repository.publishRelease({ release: name, isShort: true });
    const names = [...accepted(parseTargets(repository.newest('stable'))).signed.targets.keys()];
    expect(names.some((name) => name.startsWith('2.0.0/'))).toBe(true);
    expect(names.some((name) => name.startsWith('3.0.0/'))).toBe(false);
  });
});

describe('what people see before they sign', () => {
  let tiny: TinyEvents;
  beforeEach(async () => {
    tiny = await makeTinyEvents();
  });

  const trust = (): Parameters<typeof verifyEvent>[1] => ({ memory: tiny.memory, now: tiny.repository.now });

  test('waypoints, ranges, dead ends and recalls are shown in words, and what is said no longer', async () => {
    const graph = {
      from: from('2.0.0', '1.0.0') ?? new Map(),
      deadEnds: [{ release: '0.9.0', reason: 'no \u202eway' }],
      recalled: ['1.9.0'],
    };
    const words = describeEvent(accepted(verifyEvent(await tiny.event({ draft: { graph } }), trust())), undefined).join(
      '\n',
    );
    expect(words).toContain('! recalled: devices that run 1.9.0 step back to 2.0.0');
    expect(words).toContain('2.0.0 is installed over 1.0.0 and above alone');
    expect(words).toContain('! dead end: devices that run 0.9.0 stay with it: no ');
    expect(words).not.toContain('\u202e');
  });

  test('a counter that rises is shown as what it is: it closes the way back', async () => {
    const judged = accepted(verifyEvent(await tiny.event({ component: { securityCounter: 2 } }), trust()));
    expect(describeEvent(judged, undefined).join('\n')).toMatch(
      /! the security counter of gateway rises from 1 to 2:.* never goes back to 1.0.0/,
    );
    const level = accepted(verifyEvent(await tiny.event({ component: { securityCounter: 1 } }), trust()));
    expect(describeEvent(level, undefined).join('\n')).not.toContain('never goes back');
  });

  test('a draft that strands a device is refused by the tool of each key holder', async () => {
    const graph = { from: from('2.0.0', '1.5.0') ?? new Map() };
    expect(verifyEvent(await tiny.event({ draft: { graph } }), trust())).toMatchObject({ code: 'GRAPH_REFUSED' });
  });

  test('a rebased draft says of ways what it said', async () => {
    const graph = { recalled: ['1.9.0'], from: from('2.0.0', '1.0.0') ?? new Map() };
    const event = await tiny.event({ draft: { graph } });
    const { now } = tiny.repository;
    const drafted = { notAfter: now + HOUR_MS, authors: [WORKFLOW] };
    const signers = [tiny.managers.eli, tiny.managers.fay];
    await tiny.repository.publishRelease({
      release: '1.1.0',
      draft: { event: drafted, graph: { recalled: ['1.8.0'] } },
      signers,
    });
    const onto = { former: tiny.repository.newest('stable'), now, lifetimeMs: HOUR_MS, notAfter: now + HOUR_MS };
    const rebased = accepted(rebaseEvent(event, onto));
    const part = accepted(parseChannelPart(accepted(parseTargets(rebased.metadata)).signed.firmament));
    expect(part.graph).toMatchObject({ recalled: ['1.8.0', '1.9.0'] });
    expect(part.graph?.from.get('2.0.0')).toEqual([{ min: '1.0.0', below: undefined }]);
  });
});
