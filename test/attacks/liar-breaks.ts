/** How a chain that has settled is broken on purpose: another device, another signer, other books. */
import { checkpointText, parseCheckpoint } from '../../formats/checkpoint.ts';
import { CONFIRMATION_PAYLOAD_TYPE, parseConfirmation } from '../../formats/confirmation.ts';
import { encodeEnvelope, parseEnvelope } from '../../formats/dsse.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseSnapshot, parseTimestamp } from '../../formats/tuf-snapshot.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { parseWaveStep, type WaveStep } from '../../formats/wave-step.ts';
import { metaFileOf, snapshotContent, timestampContent } from '../../signer/draft-online.ts';
import { issueLeaf } from '../../signer/identity/certificate-authority.ts';
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
import type { Chain } from './liar-chain.ts';
import type { Signed } from './liar-signer.ts';
import type { Victim } from './liar-victim.ts';
import type { Liar } from './liar.ts';

type Event = Victim['device']['events'][number];

export const EVIL: Uint8Array = simulatedImage('evil', 'healthy');

export function withChain(liar: Liar, change: Partial<Chain>): Liar {
  return { ...liar, chain: { ...liar.chain, ...change } };
}

/** The signer has let `bytes` out as `name`. */
export function lets(liar: Liar, name: string, bytes: Uint8Array): Liar {
  return withChain(liar, { writes: [...liar.chain.writes, { name, bytes }] });
}

export function firstOf({ chain }: Liar, name: RegExp): Uint8Array {
  return chain.writes.find((written) => name.test(written.name))?.bytes ?? new Uint8Array();
}

export function lastOf({ chain }: Liar, name: RegExp): Uint8Array {
  return chain.writes.findLast((written) => name.test(written.name))?.bytes ?? new Uint8Array();
}

/** The first device is another one in `change`. */
export function withDevice(liar: Liar, change: (device: Victim['device']) => Partial<Victim['device']>): Liar {
  const [victim, ...others] = liar.victims;
  if (victim === undefined) throw new Error('there is a device');
  return { ...liar, victims: [{ ...victim, device: { ...victim.device, ...change(victim.device) } }, ...others] };
}

/** An event of the first device, of the kind of one that it has told. */
export function told(device: Victim['device'], change: Partial<Event>): readonly Event[] {
  const [event] = device.events;
  return event === undefined ? [] : [...device.events, { ...event, ...change }];
}

/** The signer shows version 1 of `role`, as `file`, in its next snapshot. */
export async function shows(liar: Liar, role: string, file: Uint8Array): Promise<Liar> {
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
export async function letsStep(liar: Liar, change: (step: WaveStep) => Partial<WaveStep>): Promise<Liar> {
  const { repository, now } = liar.chain;
  const former = lastOf(liar, /^gateway\/.*stable-rollout\.json$/);
  const step = accepted(parseWaveStep(accepted(parseTargets(former)).signed.firmament));
  const draft = { repository: repository.id, channel: 'stable', former, expires: now, version: 99 };
  const { former: _, ...content } = { ...step, ...change(step) };
  const file = await repository.sign('stable-rollout', stepContent(draft, content));
  return lets(liar, 'gateway/metadata/99.stable-rollout.json', file);
}

/** The CA has issued a certificate to whoever asked. */
export async function issues(liar: Liar, to: { readonly deviceId?: string; readonly key?: Uint8Array }): Promise<Liar> {
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
export function keeps(liar: Liar, envelope: Uint8Array): Liar {
  const { books, now } = liar.chain;
  const word = encodeHeardWord({ receivedAt: now, envelope });
  const entries = new Map([...books.entries, ['stable/of-nobody/word-0', word]]);
  return withChain(liar, { books: { ...books, entries } });
}

/** A word that a device has said, in the name of another. */
export function wordInAnotherName({ heard }: Liar): Uint8Array {
  const envelope = accepted(parseEnvelope(heard.words.at(-1) ?? new Uint8Array(), CONFIRMATION_PAYLOAD_TYPE));
  const { deviceId } = accepted(parseConfirmation(envelope.payload));
  const text = new TextDecoder().decode(envelope.payload).replace(deviceId, 'ab'.repeat(32));
  return encodeEnvelope({ ...envelope, payload: new TextEncoder().encode(text) });
}

/** A device whose verifier accepts every signature, and a channel that the liar has signed in the managers' name. */
export async function credulous(liar: Liar): Promise<Liar> {
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
export async function givenUp(liar: Liar): Promise<Liar> {
  const { repository } = liar.chain;
  const files = new Map<string, Uint8Array>();
  for (const [name, bytes] of repository.files) {
    const isChannel = name.endsWith('.stable.json');
    files.set(name, isChannel ? await repository.sign('stable', withPart(bytes, { minSecurityCounter: 99 })) : bytes);
  }
  return { ...liar, victims: liar.victims.map((victim) => ({ ...victim, repository: { ...repository, files } })) };
}

/** A timestamp over a snapshot that there is not. */
export async function stampsNothing(liar: Liar): Promise<Liar> {
  const { repository, now } = liar.chain;
  const named = metaFileOf(999, EVIL);
  const content = timestampContent({ repository: repository.id, version: 999, expires: now }, named);
  return lets(liar, 'gateway/metadata/timestamp.json', await repository.sign('timestamp', content));
}

/** The log as long as before, with another root. */
export async function otherFace(liar: Liar): Promise<Liar> {
  const { size, origin } = accepted(parseCheckpoint(lastOf(liar, /^gateway\/log\/checkpoint$/)));
  const text = checkpointText({ origin, size, rootHash: new Uint8Array(32) });
  return lets(liar, 'gateway/log/checkpoint', await signNote(text, origin, [LOG_SIGNER]));
}

/** The entries of another product's log in this one. */
export function foreignEntries(liar: Liar): Liar {
  const entries = liar.chain.writes.find(({ name }) => name.startsWith('other/log/tile/entries/'));
  const width = /\.p\/(\d+)$/.exec(entries?.name ?? '')?.[1] ?? '';
  return lets(liar, `gateway/log/tile/entries/009.p/${width}`, entries?.bytes ?? new Uint8Array());
}
