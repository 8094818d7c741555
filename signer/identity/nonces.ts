/**
 * The signer's nonces: fresh for minutes, used once, and none kept before it is used.
 *
 * - A nonce is when it was made (8 bytes), what is random (16), and an HMAC-SHA256 of both under a key of this process, cut to 24:
 *   asking for nonces fills no memory, and after a restart none of before is taken (rule R23).
 * - Of the used ones each is remembered until it would be too old anyway; where there is no more room, nothing is issued.
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
  /** Remembers `nonce`, which has been checked, as used. */
  readonly spend: (nonce: Uint8Array, now: Instant) => Verdict<void, 'EVIDENCE_STALE'>;
};

/** The nonces of one process. @param key random bytes that no other process has. */
export function openNonces(key: Uint8Array, usedMax: number = NONCES_USED_MAX): Nonces {
  const used = new Map<string, Instant>();
  const forget = (now: Instant): void => {
    for (const [nonce, until] of used) if (until <= now) used.delete(nonce);
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
    spend: (nonce, now) => {
      const checked = check(nonce, now);
      if (!checked.ok) return checked;
      forget(now);
      if (used.size >= usedMax) return reject('EVIDENCE_STALE', `${usedMax} nonces were used within minutes`);
      used.set(encodeHex(nonce), timeOf(nonce) + NONCE_LIFETIME_MS);
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
