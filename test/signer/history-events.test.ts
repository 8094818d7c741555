/** Signing events that move releases into a channel's history: what moves is shown, signed along, and nothing else. */
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../formats/json.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { encodeSigningEvent, type SigningEvent } from '../../formats/signing-event.ts';
import { encodeMetadata } from '../../formats/tuf-metadata.ts';
import { parseTargets, targetsToJson, type TargetFile } from '../../formats/tuf-targets.ts';
import { changesOfRequest } from '../../signer/changes-of-request.ts';
import { draftChannelFiles } from '../../signer/draft-channel.ts';
import { rebaseEvent } from '../../signer/rebase-event.ts';
import { signEvent } from '../../signer/sign-event.ts';
import { verifyEvent } from '../../signer/verify-event.ts';
import { describeEvent } from '../../cli/describe-event.ts';
import { accepted } from '../accepted.ts';
import { HOUR_MS, listPeople, WORKFLOW, type TinyEvents } from '../tiny-event.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';

let repository: TinyRepository;

/** An event that moves releases, of a repository with people. */
async function movingEvent(): Promise<{ readonly event: SigningEvent; readonly tiny: TinyEvents }> {
  repository = await makeTinyRepository({ channels: ['stable'] });
  const tiny = await listPeople(repository);
  for (const name of ['2.0.0', '3.0.0', '4.0.0']) {
    const authors = { notAfter: repository.now + HOUR_MS, authors: [WORKFLOW] };
    const signers = [tiny.managers.eli, tiny.managers.fay];
    await repository.publishRelease({ release: name, draft: { event: authors }, signers });
  }
  const draft = await tiny.event({ release: '5.0.0', component: { securityCounter: 1 } });
  const history = { former: undefined, delegatedBy: repository.newest('targets') };
  const { signed } = accepted(parseTargets(draft.metadata));
  const addedTargets = new Map([...signed.targets].filter(([name]) => name.startsWith('5.0.0/')));
  const content = {
    ...{ repository: repository.id, channel: 'stable', former: repository.newest('stable'), now: repository.now },
    ...{ addedTargets, inForce: '5.0.0' },
    event: { notAfter: repository.now + HOUR_MS, authors: [WORKFLOW] },
  };
  const drafted = accepted(draftChannelFiles(content, history));
  if (drafted.history === undefined) throw new Error('nothing moves');
  const event = { ...draft, metadata: drafted.channel, history: { metadata: drafted.history, former: undefined } };
  return { event, tiny };
}

describe('signing events', () => {
  test('one signature approves the channel and signs the history along, and the words say what moves', async () => {
    const { event, tiny } = await movingEvent();
    const judged = accepted(verifyEvent(event, { memory: tiny.memory, now: repository.now }));
    expect(judged.moved).toEqual(['1.0.0', '2.0.0', '3.0.0']);
    const words = describeEvent(judged, undefined).join('\n');
    for (const name of judged.moved) expect(words).toContain(`- ${name} is history`);
    expect(words).not.toContain('listed no longer');
    const signed = accepted(await signEvent(judged, tiny.managers.eli));
    for (const bytes of [signed.metadata, signed.history?.metadata ?? new Uint8Array()]) {
      const { signatures } = accepted(parseTargets(bytes));
      expect(signatures.map(({ keyid }) => keyid)).toEqual([tiny.managers.eli.keyid]);
    }
    expect(verifyEvent(signed, { memory: tiny.memory, now: repository.now })).toMatchObject({ ok: true });
  });

  test('what moves is what was listed, whole and unchanged: every other history is refused by the tool', async () => {
    const { event, tiny } = await movingEvent();
    const refused = (other: SigningEvent): void =>
      expect(verifyEvent(other, { memory: tiny.memory, now: repository.now })).toMatchObject({
        ok: false,
        code: 'HISTORY_MISMATCH',
      });
    const { history } = event;
    if (history === undefined) throw new Error('nothing moves');
    refused({ ...event, history: undefined });
    refused({ ...event, history: { ...history, metadata: event.metadata } });
    const { signed } = accepted(parseTargets(history.metadata));
    const [[name, target] = ['', undefined]] = [...signed.targets];
    if (target === undefined) throw new Error('nothing moves');
    const foreign = new Map([...signed.targets, ['0.9.0/gateway/image.js', target] as const]);
    refused(renamed(event, foreign));
    refused(renamed(event, new Map([...signed.targets, [name, { ...target, length: target.length + 1 }] as const])));
    expect(verifyEvent(renamed(event, signed.targets), { memory: tiny.memory, now: repository.now })).toMatchObject({
      ok: true,
    });
  });

  test('a history that travels without being named anew is refused: nobody signs what the words do not show', async () => {
    const { event, tiny } = await movingEvent();
    const other = await tiny.event({ release: '6.0.0' });
    const stray = event.history === undefined ? other : { ...other, history: event.history };
    const trust = { memory: tiny.memory, now: repository.now };
    expect(verifyEvent(other, trust)).toMatchObject({ ok: true });
    expect(verifyEvent(stray, trust)).toMatchObject({ code: 'HISTORY_MISMATCH' });
  });

  test('a rebased event moves what is due then, and drops nothing', async () => {
    const { event } = await movingEvent();
    const onto = {
      former: repository.newest('stable'),
      now: repository.now,
      lifetimeMs: HOUR_MS,
      notAfter: repository.now + HOUR_MS,
    };
    const rebased = accepted(rebaseEvent(event, onto));
    const targets = (bytes: Uint8Array | undefined): readonly string[] => [
      ...accepted(parseTargets(bytes ?? new Uint8Array())).signed.targets.keys(),
    ];
    expect(targets(rebased.metadata)).toEqual(targets(event.metadata));
    expect(targets(rebased.history?.metadata)).toEqual(targets(event.history?.metadata));
  });

  /** `event` with a history of other targets, which its channel names. */
  function renamed(event: SigningEvent, targets: ReadonlyMap<string, TargetFile>): SigningEvent {
    const { signed } = accepted(parseTargets(event.history?.metadata ?? new Uint8Array()));
    const metadata = encodeMetadata(targetsToJson({ ...signed, targets }), []);
    const sha256 = sha256Hex(accepted(parseTargets(metadata)).signedBytes);
    const pin = new Map<string, JsonValue>([
      ['version', 1],
      ['sha256', sha256],
    ]);
    const channel = accepted(parseTargets(event.metadata)).signed;
    const firmament = new Map([...(channel.firmament ?? []), ['history', pin] as const]);
    const named = encodeMetadata(targetsToJson({ ...channel, firmament }), []);
    return { ...event, metadata: named, history: { metadata, former: undefined } };
  }
});

test('a publisher takes both roles out of the event: nobody hands in a channel without the history that it names', async () => {
  const { event } = await movingEvent();
  const changes = accepted(changesOfRequest([{ kind: 'event', name: undefined, bytes: encodeSigningEvent(event) }]));
  expect(changes.channels).toEqual(
    new Map([
      ['stable', event.metadata],
      ['stable-history', event.history?.metadata],
    ]),
  );
});
