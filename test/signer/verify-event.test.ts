/** What a key holder's tool lets a person sign: judged from bytes, by what this person trusts and remembers. */
import { beforeAll, expect, test } from 'vitest';
import { judgingToJson } from '../../formats/judging.ts';
import { peopleToJson } from '../../formats/people.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { SigningEvent } from '../../formats/signing-event.ts';
import { parseTargets, targetsToJson } from '../../formats/tuf-targets.ts';
import { COUNTER_JUMP_MAX } from '../../formats/floors.ts';
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { encodeWithdrawal, WITHDRAWAL_PAYLOAD_TYPE } from '../../formats/withdrawal.ts';
import { verifyBundle } from '../../bootloader-verifier/boot/verify-bundle.ts';
import { signMetadata } from '../../signer/add-signature.ts';
import { rememberSeen, rememberWithdrawn, type KeyHolderMemory } from '../../signer/key-holder-memory.ts';
import { signEvent, withdrawEvent } from '../../signer/sign-event.ts';
import type { Signer } from '../../signer/signer.ts';
import { verifyEvent, type EventTrust } from '../../signer/verify-event.ts';
import { accepted } from '../accepted.ts';
import { withPart } from '../edited-metadata.ts';
import { seededSigner } from '../seeded-signer.ts';
import { HOUR_MS, makeTinyEvents, nameOf, peopleOf, type TinyEvents } from '../tiny-event.ts';
import { makeTinyRepository, signedOf } from '../tiny-repository.ts';
import { tinyJudging } from '../tiny-vsa.ts';

let tiny: TinyEvents;
beforeAll(async () => {
  tiny = await makeTinyEvents();
});

function judge(event: SigningEvent, trust: Partial<EventTrust> = {}): ReturnType<typeof verifyEvent> {
  return verifyEvent(event, { memory: tiny.memory, now: tiny.repository.now, ...trust });
}

/** The event after each of `signers` has judged and signed it. */
async function signedBy(event: SigningEvent, ...signers: readonly Signer[]): Promise<SigningEvent> {
  let signed = event;
  for (const signer of signers) signed = accepted(await signEvent(accepted(judge(signed)), signer));
  return signed;
}

test('two people who judge an event and sign it make what a device accepts', async () => {
  const { eli, fay } = tiny.managers;
  const { metadata, evidence } = await signedBy(await tiny.event(), eli, fay);
  const [provenance = new Uint8Array()] = evidence;
  const own = [{ component: 'gateway', provenance }];
  const bundle = tiny.repository.bundle('2.0.0', { channel: metadata, evidence: own });
  expect(verifyBundle(bundle, tiny.repository.device())).toMatchObject({ ok: true, value: { release: '2.0.0' } });
});

test('whoever made a change does not sign it: the signature would never count', async () => {
  const judged = accepted(judge(await tiny.event()));
  expect([...judged.authors]).toEqual(['dee']);
  expect(await signEvent(judged, tiny.managers.dee)).toMatchObject({ ok: false, code: 'AUTHOR_NEVER_COUNTS' });
});

test('a key that belongs to nobody, or is not of the channel, signs nothing', async () => {
  const judged = accepted(judge(await tiny.event()));
  expect(await signEvent(judged, seededSigner('stranger'))).toMatchObject({ code: 'KEY_NOT_OF_ROLE' });
  const [owner] = tiny.repository.signers.get('targets') ?? [];
  if (owner === undefined) throw new Error('no owner');
  expect(await signEvent(judged, owner)).toMatchObject({ code: 'KEY_NOT_OF_ROLE' });
});

test('a person signs an event once', async () => {
  const once = await signedBy(await tiny.event(), tiny.managers.eli);
  expect(await signEvent(accepted(judge(once)), tiny.managers.eli)).toMatchObject({ code: 'ALREADY_SIGNED' });
});

test('an event is signed until its last moment, and not a moment later', async () => {
  const event = await tiny.event();
  const notAfter = tiny.repository.now + HOUR_MS;
  expect(judge(event, { now: notAfter })).toMatchObject({ ok: true });
  expect(judge(event, { now: notAfter + 1 })).toMatchObject({ ok: false, code: 'EVENT_EXPIRED' });
});

test('the digest that people agreed on is held against the bytes', async () => {
  const event = await tiny.event();
  const other = await tiny.event({ draft: { minSecurityCounter: 1 } });
  expect(judge(event, { digest: nameOf(event) })).toMatchObject({ ok: true });
  expect(judge(other, { digest: nameOf(event) })).toMatchObject({ ok: false, code: 'EVENT_MISMATCH' });
});

test('signatures that gather do not change the name of an event', async () => {
  const event = await tiny.event();
  expect(nameOf(await signedBy(event, tiny.managers.eli))).toBe(nameOf(event));
});

/** A memory that has seen `version` of stable with this digest. */
function hasSeen(version: number, sha256: string): KeyHolderMemory {
  const { root } = tiny.memory;
  return rememberSeen(tiny.memory, { root, targetsVersion: 1, role: 'stable', published: { version, sha256 } });
}

test('a draft that follows less than this person has seen is stale, and so is one that follows another file of that version', async () => {
  const event = await tiny.event();
  const { former = new Uint8Array() } = event;
  const before = accepted(parseTargets(former)).signed.version;
  expect(judge(event, { memory: hasSeen(before, sha256Hex(former)) })).toMatchObject({ ok: true });
  expect(judge(event, { memory: hasSeen(before, 'ab'.repeat(32)) })).toMatchObject({ ok: false, code: 'EVENT_STALE' });
  expect(judge(event, { memory: hasSeen(before + 1, 'ab'.repeat(32)) })).toMatchObject({ code: 'EVENT_STALE' });
});

test('a published file that the person names makes an older draft stale, once its quorum holds', async () => {
  const event = await tiny.event();
  const { metadata } = await signedBy(await tiny.event({ release: '3.0.0' }), tiny.managers.eli, tiny.managers.fay);
  expect(judge(event, { published: metadata })).toMatchObject({ ok: false, code: 'EVENT_STALE' });
  expect(judge(event, { published: event.former })).toMatchObject({ ok: true });
  const alone = await signMetadata(signedOf(metadata), [tiny.managers.eli]);
  expect(judge(event, { published: alone })).toMatchObject({ code: 'METADATA_THRESHOLD_UNMET' });
});

test('the file beside a draft must be the very one that it follows, signed by its quorum', async () => {
  const event = await tiny.event();
  const unsigned = await signMetadata(signedOf(event.former ?? new Uint8Array()), []);
  expect(judge({ ...event, former: unsigned })).toMatchObject({ code: 'EVENT_MALFORMED' });
  expect(judge({ ...event, former: undefined })).toMatchObject({ code: 'EVENT_MALFORMED' });
  const onUnsigned = await tiny.event({ draft: { former: unsigned }, parts: { former: unsigned } });
  expect(judge(onUnsigned)).toMatchObject({ ok: false, code: 'METADATA_THRESHOLD_UNMET' });
});

test('any one manager withdraws a draft for ever, the author as well; nobody signs it again', async () => {
  for (const signer of Object.values(tiny.managers) as readonly Signer[]) {
    const withdrawn = accepted(await withdrawEvent(await tiny.event(), signer));
    expect(judge(withdrawn)).toMatchObject({ ok: false, code: 'EVENT_WITHDRAWN' });
    expect(await withdrawEvent(withdrawn, signer)).toMatchObject({ code: 'EVENT_WITHDRAWN' });
  }
});

test('a withdrawal by a stranger, of another draft, or of another repository withdraws nothing', async () => {
  const event = await tiny.event();
  const { eli } = tiny.managers;
  expect(await withdrawEvent(event, seededSigner('stranger'))).toMatchObject({ code: 'KEY_NOT_OF_ROLE' });
  const envelope = async (signer: Signer, change: object): Promise<Uint8Array> => {
    const statement = { repository: tiny.repository.id, role: 'stable', event: nameOf(event), ...change };
    const payload = encodeWithdrawal(statement);
    const sig = await signer.sign(preAuthEncoding(WITHDRAWAL_PAYLOAD_TYPE, payload));
    return encodeEnvelope({ payloadType: WITHDRAWAL_PAYLOAD_TYPE, payload, signatures: [{ keyid: '', sig }] });
  };
  const elsewhere = { ...tiny.repository.id, rootOneSha256: 'ab'.repeat(32) };
  const idle = [
    await envelope(seededSigner('stranger'), {}),
    await envelope(eli, { event: 'ab'.repeat(32) }),
    await envelope(eli, { role: 'beta' }),
    await envelope(eli, { repository: elsewhere }),
    new Uint8Array([1, 2, 3]),
  ];
  expect(judge({ ...event, withdrawn: idle })).toMatchObject({ ok: true });
  expect(judge({ ...event, withdrawn: [...idle, await envelope(eli, {})] })).toMatchObject({ code: 'EVENT_WITHDRAWN' });
});

test('a server that hides a withdrawal gains nothing with who has seen it', async () => {
  const event = await tiny.event();
  const { version } = accepted(parseTargets(event.metadata)).signed;
  const memory = rememberWithdrawn(tiny.memory, { role: 'stable', version, sha256: nameOf(event) });
  expect(judge(event, { memory })).toMatchObject({ ok: false, code: 'EVENT_WITHDRAWN' });
});

test('an event of another repository, or under a root that the person never trusted, is refused', async () => {
  const other = await makeTinyRepository({ channels: ['stable'], seed: 'other' });
  const event = await tiny.event();
  expect(judge({ ...event, roots: other.roots() })).toMatchObject({ ok: false, code: 'ROOT_ROLLBACK' });
  expect(judge({ ...event, delegatedBy: other.newest('targets') })).toMatchObject({ code: 'METADATA_THRESHOLD_UNMET' });
  expect(judge({ ...event, role: 'beta' })).toMatchObject({ code: 'ROLE_MISMATCH' });
});

test('a list of people that the owners did not sign makes nobody anybody', async () => {
  const event = await tiny.event();
  const [dee, ...others] = peopleOf(tiny.managers);
  if (dee === undefined) throw new Error('nobody');
  const people = peopleToJson([...others, { ...dee, subjects: [] }]);
  const { eli, fay } = tiny.managers;
  const delegatedBy = await signMetadata(withPart(event.delegatedBy, { people }), [eli, fay]);
  expect(judge({ ...event, delegatedBy })).toMatchObject({ ok: false, code: 'METADATA_THRESHOLD_UNMET' });
});

test('a targets file older than one that this person has seen is an older world', async () => {
  const event = await tiny.event();
  const { version } = accepted(parseTargets(event.delegatedBy)).signed;
  expect(judge(event, { memory: { ...tiny.memory, targetsVersion: version } })).toMatchObject({ ok: true });
  const memory = { ...tiny.memory, targetsVersion: version + 1 };
  expect(judge(event, { memory })).toMatchObject({ ok: false, code: 'EVENT_STALE' });
});

test('a draft that does not say who made it, or names nobody on the list, is not signed', async () => {
  const event = await tiny.event();
  const nameless = await signMetadata(withPart(event.metadata, { event: undefined }), []);
  expect(judge({ ...event, metadata: nameless })).toMatchObject({ ok: false, code: 'EVENT_MISSING' });
  const gus = { notAfter: tiny.repository.now, authors: [{ person: 'gus' }] };
  expect(judge(await tiny.event({ draft: { event: gus } }))).toMatchObject({ code: 'AUTHOR_UNKNOWN' });
});

test('evidence that is missing, altered or about another image stops the signature', async () => {
  const event = await tiny.event();
  const [provenance = new Uint8Array()] = event.evidence;
  expect(judge({ ...event, evidence: [] })).toMatchObject({ ok: false, code: 'EVIDENCE_MISMATCH' });
  const altered = provenance.slice();
  altered[40] = (altered[40] ?? 0) ^ 1;
  expect(judge({ ...event, evidence: [altered] })).toMatchObject({ code: 'EVIDENCE_MISMATCH' });
  const other = await tiny.event({ component: { provenance: { subjects: [{ name: 'x', sha256: 'ab'.repeat(32) }] } } });
  expect(judge(other)).toMatchObject({ code: 'PROVENANCE_SUBJECT_MISMATCH' });
  const stranger = await tiny.event({ component: { builder: seededSigner('stranger') } });
  expect(judge(stranger)).toMatchObject({ code: 'EVIDENCE_SIGNATURE_INVALID' });
});

test('where people list who may judge, a release without the summary of a judgement is not signed', async () => {
  const event = await tiny.event();
  const members = Object.fromEntries(judgingToJson(tinyJudging()));
  const delegatedBy = await tiny.repository.sign('targets', withPart(event.delegatedBy, members));
  expect(judge({ ...event, delegatedBy })).toMatchObject({ ok: false, code: 'VSA_MISSING' });
});

test('a change that takes back what only rises is not signed, whoever drafted it', async () => {
  const { eli, fay } = tiny.managers;
  const revoked = 'ab'.repeat(32);
  const risen = await signedBy(
    await tiny.event({ draft: { minSecurityCounter: 1, revokedDigests: [revoked] } }),
    ...[eli, fay],
  );
  const former = risen.metadata;
  const next = await tiny.event({
    release: '3.0.0',
    component: { securityCounter: 3 },
    draft: { former },
    parts: { former },
  });
  expect(judge(next)).toMatchObject({ ok: true });
  const edited = async (change: Parameters<typeof withPart>[1]): Promise<SigningEvent> => ({
    ...next,
    metadata: await signMetadata(withPart(next.metadata, change), []),
  });
  expect(judge(await edited({ minSecurityCounter: 0 }))).toMatchObject({ code: 'DRAFT_REFUSED' });
  expect(judge(await edited({ revokedDigests: [] }))).toMatchObject({ code: 'DRAFT_REFUSED' });
  expect(judge(await edited({ minSecurityCounter: 4 }))).toMatchObject({ code: 'IMAGE_ROLLBACK' });
  expect(judge(await edited({ release: '1.0.0' }))).toMatchObject({ code: 'IMAGE_ROLLBACK' });
  const { targets } = accepted(parseTargets(next.metadata)).signed;
  const image = targets.get('3.0.0/gateway/image.js')?.sha256 ?? '';
  expect(judge(await edited({ revokedDigests: [revoked, image] }))).toMatchObject({ code: 'IMAGE_REVOKED' });
});

test('a counter rises by what devices take at once, and not by one more', async () => {
  const counter = (securityCounter: number): Promise<SigningEvent> => tiny.event({ component: { securityCounter } });
  expect(judge(await counter(1 + COUNTER_JUMP_MAX))).toMatchObject({ ok: true });
  expect(judge(await counter(2 + COUNTER_JUMP_MAX))).toMatchObject({ ok: false, code: 'COUNTER_JUMP' });
});

test('a release that is listed already keeps its content', async () => {
  const event = await tiny.event();
  const { signed } = accepted(parseTargets(event.metadata));
  const name = '1.0.0/gateway/image.js';
  const target = signed.targets.get(name);
  if (target === undefined) throw new Error('1.0.0 is listed');
  const targets = new Map([...signed.targets, [name, { ...target, sha256: 'ab'.repeat(32) }] as const]);
  const metadata = await signMetadata(targetsToJson({ ...signed, targets }), []);
  expect(judge({ ...event, metadata })).toMatchObject({ ok: false, code: 'DRAFT_REFUSED' });
});

test('a version is exactly the next one', async () => {
  const event = await tiny.event();
  const { signed } = accepted(parseTargets(event.metadata));
  const metadata = await signMetadata(targetsToJson({ ...signed, version: signed.version + 1 }), []);
  expect(judge({ ...event, metadata })).toMatchObject({ ok: false, code: 'DRAFT_REFUSED' });
});
