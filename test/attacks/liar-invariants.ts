/**
 * What must hold after every round of the liar's, whatever it did (`liar-invariant.ts` lists it by name).
 *
 * - Devices and signer: `liar-device-invariants.ts`, `liar-signer-invariants.ts`.
 * - Identities: every signature of the CA's key is in a certificate, for a key that its own device made, of a release that it ran; no
 *   device is taken for two.
 * - Books: what was acknowledged is kept; what is kept, a device has said, once.
 * - People: a tool has signed what was told and shown, nothing else.
 */
import { X509Certificate } from '@peculiar/x509';
import { encodeHex } from '../../formats/bytes.ts';
import { CONFIRMATION_PAYLOAD_TYPE } from '../../formats/confirmation.ts';
import { parseEnvelope } from '../../formats/dsse.ts';
import { IDENTITY_EXTENSION_OID, parseIdentityExtension } from '../../formats/identity-extension.ts';
import { RECEIPT_PAYLOAD_TYPE } from '../../formats/receipt.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseHeardWord } from '../../signer/rollout/heard-word.ts';
import { readWord } from '../../signer/rollout/spoken-word.ts';
import { accepted } from '../accepted.ts';
import { assertDevice, UNSEEN, type Looked } from './liar-device-invariants.ts';
import { demand } from './liar-invariant.ts';
import { personSigned } from './liar-people-moves.ts';
import { assertWritten, type Shown } from './liar-signer-invariants.ts';
import { issuedBy, type Issued, type Liar } from './liar.ts';

/** What has been looked at already, so that a round costs what it brought. */
export type Watch = {
  readonly looked: Map<number, Looked>;
  readonly shown: Map<string, Shown>;
  writes: number;
  certificates: number;
};

/** Nothing was looked at yet. */
export function startWatch(): Watch {
  return { looked: new Map(), shown: new Map(), writes: 0, certificates: 0 };
}

/** Throws, and says what, if something holds no longer. */
export async function assertInvariants(liar: Liar, watch: Watch): Promise<void> {
  const { chain, victims } = liar;
  demand(chain.bugs.length === 0, 'BUG', chain.bugs[0]);
  demand(liar.wire.followed() === 0, 'REDIRECTED');
  for (const victim of victims) {
    const before = watch.looked.get(victim.index) ?? UNSEEN;
    watch.looked.set(victim.index, await assertDevice(chain, victim, before));
  }
  const scene = { chain, victims, shown: watch.shown };
  for (const written of chain.writes.slice(watch.writes)) assertWritten(scene, written);
  watch.writes = chain.writes.length;
  const issued = issuedBy(chain);
  for (const certificate of issued.slice(watch.certificates)) assertCertificate(liar, certificate);
  watch.certificates = issued.length;
  assertBooks(liar);
  await assertPeople(liar);
}

/** A certificate is its device's own: of its key, and of what it ran. */
function assertCertificate({ victims }: Liar, { certificate, deviceId }: Issued): void {
  const victim = victims.find(({ member }) => member?.deviceId === deviceId);
  demand(victim !== undefined, 'CERTIFICATE_OF_NOBODY', deviceId);
  const { publicKey, getExtension } = readCertificate(certificate);
  const isOwn = victim.keys.some((key) => encodeHex(key) === publicKey);
  demand(isOwn, 'CERTIFICATE_KEY', publicKey);
  const { release, components } = accepted(parseIdentityExtension(getExtension()));
  const images = [...components.values()].map(({ image }) => image);
  const hasRun = images.every((image) => victim.device.runs.some(({ sha256 }) => sha256 === image));
  demand(hasRun && images.length > 0, 'CERTIFICATE_BOOT', release);
}

function readCertificate(der: Uint8Array): { readonly publicKey: string; readonly getExtension: () => Uint8Array } {
  const read = new X509Certificate(Uint8Array.from(der));
  return {
    publicKey: encodeHex(new Uint8Array(read.publicKey.rawData).slice(-32)),
    getExtension: () => new Uint8Array(read.getExtension(IDENTITY_EXTENSION_OID)?.value ?? new ArrayBuffer(0)),
  };
}

/** The payload of a word, whatever stands around it: that is what its signature is over. */
function payloadOf(envelope: Uint8Array): string {
  const confirmation = parseEnvelope(envelope, CONFIRMATION_PAYLOAD_TYPE);
  const read = confirmation.ok ? confirmation : parseEnvelope(envelope, RECEIPT_PAYLOAD_TYPE);
  return read.ok ? sha256Hex(read.value.payload) : '';
}

function assertBooks({ acknowledged, chain, heard }: Liar): void {
  const words = [...chain.books.entries.values()].map(parseHeardWord).flatMap((word) => (word.ok ? [word.value] : []));
  const kept = new Set(words.map(({ envelope }) => payloadOf(envelope)));
  for (const word of acknowledged) demand(kept.has(payloadOf(word)), 'WORD_LOST');
  const said = new Set([...heard.words, ...heard.receipts].map(payloadOf));
  for (const payload of kept) demand(said.has(payload), 'WORD_UNSAID', payload);
  const named = words.map(({ envelope }) => {
    const { deviceId = '', plan = '', sequence = 0 } = readWord(envelope) ?? {};
    return `${deviceId} ${plan} ${sequence}`;
  });
  demand(new Set(named).size === named.length, 'WORD_TWICE');
}

async function assertPeople(liar: Liar): Promise<void> {
  const { signed, withdrawn } = await personSigned(liar);
  for (const { digest, told, shown } of signed) {
    demand(told === undefined || told === digest, 'TOLD_OTHERWISE', digest);
    demand(shown.includes(digest) && digest !== withdrawn, 'SHOWN_OTHERWISE', digest);
  }
}

/** The devices at the end: each starts, and each of the fleet that has a network has one identity and is taken for one. */
export async function assertWhole({ chain, victims }: Liar): Promise<void> {
  for (const { index, member, device, isOffline } of victims) {
    const started = await device.start();
    demand(started.kind === 'started', 'BRICKED', `device ${index}`);
    if (member === undefined || isOffline) continue;
    const known = await chain.ledger.read(member.deviceId);
    demand(!known.isForked && known.current !== undefined, 'FORKED', `device ${index}`);
  }
}
