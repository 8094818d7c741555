/**
 * The signer's nonces: fresh for minutes, used once, and none kept before it is used.
 *
 * - A nonce is when it was made (8 bytes), what is random (16), and an HMAC-SHA256 of both under a key of this process, cut to 24:
 *   asking for nonces fills no memory, and after a restart none of before is taken (rule R23).
 * - Of the used ones each is remembered until it would be too old anyway; where there is no more room, nothing is issued.
 * - A nonce that was made before the signer last heard a device is stale for that device: a request that somebody held back, under
 *   whichever nonce, says nothing any more, above all not that there are two of the device.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { concatBytes, encodeHex } from '../../formats/bytes.ts';
import type { Instant } from '../../formats/instant.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';

export const NONCE_LIFETIME_MS = 300_000;
const NONCES_USED_MAX = 100_000;
const TIME_BYTES = 8;
const RANDOM_BYTES = 16;
const MARK_BYTES = 24;

export type Nonces = {
  /** A new nonce. @param random 16 random bytes. */
  readonly make: (random: Uint8Array, now: Instant) => Uint8Array;
  /** Whether `nonce` is one of ours, fresh and unused. */
  readonly check: (nonce: Uint8Array, now: Instant) => Verdict<void, 'EVIDENCE_STALE'>;
  /** Remembers `nonce`, which has been checked, as used by the device `deviceId`. */
  readonly spend: (nonce: Uint8Array, deviceId: string, now: Instant) => Verdict<void, 'EVIDENCE_STALE'>;
};

/** The nonces of one process. @param key random bytes that no other process has. */
export function openNonces(key: Uint8Array, usedMax: number = NONCES_USED_MAX): Nonces {
  const used = new Map<string, Instant>();
  /** When a device was heard last; never more entries than `used` has. */
  const heard = new Map<string, Instant>();
  const forget = (now: Instant): void => {
    for (const [nonce, until] of used) if (until <= now) used.delete(nonce);
    for (const [deviceId, at] of heard) if (at + NONCE_LIFETIME_MS <= now) heard.delete(deviceId);
  };
  const check: Nonces['check'] = (nonce, now) => {
    const head = nonce.subarray(0, TIME_BYTES + RANDOM_BYTES);
    if (nonce.length !== head.length + MARK_BYTES || !timingSafeEqual(mark(key, head), nonce.subarray(head.length))) {
      return reject('EVIDENCE_STALE', 'the nonce is not one of this signer since it was started');
    }
    const age = now - timeOf(nonce);
    if (age < 0 || age >= NONCE_LIFETIME_MS) return reject('EVIDENCE_STALE', 'the nonce is too old');
    return used.has(encodeHex(nonce)) ? reject('EVIDENCE_STALE', 'the nonce was used before') : accept(undefined);
  };
  return {
    make: (random, now) => {
      const head = concatBytes(timeBytes(now), random.subarray(0, RANDOM_BYTES));
      return concatBytes(head, mark(key, head));
    },
    check,
    spend: (nonce, deviceId, now) => {
      const checked = check(nonce, now);
      if (!checked.ok) return checked;
      forget(now);
      if (used.size >= usedMax) return reject('EVIDENCE_STALE', `${usedMax} nonces were used within minutes`);
      const at = timeOf(nonce);
      if (at < (heard.get(deviceId) ?? at)) return reject('EVIDENCE_STALE', 'the device was heard since it was made');
      used.set(encodeHex(nonce), at + NONCE_LIFETIME_MS);
      heard.set(deviceId, now);
      return accept(undefined);
    },
  };
}

function mark(key: Uint8Array, head: Uint8Array): Uint8Array {
  return Uint8Array.from(createHmac('sha256', key).update(head).digest().subarray(0, MARK_BYTES));
}

function timeBytes(now: Instant): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(now));
  return bytes;
}

function timeOf(nonce: Uint8Array): Instant {
  return Number(new DataView(nonce.buffer, nonce.byteOffset).getBigUint64(0));
}
