/**
 * Products that are broken on purpose, one for each invariant: it must be seen to bite, or it guards nothing.
 *
 * - Each takes the place of one part of a chain that has settled: a verifier that accepts, a signer that signs what it is given, a
 *   store that forgets. Nothing of that stays: what is broken is a copy, or made whole again.
 */
import { checkpointText, parseCheckpoint } from '../../formats/checkpoint.ts';
import { CONFIRMATION_PAYLOAD_TYPE, parseConfirmation } from '../../formats/confirmation.ts';
import { encodeEnvelope, parseEnvelope } from '../../formats/dsse.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseSnapshot, parseTimestamp } from '../../formats/tuf-snapshot.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { parseWaveStep, type WaveStep } from '../../formats/wave-step.ts';
import { metaFileOf, snapshotContent, timestampContent } from '../../signer/draft-online.ts';
import { issueLeaf } from '../../signer/identity/certificate-authority.ts';
import { stepForked } from '../../signer/identity/device-identities.ts';
import { stepContent } from '../../signer/rollout/draft-step.ts';
import { encodeHeardWord } from '../../signer/rollout/heard-word.ts';
import { signNote } from '../../signer/sign-note.ts';
import type { Signer } from '../../signer/signer.ts';
import { simulatedImage } from '../../simulation/simulated-device.ts';
import { accepted } from '../accepted.ts';
import { withPart } from '../edited-metadata.ts';
import { seededSigner } from '../seeded-signer.ts';
import { makeTinyDevice } from '../tiny-device.ts';
import { LOG_SIGNER } from '../tiny-log.ts';
import { makeTinyRepository } from '../tiny-repository.ts';
import { approvalOf, haltPlan, type Chain } from './liar-chain.ts';
import type { Invariant } from './liar-invariant.ts';
import { signBlindly } from './liar-people-moves.ts';
import { unapproved } from './liar-signer-moves.ts';
import type { Signed } from './liar-signer.ts';
import type { Victim } from './liar-victim.ts';
import type { Liar } from './liar.ts';

export type Broken = {
  readonly invariant: Invariant;
  readonly product: string;
  /** Whether what was looked at before is looked at again. */
  readonly isAnew?: true;
  /** The liar over a chain with that product. @param undo is told how to make whole what is no copy. */
  readonly breaks: (liar: Liar, undo: (work: () => unknown) => void) => Promise<Liar> | Liar;
};
type Event = Victim['device']['events'][number];

const EVIL = simulatedImage('evil', 'healthy');

function withChain(liar: Liar, change: Partial<Chain>): Liar {
  return { ...liar, chain: { ...liar.chain, ...change } };
}

/** The signer has let `bytes` out as `name`. */
function lets(liar: Liar, name: string, bytes: Uint8Array): Liar {
  return withChain(liar, { writes: [...liar.chain.writes, { name, bytes }] });
}

function firstOf({ chain }: Liar, name: RegExp): Uint8Array {
  return chain.writes.find((written) => name.test(written.name))?.bytes ?? new Uint8Array();
}

function lastOf({ chain }: Liar, name: RegExp): Uint8Array {
  return chain.writes.findLast((written) => name.test(written.name))?.bytes ?? new Uint8Array();
}

/** The first device is another one in `change`. */
function withDevice(liar: Liar, change: (device: Victim['device']) => Partial<Victim['device']>): Liar {
  const [victim, ...others] = liar.victims;
  if (victim === undefined) throw new Error('there is a device');
  return { ...liar, victims: [{ ...victim, device: { ...victim.device, ...change(victim.device) } }, ...others] };
}

/** An event of the first device, of the kind of one that it has told. */
function told(device: Victim['device'], change: Partial<Event>): readonly Event[] {
  const [event] = device.events;
  return event === undefined ? [] : [...device.events, { ...event, ...change }];
}

/** The signer shows version 1 of `role`, as `file`, in its next snapshot. */
async function shows(liar: Liar, role: string, file: Uint8Array): Promise<Liar> {
  const { repository, now } = liar.chain;
  const { meta, version: last } = accepted(parseSnapshot(lastOf(liar, /^gateway\/.*\.snapshot\.json$/))).signed;
  const shown = accepted(parseTimestamp(lastOf(liar, /^gateway\/.*timestamp\.json$/))).signed;
  const part = { repository: repository.id, expires: now };
  const version = last + 1;
  const named = new Map([...meta, [`${role}.json`, metaFileOf(1, file)] as const]);
  const snapshot = await repository.sign('snapshot', snapshotContent({ ...part, version }, named));
  const over = timestampContent({ ...part, version: shown.version + 1 }, metaFileOf(version, snapshot));
  const written = lets(
    lets(liar, `gateway/metadata/1.${role}.json`, file),
    `gateway/metadata/${version}.snapshot.json`,
    snapshot,
  );
  return lets(written, 'gateway/metadata/timestamp.json', await repository.sign('timestamp', over));
}

/** The last step of the signer's, signed anew with a change. */
async function letsStep(liar: Liar, change: (step: WaveStep) => Partial<WaveStep>): Promise<Liar> {
  const { repository, now } = liar.chain;
  const former = lastOf(liar, /^gateway\/.*stable-rollout\.json$/);
  const step = accepted(parseWaveStep(accepted(parseTargets(former)).signed.firmament));
  const draft = { repository: repository.id, channel: 'stable', former, expires: now, version: 99 };
  const { former: _, ...content } = { ...step, ...change(step) };
  const file = await repository.sign('stable-rollout', stepContent(draft, content));
  return lets(liar, 'gateway/metadata/99.stable-rollout.json', file);
}

/** The CA has issued a certificate to whoever asked. */
async function issues(liar: Liar, to: { readonly deviceId?: string; readonly key?: Uint8Array }): Promise<Liar> {
  const { repository, now, signed } = liar.chain;
  const [victim] = liar.victims;
  const made: Signed[] = [];
  const ca = seededSigner('ca 1');
  const signer: Signer = {
    ...ca,
    sign: async (message) => {
      const signature = await ca.sign(message);
      made.push({ by: 'ca', message, signature });
      return signature;
    },
  };
  const { product, rootOneSha256: root } = repository.id;
  await issueLeaf(
    { name: 'ca-1', signer },
    {
      ...{ deviceId: to.deviceId ?? victim?.member?.deviceId ?? '', serial: new Uint8Array(16).fill(3) },
      ...{ publicKey: to.key ?? victim?.keys[0] ?? new Uint8Array(32), notBefore: now, notAfter: now + 1_000 },
      extension: {
        ...{ product, root, class: 'claimed', release: '9.0.0', predecessor: undefined },
        components: new Map([['gateway', { image: sha256Hex(EVIL), securityCounter: 9 }]]),
      },
    },
  );
  return withChain(liar, { signed: [...signed, ...made] });
}

/** The books hold `envelope`, too. */
function keeps(liar: Liar, envelope: Uint8Array): Liar {
  const { books, now } = liar.chain;
  const word = encodeHeardWord({ receivedAt: now, envelope });
  const entries = new Map([...books.entries, ['stable/of-nobody/word-0', word]]);
  return withChain(liar, { books: { ...books, entries } });
}

/** A word that a device has said, in the name of another. */
function wordInAnotherName({ heard }: Liar): Uint8Array {
  const envelope = accepted(parseEnvelope(heard.words.at(-1) ?? new Uint8Array(), CONFIRMATION_PAYLOAD_TYPE));
  const { deviceId } = accepted(parseConfirmation(envelope.payload));
  const text = new TextDecoder().decode(envelope.payload).replace(deviceId, 'ab'.repeat(32));
  return encodeEnvelope({ ...envelope, payload: new TextEncoder().encode(text) });
}

/** A device whose verifier accepts every signature, and a channel that the liar has signed in the managers' name. */
async function credulous(liar: Liar): Promise<Liar> {
  const [victim] = liar.victims;
  if (victim === undefined) throw new Error('there is a device');
  const first = { image: simulatedImage('one', 'healthy') };
  const [repository, forged] = [await makeTinyRepository({ first }), await makeTinyRepository({ first })];
  const device = await makeTinyDevice(repository, { check: () => true });
  await device.live();
  const signers = (repository.signers.get('stable') ?? [])
    .slice(0, 2)
    .map(({ keyid }, index) => ({ ...seededSigner(`the liar ${index}`), keyid }));
  await forged.publishRelease({ image: EVIL, securityCounter: 2, signers });
  for (const [name, bytes] of forged.files) repository.files.set(name, bytes);
  await device.live();
  return { ...liar, victims: [{ ...victim, index: 9, member: undefined, repository, device }] };
}

/** The people of the devices have signed no channel that does not put all of its releases below the least counter. */
async function givenUp(liar: Liar): Promise<Liar> {
  const { repository } = liar.chain;
  const files = new Map<string, Uint8Array>();
  for (const [name, bytes] of repository.files) {
    const isChannel = name.endsWith('.stable.json');
    files.set(name, isChannel ? await repository.sign('stable', withPart(bytes, { minSecurityCounter: 99 })) : bytes);
  }
  return { ...liar, victims: liar.victims.map((victim) => ({ ...victim, repository: { ...repository, files } })) };
}

/** A timestamp over a snapshot that there is not. */
async function stampsNothing(liar: Liar): Promise<Liar> {
  const { repository, now } = liar.chain;
  const named = metaFileOf(999, EVIL);
  const content = timestampContent({ repository: repository.id, version: 999, expires: now }, named);
  return lets(liar, 'gateway/metadata/timestamp.json', await repository.sign('timestamp', content));
}

/** The log as long as before, with another root. */
async function otherFace(liar: Liar): Promise<Liar> {
  const { size, origin } = accepted(parseCheckpoint(lastOf(liar, /^gateway\/log\/checkpoint$/)));
  const text = checkpointText({ origin, size, rootHash: new Uint8Array(32) });
  return lets(liar, 'gateway/log/checkpoint', await signNote(text, origin, [LOG_SIGNER]));
}

/** The entries of another product's log in this one. */
function foreignEntries(liar: Liar): Liar {
  const entries = liar.chain.writes.find(({ name }) => name.startsWith('other/log/tile/entries/'));
  const width = /\.p\/(\d+)$/.exec(entries?.name ?? '')?.[1] ?? '';
  return lets(liar, `gateway/log/tile/entries/009.p/${width}`, entries?.bytes ?? new Uint8Array());
}

const DEVICES: readonly Broken[] = [
  { invariant: 'IMAGE_OF_NOBODY', product: 'a device that accepts every signature', breaks: credulous },
  {
    invariant: 'BELOW_FLOOR',
    product: 'a boot stage that has no floors',
    breaks: (liar) =>
      withDevice(liar, ({ runs }) => ({
        runs: [...runs, { sha256: sha256Hex(simulatedImage('1.0.0', 'healthy')), mode: 'normal' }],
      })),
  },
  {
    invariant: 'FLOOR_FELL',
    product: 'a protected store that anybody may write',
    breaks: async (liar, undo) => {
      const [victim] = liar.victims;
      const floors = await victim?.device.floors();
      if (victim === undefined || floors === undefined) throw new Error('there is a device');
      undo(() => victim.device.putFloors(floors));
      await victim.device.putFloors({ ...floors, securityCounters: new Map([['gateway', 1]]) });
      return liar;
    },
  },
  {
    invariant: 'BRICKED',
    product: 'an installer that leaves nothing to start',
    breaks: (liar) =>
      withDevice(liar, (device) => ({ events: told(device, { step: 'recovery', code: 'NO_BOOTABLE_SLOT' }) })),
  },
  {
    invariant: 'OUT_OF_WAVE',
    product: 'a device that looks at no wave',
    isAnew: true,
    breaks: (liar) => {
      const writes = liar.chain.writes.filter(({ name }) => !name.endsWith('-rollout.json'));
      return withChain(liar, { writes });
    },
  },
  {
    invariant: 'OFF_THE_WAY',
    product: 'a boot stage that starts whatever is installed',
    breaks: (liar) =>
      withDevice(liar, (device) => ({
        events: told(device, { step: 'start', detail: { mode: 'trial', release: '1.0.0' } }),
      })),
  },
  { invariant: 'GIVEN_UP', product: 'a device that looks at no least counter', isAnew: true, breaks: givenUp },
  {
    invariant: 'REDIRECTED',
    product: 'a client that follows redirects',
    breaks: (liar) => ({ ...liar, wire: { ...liar.wire, followed: () => 1 } }),
  },
];

const SIGNER: readonly Broken[] = [
  {
    invariant: 'WRITTEN_ELSEWHERE',
    product: 'a signer that founds a product for whoever asks',
    breaks: (liar) => lets(liar, 'third/metadata/1.root.json', firstOf(liar, /1\.root\.json$/)),
  },
  {
    invariant: 'NAME_REWRITTEN',
    product: 'a store that lets a file be replaced',
    breaks: (liar) => lets(liar, 'gateway/metadata/1.stable.json', lastOf(liar, /^gateway\/.*\.stable\.json$/)),
  },
  {
    invariant: 'VERSION_FELL',
    product: 'a signer that has lost its memory',
    breaks: (liar) => lets(liar, 'gateway/metadata/timestamp.json', firstOf(liar, /^gateway\/.*timestamp\.json$/)),
  },
  { invariant: 'NAMED_OF_NOBODY', product: 'a signer that stamps what it has not written', breaks: stampsNothing },
  {
    invariant: 'ROLE_OF_NOBODY',
    product: 'a publisher that counts no signatures',
    breaks: async (liar) => {
      const { channel } = await unapproved(liar.chain, { name: '99.0.0', by: [] });
      return lets(liar, 'gateway/metadata/99.stable.json', channel);
    },
  },
  {
    invariant: 'TARGET_OF_NOBODY',
    product: 'a publisher that takes any upload',
    breaks: (liar) => lets(liar, `gateway/targets/9.0.0/gateway/${sha256Hex(EVIL)}.image.js`, EVIL),
  },
  { invariant: 'LOG_OF_NOBODY', product: 'a log that takes entries of any product', breaks: foreignEntries },
  { invariant: 'LOG_TWO_FACES', product: 'a log with two faces', breaks: otherFace },
  {
    invariant: 'LOG_TWO_FACES',
    product: 'a log that becomes shorter',
    breaks: (liar) => lets(liar, 'gateway/log/checkpoint', firstOf(liar, /^gateway\/log\/checkpoint$/)),
  },
  {
    invariant: 'STEP_UNPLANNED',
    product: 'a signer that opens waves of any plan',
    breaks: (liar) => letsStep(liar, () => ({ plan: 'ab'.repeat(32) })),
  },
  {
    invariant: 'STEP_EARLY',
    product: 'a signer that waits for no soak',
    breaks: (liar) =>
      letsStep(liar, ({ open: [first, ...more] }) => ({
        open: first === undefined ? [] : [first, ...more.map((wave) => ({ ...wave, openedAt: first.openedAt }))],
      })),
  },
  {
    invariant: 'STEP_OF_OTHERS',
    product: 'a signer that expects whom it is told of',
    breaks: (liar) =>
      letsStep(liar, ({ open }) => ({
        open: open.map((wave) => ({ ...wave, expected: { ...wave.expected, count: wave.expected.count + 1 } })),
      })),
  },
  {
    invariant: 'STEP_UNCONFIRMED',
    product: 'a signer that counts words of nobody',
    breaks: async (liar) => {
      const silent = liar.victims.map((victim) => {
        const events = victim.device.events.filter(({ step }) => step !== 'confirm');
        return { ...victim, device: { ...victim.device, events } };
      });
      return { ...(await letsStep(liar, () => ({}))), victims: silent };
    },
  },
  {
    invariant: 'STEP_HALTED',
    product: 'a signer that goes on over a halt',
    breaks: async (liar) => {
      const { chain } = liar;
      const halt = await haltPlan({ ...chain, approved: new Set(chain.approved) }, chain.repository);
      const approved = new Set([...chain.approved, approvalOf('gateway', halt)]);
      return letsStep(await shows(withChain(liar, { approved }), 'stable-halt', halt), () => ({}));
    },
  },
  {
    invariant: 'BUG',
    product: 'a signer with a bug',
    breaks: (liar) => withChain(liar, { bugs: ['an assumption does not hold'] }),
  },
];

const BOOKS_AND_PEOPLE: readonly Broken[] = [
  {
    invariant: 'WORD_LOST',
    product: 'books that forget',
    breaks: (liar) => withChain(liar, { books: { ...liar.chain.books, entries: new Map() } }),
  },
  {
    invariant: 'WORD_UNSAID',
    product: 'a signer that takes a word in the name of another',
    breaks: (liar) => keeps(liar, wordInAnotherName(liar)),
  },
  {
    invariant: 'WORD_TWICE',
    product: 'books that count a word again',
    breaks: (liar) => keeps(liar, liar.heard.words.at(-1) ?? new Uint8Array()),
  },
  {
    invariant: 'CERTIFICATE_OF_NOBODY',
    product: 'a CA that asks for no manifest',
    breaks: (liar) => issues(liar, { deviceId: 'ab'.repeat(32) }),
  },
  {
    invariant: 'CERTIFICATE_KEY',
    product: 'a CA that binds no request to its proof',
    breaks: (liar) => issues(liar, { key: new Uint8Array(32).fill(5) }),
  },
  {
    invariant: 'CERTIFICATE_BOOT',
    product: 'a CA that judges no boot',
    breaks: (liar) => issues(liar, {}),
  },
  {
    invariant: 'FORKED',
    product: 'a signer that takes a request for a second device unchecked',
    breaks: async (liar, undo) => {
      const { ledger } = liar.chain;
      const known = await ledger.read(liar.victims[0]?.member?.deviceId ?? '');
      undo(() => ledger.write(known));
      await ledger.write(stepForked(known));
      return liar;
    },
  },
  {
    invariant: 'TOLD_OTHERWISE',
    product: 'a tool that compares no digest',
    breaks: async (liar, undo) => {
      undo(await signBlindly(liar, 'compares nothing'));
      return liar;
    },
  },
  {
    invariant: 'SHOWN_OTHERWISE',
    product: 'a tool that shows nothing',
    breaks: async (liar, undo) => {
      undo(await signBlindly(liar, 'shows nothing'));
      return liar;
    },
  },
];

export const BROKEN: readonly Broken[] = [...DEVICES, ...SIGNER, ...BOOKS_AND_PEOPLE];
