/** R5 at the daemon: withdrawals travel with what is handed in, and the signer itself decides from their bytes whether they hold. */
import { beforeEach, expect, test } from 'vitest';
import { encodeEnvelope, parseEnvelope, preAuthEncoding } from '../../../formats/dsse.ts';
import { encodePublishRequest, type PartKind, type RequestPart } from '../../../formats/publish-request.ts';
import { encodeSigningEvent, type SigningEvent } from '../../../formats/signing-event.ts';
import { WITHDRAWAL_PAYLOAD_TYPE } from '../../../formats/withdrawal.ts';
import type { Verdict } from '../../../formats/verdict.ts';
import { makeFaultBooks } from '../../../simulation/fault-books.ts';
import { makeFaultStore, type FaultStore } from '../../../simulation/fault-store.ts';
import { signMetadata } from '../../../signer/add-signature.ts';
import { signerVerbs } from '../../../signer/daemon/signer-verbs.ts';
import type { VerbFacts } from '../../../signer/daemon/verb-table.ts';
import { publishQueue } from '../../../signer/publish-queue.ts';
import { deviceRegister } from '../../../signer/identity/device-register.ts';
import { withdrawEvent } from '../../../signer/sign-event.ts';
import { accepted } from '../../accepted.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { listPeople, nameOf, type TinyEvents } from '../../tiny-event.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../../tiny-repository.ts';
import { filesOf, optionsFor } from '../publishing.ts';

let tiny: TinyEvents;
let publisher: FaultStore;
let signed: SigningEvent;
const image = new TextEncoder().encode('// gateway 2.0.0\n');
const part = (kind: PartKind, bytes: Uint8Array, name?: string): RequestPart => ({ kind, name, bytes });

function ask(...parts: readonly RequestPart[]): Promise<Verdict<VerbFacts>> {
  return askIn(tiny.repository, ...parts);
}

/** Asks the daemon's verb, as over its socket. */
function askIn(repository: TinyRepository, ...parts: readonly RequestPart[]): Promise<Verdict<VerbFacts>> {
  const { now, ...publishing } = optionsFor(repository, publisher);
  const books = makeFaultBooks();
  const verbs = signerVerbs({
    ...{ publishing, publish: publishQueue(publishing), books, register: deviceRegister(books) },
    open: new Map(),
  });
  const verb = verbs.get('publish');
  if (verb === undefined) throw new Error('the daemon publishes');
  return verb.run(encodePublishRequest(parts), now);
}

async function expectRefused(inner: string, ...parts: readonly RequestPart[]): Promise<void> {
  const refused = await ask(...parts);
  expect(refused).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED' });
  expect(refused.ok ? '' : refused.detail).toContain(inner);
}

beforeEach(async () => {
  publisher = makeFaultStore();
  const repository = await makeTinyRepository({ channels: ['stable'] });
  const files = [...repository.releases.values()].flatMap(filesOf).map((bytes) => part('file', bytes));
  const roots = repository.roots().map((bytes) => part('root', bytes));
  const newest = (): readonly RequestPart[] => [
    part('targets', repository.newest('targets')),
    part('channel', repository.newest('stable'), 'stable'),
  ];
  accepted(await askIn(repository, ...roots, ...newest(), ...files));
  tiny = await listPeople(repository);
  accepted(await ask(...newest()));
  const event = await tiny.event();
  const { eli, fay } = tiny.managers;
  signed = { ...event, metadata: await signMetadata(signedOf(event.metadata), [eli, fay]) };
});

test('an event brings its channel and its evidence, and is answered with what stands in the log and the snapshot', async () => {
  const facts = accepted(await ask(part('event', encodeSigningEvent(signed)), part('file', image)));
  expect(facts).toMatchObject({ product: tiny.repository.id.product, timestampVersion: 3, snapshotVersion: 3 });
  expect(facts['written']).toContain('gateway/metadata/3.stable.json');
});

test('an event that carries its withdrawal is refused for ever, though the withdrawal is hidden afterwards', async () => {
  const withdrawn = accepted(await withdrawEvent(signed, tiny.managers.dee));
  await expectRefused('EVENT_WITHDRAWN', part('event', encodeSigningEvent(withdrawn)), part('file', image));
  await expectRefused('EVENT_WITHDRAWN', part('event', encodeSigningEvent(signed)), part('file', image));
  await expectRefused('EVENT_WITHDRAWN', part('channel', signed.metadata, 'stable'), ...evidenceOf(signed));
});

test('a withdrawal alone is remembered, and publishes nothing of its event', async () => {
  const withdrawn = accepted(await withdrawEvent(signed, tiny.managers.fay));
  const facts = accepted(await ask(part('withdrawn', encodeSigningEvent(withdrawn))));
  expect(facts['written']).toEqual([]);
  expect((await publisher.memory.read())?.withdrawn).toMatchObject([{ role: 'stable', sha256: nameOf(signed) }]);
});

test('a withdrawal by no key of the channel, or of another draft, withdraws nothing', async () => {
  const withdrawn = accepted(await withdrawEvent(signed, tiny.managers.dee));
  const { payload, payloadType } = accepted(parseEnvelope(withdrawn.withdrawn[0] ?? image, WITHDRAWAL_PAYLOAD_TYPE));
  const stranger = seededSigner('stranger');
  const sig = await stranger.sign(preAuthEncoding(payloadType, payload));
  const forged = encodeEnvelope({ payload, payloadType, signatures: [{ keyid: tiny.managers.dee.keyid, sig }] });
  const other = accepted(
    await withdrawEvent(await tiny.event({ draft: { minSecurityCounter: 1 } }), tiny.managers.dee),
  );
  for (const envelopes of [[forged], other.withdrawn]) {
    accepted(await ask(part('withdrawn', encodeSigningEvent({ ...signed, withdrawn: envelopes }))));
  }
  expect((await publisher.memory.read())?.withdrawn).toBeUndefined();
  accepted(await ask(part('event', encodeSigningEvent(signed)), part('file', image)));
});

test('a role that is handed in twice, by whatever parts, is refused', async () => {
  const event = part('event', encodeSigningEvent(signed));
  for (const parts of [
    [event, event],
    [event, part('channel', signed.metadata, 'stable')],
    [part('targets', image), part('targets', image)],
  ]) {
    expect(await ask(...parts)).toMatchObject({ ok: false, code: 'REQUEST_MALFORMED' });
  }
  expect(await ask(part('event', image))).toMatchObject({ ok: false, code: 'EVENT_MALFORMED' });
});

function evidenceOf({ evidence }: SigningEvent): readonly RequestPart[] {
  return [image, ...evidence].map((bytes) => part('file', bytes));
}
