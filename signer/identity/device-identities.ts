/**
 * What the signer remembers of a device's identities, and the pure steps from one to the next (rule R25).
 *
 * - A device has one identity in use, and at most one that follows it and was not used yet.
 * - The old one ends at the first use of the new. What was issued but never used is replaced by whatever is issued next:
 *   an answer that was lost locks nobody out.
 * - Two that follow one and the same, with two keys, are a fork: somebody else has a copy. Then both end, until people look at it.
 * - A device makes one key for one step and asks for it until it has an answer. So what says the same again, late or in another
 *   order, is of one key and no fork: whoever carries requests cannot make a fork of them.
 * - An identity that has expired may still be followed, with evidence: a device that slept is not lost.
 */
import {
  decodeJson,
  flag,
  hexText,
  integer,
  list,
  literal,
  mapOf,
  object,
  oneOf,
  optional,
  refine,
  type DecodeCode,
  type Decoder,
} from '../../formats/decode.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import type { Enrolment } from '../../formats/enrolment.ts';
import { encodeInstant, instantDecoder, type Instant } from '../../formats/instant.ts';
import type { JsonValue } from '../../formats/json.ts';
import { nameDecoder } from '../../formats/names.ts';
import { COMPONENTS_MAX } from '../../formats/release.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';

export type IssuedIdentity = {
  /** SHA-256 of the certificate in DER, in hex. */
  readonly certificate: string;
  /** Its public key, Ed25519, in hex. */
  readonly publicKey: string;
  readonly notAfter: Instant;
};
/** One that is over: because it was followed, or because it was replaced before its first use. */
export type EndedIdentity = IssuedIdentity & { readonly because: 'followed' | 'replaced' };
export type DeviceIdentities = {
  readonly deviceId: string;
  readonly isForked: boolean;
  readonly current: IssuedIdentity | undefined;
  /** Issued, not used yet. */
  readonly next: IssuedIdentity | undefined;
  /** Oldest first. */
  readonly ended: readonly EndedIdentity[];
  /** The highest counter that was ever proven, by component. */
  readonly securityCounters: ReadonlyMap<string, number>;
};

export type IdentityCode = 'IDENTITY_UNKNOWN' | 'IDENTITY_ACTIVE' | 'IDENTITY_ENDED' | 'IDENTITY_FORKED';
/** Which identity a request follows, and whose key must have signed it; a fork is one only if that key really has. */
export type Followed = { readonly identity: IssuedIdentity | undefined; readonly isFork: boolean };

export const IDENTITIES_BYTES_MAX = 16_384;
/** How many that have ended are remembered, of each kind. */
const ENDED_EACH_MAX = 8;

/** A device that has had no identity yet. */
export function noIdentities(deviceId: string): DeviceIdentities {
  const none = { current: undefined, next: undefined, ended: [], securityCounters: new Map() };
  return { deviceId, isForked: false, ...none };
}

/**
 * What a request follows. Its signatures are checked by whoever asks.
 * @param request.publicKey the key that is to be certified, in hex.
 */
export function followedBy(
  device: DeviceIdentities,
  request: Pick<Enrolment, 'purpose' | 'predecessor'> & { readonly publicKey: string },
  now: Instant,
): Verdict<Followed, IdentityCode> {
  if (device.isForked) return reject('IDENTITY_FORKED', 'this device has been seen twice');
  const { current, next, ended } = device;
  if (request.purpose === 'enrol') {
    return current === undefined || current.notAfter <= now
      ? accept({ identity: undefined, isFork: false })
      : reject('IDENTITY_ACTIVE', 'this device has an identity: it is to be rotated, not enrolled again');
  }
  for (const identity of [current, next]) {
    if (identity?.certificate === request.predecessor) return accept({ identity, isFork: false });
  }
  const over = ended.find(({ certificate }) => certificate === request.predecessor);
  if (over === undefined) {
    return reject('IDENTITY_UNKNOWN', 'no identity of this device is the one that is to be followed');
  }
  return identitiesOf(device).some(({ publicKey }) => publicKey === request.publicKey)
    ? reject('IDENTITY_ENDED', 'this request is older than the end of what it follows: its key was certified since')
    : accept({ identity: over, isFork: true });
}

/**
 * The state in which the identity `certificate` stands again, if the one that replaced it is of the same key: one device that asked
 * twice, and got the answer to what it had asked first. Any other state is left as it is.
 */
export function reinstate(device: DeviceIdentities, certificate: string | undefined): DeviceIdentities {
  const over = device.ended.find((ended) => ended.certificate === certificate && ended.because === 'replaced');
  if (over === undefined) return device;
  const { because, ...again } = over;
  const rest = device.ended.filter((ended) => ended !== over);
  for (const place of ['next', 'current'] as const) {
    const twin = device[place];
    if (twin?.publicKey === over.publicKey)
      return { ...device, [place]: again, ended: [...rest, { ...twin, because }] };
  }
  return device;
}

/** The state once `issued` may leave the signer. @param followed the identity that it follows: to ask with it is to use it. */
export function stepIssued(
  device: DeviceIdentities,
  issued: IssuedIdentity,
  proven: { readonly followed: string | undefined; readonly securityCounters: ReadonlyMap<string, number> },
): DeviceIdentities {
  const used =
    proven.followed !== undefined && proven.followed === device.next?.certificate ? stepUsed(device) : device;
  const replaced = used.next === undefined ? [] : [{ ...used.next, because: 'replaced' as const }];
  return {
    ...used,
    next: issued,
    ended: remembered([...used.ended, ...replaced]),
    securityCounters: raised(device.securityCounters, proven.securityCounters),
  };
}

/**
 * The state after a device has used the identity `certificate`, whose key has signed.
 * @returns the same state if it is the one in use already.
 */
export function useIdentity(known: DeviceIdentities, certificate: string): Verdict<DeviceIdentities, IdentityCode> {
  if (known.isForked) return reject('IDENTITY_FORKED', 'this device has been seen twice');
  const device = reinstate(known, certificate);
  if (device.current?.certificate === certificate) return accept(device);
  if (device.next?.certificate === certificate) return accept(stepUsed(device));
  const over = device.ended.find((ended) => ended.certificate === certificate);
  if (over === undefined) return reject('IDENTITY_UNKNOWN', 'no identity of this device is the one that is used');
  return over.because === 'replaced'
    ? accept(stepForked(device))
    : reject('IDENTITY_ENDED', 'this identity has ended with the first use of the one after it');
}

/** The state in which nothing counts any more. */
export function stepForked(device: DeviceIdentities): DeviceIdentities {
  return { ...device, isForked: true };
}

function stepUsed(device: DeviceIdentities): DeviceIdentities {
  const { current, next } = device;
  if (next === undefined) return device;
  const followed = current === undefined ? [] : [{ ...current, because: 'followed' as const }];
  return { ...device, current: next, next: undefined, ended: remembered([...device.ended, ...followed]) };
}

/** The newest of each kind: whoever loses answers, and has a device ask again and again, makes nobody forget what was followed. */
function remembered(ended: readonly EndedIdentity[]): readonly EndedIdentity[] {
  const newest = (kind: EndedIdentity['because']): readonly EndedIdentity[] =>
    ended.filter(({ because }) => because === kind).slice(-ENDED_EACH_MAX);
  const kept = [...newest('followed'), ...newest('replaced')];
  return ended.filter((one) => kept.includes(one));
}

function raised(before: ReadonlyMap<string, number>, proven: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const counters = new Map(before);
  for (const [name, counter] of proven) counters.set(name, Math.max(counters.get(name) ?? 0, counter));
  return counters;
}

/**
 * The state after a ledger was restored from a backup, which may be behind: no identity of it can be followed or used any more, for it
 * may have ended since; the device enrols anew, with the proof of its boot. What is over for ever stays so: a fork, an end, a counter.
 */
export function stepRestored(device: DeviceIdentities): DeviceIdentities {
  const ended = device.ended.filter(({ because }) => because === 'followed');
  return { ...device, current: undefined, next: undefined, ended };
}

/** The public key of the identity `certificate`, whatever has become of it. */
export function keyOfIdentity(device: DeviceIdentities, certificate: string): string | undefined {
  return identitiesOf(device).find((identity) => identity.certificate === certificate)?.publicKey;
}

function identitiesOf({ current, next, ended }: DeviceIdentities): readonly IssuedIdentity[] {
  return [current, next, ...ended].filter((identity) => identity !== undefined);
}

const issuedDecoder = object('refused', { certificate: hexText(32), publicKey: hexText(32), notAfter: instantDecoder });
const endedDecoder: Decoder<EndedIdentity> = object('refused', {
  certificate: hexText(32),
  publicKey: hexText(32),
  notAfter: instantDecoder,
  because: oneOf('followed', 'replaced'),
});
const identitiesDecoder: Decoder<DeviceIdentities> = refine(
  object('refused', {
    version: literal(1),
    deviceId: hexText(32),
    isForked: flag,
    current: optional(issuedDecoder),
    next: optional(issuedDecoder),
    ended: list(endedDecoder, 2 * ENDED_EACH_MAX),
    securityCounters: mapOf(nameDecoder, integer(0), COMPONENTS_MAX),
  }),
  ({ version: _, ...identities }) => accept(identities),
);

/** Parses what is kept of a device. */
export function parseDeviceIdentities(bytes: Uint8Array): Verdict<DeviceIdentities, DecodeCode> {
  return decodeJson(bytes, IDENTITIES_BYTES_MAX, identitiesDecoder);
}

/** The bytes that are kept of a device. */
export function encodeDeviceIdentities(device: DeviceIdentities): Uint8Array {
  const { current, next } = device;
  const json = new Map<string, JsonValue>([
    ['version', 1],
    ['deviceId', device.deviceId],
    ['isForked', device.isForked],
    ['ended', device.ended.map((ended) => issuedToJson(ended).set('because', ended.because))],
    ['securityCounters', device.securityCounters],
  ]);
  if (current !== undefined) json.set('current', issuedToJson(current));
  if (next !== undefined) json.set('next', issuedToJson(next));
  return encodeJson(json);
}

function issuedToJson({ certificate, publicKey, notAfter }: IssuedIdentity): Map<string, JsonValue> {
  return new Map<string, JsonValue>([
    ['certificate', certificate],
    ['publicKey', publicKey],
    ['notAfter', encodeInstant(notAfter)],
  ]);
}
