/** Nonces: of this process, fresh for minutes, used once, and bounded in memory. */
import { expect, test } from 'vitest';
import { NONCE_LIFETIME_MS, openNonces } from '../../../signer/identity/nonces.ts';

const NOW = Date.UTC(2026, 0, 1);
const DEVICE = 'ab'.repeat(32);
const KEY = new Uint8Array(32).fill(1);
const random = (seed: number): Uint8Array => new Uint8Array(16).fill(seed);

test('a nonce is taken until its minutes are over, and once', () => {
  const nonces = openNonces(KEY);
  const nonce = nonces.make(random(1), NOW);
  expect(nonce.length).toBe(48);
  expect(nonces.check(nonce, NOW + NONCE_LIFETIME_MS - 1).ok).toBe(true);
  expect(nonces.check(nonce, NOW + NONCE_LIFETIME_MS)).toMatchObject({ code: 'EVIDENCE_STALE' });
  expect(nonces.check(nonce, NOW - 1)).toMatchObject({ code: 'EVIDENCE_STALE' });
  expect(nonces.spend(nonce, DEVICE, NOW).ok).toBe(true);
  expect(nonces.spend(nonce, DEVICE, NOW)).toMatchObject({ code: 'EVIDENCE_STALE' });
});

test('a nonce with any bit changed, of another process, or of another length is none', () => {
  const nonces = openNonces(KEY);
  const nonce = nonces.make(random(1), NOW);
  for (let at = 0; at < nonce.length; at++) {
    const other = nonce.slice();
    other[at] = (other[at] ?? 0) ^ 1;
    expect(nonces.check(other, NOW), String(at)).toMatchObject({ code: 'EVIDENCE_STALE' });
  }
  expect(openNonces(new Uint8Array(32)).check(nonce, NOW)).toMatchObject({ code: 'EVIDENCE_STALE' });
  for (const length of [0, 47, 49]) {
    expect(nonces.check(new Uint8Array(length), NOW)).toMatchObject({ code: 'EVIDENCE_STALE' });
  }
});

test('where too many were used within minutes nothing is issued, and time makes room', () => {
  const nonces = openNonces(KEY, 2);
  const made = [1, 2, 3].map((seed) => nonces.make(random(seed), NOW));
  expect(made.map((nonce) => nonces.spend(nonce, DEVICE, NOW).ok)).toEqual([true, true, false]);
  const later = NOW + NONCE_LIFETIME_MS;
  expect(nonces.spend(nonces.make(random(4), later), DEVICE, later).ok).toBe(true);
});

test('a nonce made before its device was last heard is stale, in whatever order both were made, and that of another device is not', () => {
  for (const [first, second] of [
    [NOW, NOW + 1],
    [NOW + 1, NOW],
  ] as const) {
    const nonces = openNonces(KEY);
    const held = nonces.make(random(1), first);
    expect(nonces.spend(nonces.make(random(2), second), DEVICE, NOW + 2).ok).toBe(true);
    expect(nonces.spend(held, DEVICE, NOW + 3)).toMatchObject({ code: 'EVIDENCE_STALE' });
    expect(nonces.spend(held, 'cd'.repeat(32), NOW + 3).ok).toBe(true);
    expect(nonces.spend(nonces.make(random(3), NOW + 3), DEVICE, NOW + 3).ok).toBe(true);
  }
});
