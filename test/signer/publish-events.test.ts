/** R2 and R5 at the publisher: what is stale, past its time, withdrawn or approved by its author is not published. */
import { beforeEach, expect, test } from 'vitest';
import { parseTargets } from '../../formats/tuf-targets.ts';
import type { SigningEvent } from '../../formats/signing-event.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import { signMetadata } from '../../signer/add-signature.ts';
import type { Changes } from '../../signer/publication.ts';
import { publishChanges, type PublishedNow } from '../../signer/publish-changes.ts';
import { rebaseEvent } from '../../signer/rebase-event.ts';
import { withdrawEvent } from '../../signer/sign-event.ts';
import type { Signer } from '../../signer/signer.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { HOUR_MS, listPeople, nameOf, type TinyEvents } from '../tiny-event.ts';
import { makeTinyRepository, signedOf } from '../tiny-repository.ts';
import { filesOf, optionsFor } from './publishing.ts';

let tiny: TinyEvents;
let publisher: FaultStore;
beforeEach(async () => {
  publisher = makeFaultStore();
  const repository = await makeTinyRepository({ channels: ['stable'] });
  const files = [...repository.releases.values()].flatMap(filesOf);
  const first = { roots: repository.roots(), targets: repository.newest('targets'), targetFiles: files };
  const stable = (): ReadonlyMap<string, Uint8Array> => new Map([['stable', repository.newest('stable')]]);
  accepted(await publishChanges(optionsFor(repository, publisher), { ...first, channels: stable() }));
  tiny = await listPeople(repository);
  const targets = repository.newest('targets');
  accepted(await publishChanges(optionsFor(repository, publisher), { targets, channels: stable() }));
});

/** What an event brings to the publisher, signed by `signers`. */
async function brought(event: SigningEvent, signers: readonly Signer[]): Promise<Changes> {
  const metadata = await signMetadata(signedOf(event.metadata), signers);
  const { role, withdrawn, evidence } = event;
  const image = new TextEncoder().encode('// gateway 2.0.0\n');
  return {
    channels: new Map([[role, metadata]]),
    targetFiles: [image, ...evidence],
    withdrawals: [{ role, metadata, envelopes: withdrawn }],
  };
}

function publish(changes: Changes, now = tiny.repository.now): Promise<Verdict<PublishedNow>> {
  return publishChanges(optionsFor(tiny.repository, publisher, now), changes);
}

async function expectRefused(changes: Changes, inner: string, now?: number): Promise<void> {
  const refused = await publish(changes, now);
  expect(refused).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED' });
  expect(refused.ok ? '' : refused.detail).toContain(inner);
}

/** Eli and Fay: neither made the change. */
const others = (): readonly Signer[] => [tiny.managers.eli, tiny.managers.fay];

test('an event is published until its last moment, and not a moment later', async () => {
  const changes = await brought(await tiny.event(), others());
  const last = tiny.repository.now + HOUR_MS;
  await expectRefused(changes, 'EVENT_EXPIRED', last + 1);
  expect(await publish(changes, last)).toMatchObject({ ok: true });
});

test('what is published once may be handed in again, and stays published past its time', async () => {
  const changes = await brought(await tiny.event(), others());
  accepted(await publish(changes));
  const again = await publish({ channels: changes.channels ?? new Map() }, tiny.repository.now + 2 * HOUR_MS);
  expect(again).toMatchObject({ ok: true, value: { written: [] } });
});

test("an author's signature makes no quorum at the publisher either", async () => {
  await expectRefused(await brought(await tiny.event(), [tiny.managers.dee, tiny.managers.eli]), 'QUORUM_UNMET');
});

test('of two drafts over the same version one is published; the other is stale until it is rebased and signed again', async () => {
  const recall = { release: undefined, revokedDigests: ['ab'.repeat(32)] };
  const late = await tiny.event();
  const early = await tiny.event({ draft: recall, parts: { evidence: [] } });
  const first = await brought(early, others());
  accepted(await publish({ ...first, targetFiles: [] }));
  await expectRefused(await brought(late, others()), 'EVENT_STALE');
  const former = first.channels?.get('stable') ?? new Uint8Array();
  const { now } = tiny.repository;
  const rebased = accepted(rebaseEvent(late, { former, now, lifetimeMs: HOUR_MS, notAfter: now + HOUR_MS }));
  const { signatures, signed } = accepted(parseTargets(rebased.metadata));
  expect(signatures).toEqual([]);
  expect(signed.version).toBe(4);
  await expectRefused(await brought(rebased, []), 'METADATA_THRESHOLD_UNMET');
  expect(await publish(await brought(rebased, others()))).toMatchObject({ ok: true });
});

test('a draft that follows a file of the right version with other bytes is stale', async () => {
  const { dee, eli, fay } = tiny.managers;
  const former = await signMetadata(signedOf(tiny.repository.newest('stable')), [dee, eli, fay]);
  await expectRefused(await brought(await tiny.event({ draft: { former } }), others()), 'EVENT_STALE');
});

test('a withdrawn draft is never published, though the withdrawal is handed in once and then hidden', async () => {
  const event = await tiny.event();
  const withdrawn = accepted(await withdrawEvent(event, tiny.managers.dee));
  const changes = await brought(withdrawn, others());
  await expectRefused(changes, 'EVENT_WITHDRAWN');
  await expectRefused({ ...changes, withdrawals: [] }, 'EVENT_WITHDRAWN');
  const { version } = accepted(parseTargets(event.metadata)).signed;
  expect(await publisher.memory.read()).toMatchObject({
    withdrawn: [{ role: 'stable', version, sha256: nameOf(event) }],
  });
});

test('a withdrawal is remembered on its own, and through refreshes, until the channel is past that version', async () => {
  const withdrawn = accepted(await withdrawEvent(await tiny.event(), tiny.managers.fay));
  const { withdrawals = [], ...changes } = await brought(withdrawn, others());
  accepted(await publish({ withdrawals }));
  accepted(await publish({}));
  await expectRefused(changes, 'EVENT_WITHDRAWN');
  const other = await tiny.event({ draft: { minSecurityCounter: 1 } });
  accepted(await publish(await brought(other, others())));
  expect((await publisher.memory.read())?.withdrawn).toBeUndefined();
  await expectRefused(changes, 'EVENT_STALE');
});

test('a withdrawal by nobody of the channel, and one beside another draft, stop nothing', async () => {
  const event = await tiny.event();
  const other = await tiny.event({ draft: { minSecurityCounter: 1 } });
  const [owner = seededSigner('nobody')] = tiny.repository.signers.get('targets') ?? [];
  expect(await withdrawEvent(event, owner)).toMatchObject({ code: 'KEY_NOT_OF_ROLE' });
  const { withdrawn } = accepted(await withdrawEvent(other, tiny.managers.eli));
  expect(await publish(await brought({ ...event, withdrawn }, others()))).toMatchObject({ ok: true });
});

test('power cut at every write while a withdrawal is handed in: handed in again it holds, and the draft never comes out', async () => {
  const withdrawn = accepted(await withdrawEvent(await tiny.event(), tiny.managers.eli));
  const { withdrawals = [], ...changes } = await brought(withdrawn, others());
  const before = publisher;
  const whole = before.copy();
  publisher = whole;
  accepted(await publish({ withdrawals }));
  for (let write = 1; write <= whole.writes(); write++) {
    publisher = before.copy();
    publisher.cutAt(write);
    await expect(publish({ withdrawals }), `write ${write}`).rejects.toMatchObject({ code: 'POWER_CUT' });
    publisher.restore();
    accepted(await publish({ withdrawals }));
    await expectRefused(changes, 'EVENT_WITHDRAWN');
  }
});
