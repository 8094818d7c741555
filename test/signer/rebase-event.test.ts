/** A draft that was overtaken is drafted again as the same change, and nothing but that. */
import { beforeAll, expect, test } from 'vitest';
import { parseChannelPart } from '../../formats/channel-part.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { signMetadata } from '../../signer/add-signature.ts';
import type { ChannelDraft } from '../../signer/draft-channel.ts';
import { rebaseEvent, type Rebase } from '../../signer/rebase-event.ts';
import { withdrawEvent } from '../../signer/sign-event.ts';
import { accepted } from '../accepted.ts';
import { HOUR_MS, makeTinyEvents, WORKFLOW, type EventOptions, type TinyEvents } from '../tiny-event.ts';
import { signedOf } from '../tiny-repository.ts';

let tiny: TinyEvents;
beforeAll(async () => {
  tiny = await makeTinyEvents();
});

/** A channel file that came in between, by another draft. */
async function overtaking(options: EventOptions): Promise<Uint8Array> {
  const { metadata } = await tiny.event(options);
  return signMetadata(signedOf(metadata), [tiny.managers.eli, tiny.managers.fay]);
}

function onto(former: Uint8Array): Rebase {
  const { now } = tiny.repository;
  return { former, now, lifetimeMs: HOUR_MS, notAfter: now + HOUR_MS };
}

test('what came in between stays, and the change is made on top of it by the same authors', async () => {
  const event = await tiny.event();
  const revoked = 'ab'.repeat(32);
  const former = await overtaking({ draft: { release: undefined, minSecurityCounter: 1, revokedDigests: [revoked] } });
  const rebased = accepted(rebaseEvent(event, onto(former)));
  const { signed } = accepted(parseTargets(rebased.metadata));
  expect([...signed.targets.keys()].map((name) => name.split('/')[0])).toEqual(['1.0.0', '1.0.0', '2.0.0', '2.0.0']);
  expect(accepted(parseChannelPart(signed.firmament))).toMatchObject({
    release: '2.0.0',
    minSecurityCounter: 1,
    revokedDigests: [revoked],
    event: { predecessor: sha256Hex(former), authors: [WORKFLOW] },
  });
  expect(rebased).toMatchObject({ former, evidence: event.evidence });
});

test('a draft that changes only floors leaves the release in force that came in between', async () => {
  const event = await tiny.event({ draft: { release: undefined, revokedDigests: ['ab'.repeat(32)] } });
  const rebased = accepted(rebaseEvent(event, onto(await overtaking({}))));
  const part = accepted(parseChannelPart(accepted(parseTargets(rebased.metadata)).signed.firmament));
  expect(part).toMatchObject({ release: '2.0.0', revokedDigests: ['ab'.repeat(32)] });
});

test('another reason for the end of a way is part of the change, and is carried on', async () => {
  const ending = (reason: string): Partial<ChannelDraft> => ({ graph: { deadEnds: [{ release: '1.0.0', reason }] } });
  const former = await overtaking({ draft: ending('the first reason') });
  const draft = { ...ending('the second reason'), release: undefined, former };
  const event = await tiny.event({ draft, parts: { former } });
  const between = await overtaking({ draft: { release: undefined, former, revokedDigests: ['ab'.repeat(32)] } });
  const rebased = accepted(rebaseEvent(event, onto(between)));
  const part = accepted(parseChannelPart(accepted(parseTargets(rebased.metadata)).signed.firmament));
  expect(part.graph?.deadEnds).toEqual([{ release: '1.0.0', reason: 'the second reason' }]);
});

test('a release name that was taken meanwhile for other content is refused, never overwritten', async () => {
  const event = await tiny.event();
  const former = await overtaking({ component: { image: new Uint8Array([1, 2, 3]) } });
  expect(rebaseEvent(event, onto(former))).toMatchObject({ ok: false, code: 'DRAFT_REFUSED' });
});

test('a withdrawn draft is not carried on', async () => {
  const withdrawn = accepted(await withdrawEvent(await tiny.event(), tiny.managers.fay));
  expect(rebaseEvent(withdrawn, onto(await overtaking({})))).toMatchObject({ ok: false, code: 'EVENT_WITHDRAWN' });
});
