/** What stands in the log, judged from a proof alone: every way to pretend it is refused by its own name. */
import { expect, test } from 'vitest';
import { encodeUtf8, parseUtf8 } from '../../../formats/bytes.ts';
import type { LogLeaf } from '../../../formats/log-leaf.ts';
import type { LogPolicy, LogKeyState } from '../../../formats/root-part.ts';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import type { Verdict } from '../../../formats/verdict.ts';
import {
  verifyCheckpoint,
  verifyLogged,
  verifyOneLog,
  type TrustedCheckpoint,
} from '../../../bootloader-verifier/boot/verify-log.ts';
import { accepted } from '../../accepted.ts';
import { seededSigner } from '../../seeded-signer.ts';
import {
  LOG_POLICY,
  LOG_SIGNER,
  logOf,
  signedCheckpoint,
  signedProof,
  tinyLog,
  type SignedBy,
} from '../../tiny-log.ts';

const SHA256 = 'ab'.repeat(32);
const leaf = (version: number): LogLeaf => ({
  type: 'root',
  product: 'gateway',
  root: SHA256,
  version,
  sha256: SHA256,
});
const RELEASE: LogLeaf = {
  type: 'release',
  product: 'gateway',
  root: SHA256,
  channel: 'stable',
  version: 1,
  sha256: SHA256,
  release: '1.0.0',
};
/** Entries 4 to 6 are root 1, root 2 and the release. */
const LOG = logOf([leaf(1), leaf(2), RELEASE], 4);
const WITNESSED: LogPolicy = {
  ...LOG_POLICY,
  witnesses: ['w1', 'w2', 'w3'].map((name, i) => ({
    name: `${name}.example`,
    key: seededSigner(`${name}.example`).key,
    administration: i < 2 ? 'one' : 'two',
  })),
  quorum: 2,
};
const judge = (proof: Uint8Array | undefined, asked: LogLeaf, policy = LOG_POLICY): Verdict<TrustedCheckpoint> =>
  verifyLogged(policy, { leaf: asked, proof }, checkSignaturePortable);
const judged = async (policy: LogPolicy, by: SignedBy): Promise<Verdict<TrustedCheckpoint>> =>
  verifyCheckpoint(policy, await signedCheckpoint(LOG, by), checkSignaturePortable);
const withState = (state: LogKeyState): LogPolicy => ({ ...LOG_POLICY, keys: [{ key: LOG_SIGNER.key, state }] });

test('what was logged is proven, and the proof leads to the checkpoint', async () => {
  expect(accepted(judge(await signedProof(LOG, 6), RELEASE))).toMatchObject(LOG.head);
  expect(accepted(judge(await signedProof(LOG, 5), leaf(2)))).toMatchObject(LOG.head);
});

test('what was never logged has no proof: not that of another entry, of another index, or none at all', async () => {
  const code = 'LOG_PROOF_INVALID';
  expect(judge(await signedProof(LOG, 6), { ...RELEASE, version: 2 })).toMatchObject({ ok: false, code });
  expect(judge(await signedProof(LOG, 5), RELEASE)).toMatchObject({ ok: false, code });
  expect(judge(await signedProof(LOG, 4), leaf(2))).toMatchObject({ ok: false, code });
  expect(judge(undefined, RELEASE)).toMatchObject({ ok: false, code: 'LOG_PROOF_MISSING' });
  expect(judge(encodeUtf8('no proof'), RELEASE)).toMatchObject({ ok: false, code: 'LOG_PROOF_MALFORMED' });
});

test('the entry is of one product, one root 1, one channel and one file: any other is another entry', async () => {
  const proof = await signedProof(LOG, 6);
  for (const change of [
    { product: 'other' },
    { root: 'cd'.repeat(32) },
    { channel: 'beta' },
    { sha256: 'cd'.repeat(32) },
    { release: '1.0.1' },
  ]) {
    expect(judge(proof, { ...RELEASE, ...change })).toMatchObject({ ok: false, code: 'LOG_PROOF_INVALID' });
  }
});

test('a log of somebody else proves nothing, whoever signed it', async () => {
  const other = await signedProof(LOG, 6, { origin: 'other.example', signer: seededSigner('other') });
  expect(judge(other, RELEASE)).toMatchObject({ ok: false, code: 'LOG_ORIGIN_MISMATCH' });
  const forged = await signedProof(LOG, 6, { signer: seededSigner('other') });
  expect(judge(forged, RELEASE)).toMatchObject({ ok: false, code: 'LOG_SIGNATURE_INVALID' });
});

test('a checkpoint that was altered after it was signed is refused', async () => {
  const text = parseUtf8(await signedCheckpoint(LOG)) ?? '';
  const altered = encodeUtf8(text.replace('\n7\n', '\n8\n'));
  expect(verifyCheckpoint(LOG_POLICY, altered, checkSignaturePortable)).toMatchObject({
    code: 'LOG_SIGNATURE_INVALID',
  });
  const broken = encodeUtf8(text.replace('\n7\n', '\nseven\n'));
  expect(verifyCheckpoint(LOG_POLICY, broken, checkSignaturePortable)).toMatchObject({ code: 'CHECKPOINT_MALFORMED' });
});

test('a frozen key counts up to its size, a distrusted one for nothing', async () => {
  expect((await judged(withState({ frozen: 7 }), {})).ok).toBe(true);
  expect(await judged(withState({ frozen: 6 }), {})).toMatchObject({ code: 'LOG_SIGNATURE_INVALID' });
  expect(await judged(withState('distrusted'), {})).toMatchObject({ code: 'LOG_SIGNATURE_INVALID' });
});

test('after a key was frozen, its successor signs what comes later', async () => {
  const successor = seededSigner('log 2');
  const policy: LogPolicy = {
    ...LOG_POLICY,
    keys: [
      { key: LOG_SIGNER.key, state: { frozen: 6 } },
      { key: successor.key, state: 'active' },
    ],
  };
  expect((await judged(policy, { signer: successor })).ok).toBe(true);
});

test('a quorum of witnesses is one of administrations: two of one count once', async () => {
  const code = 'WITNESS_QUORUM_UNMET';
  expect(await judged(WITNESSED, {})).toMatchObject({ ok: false, code });
  expect(await judged(WITNESSED, { witnesses: ['w1.example', 'w2.example'] })).toMatchObject({ ok: false, code });
  expect((await judged(WITNESSED, { witnesses: ['w2.example', 'w3.example'] })).ok).toBe(true);
  expect(await judged(WITNESSED, { witnesses: ['w3.example', 'w4.example'] })).toMatchObject({ ok: false, code });
});

test('witnesses do not stand in for the log: without its own signature their cosignatures count for nothing', async () => {
  const by = { signer: seededSigner('other'), witnesses: ['w1.example', 'w3.example'] };
  expect(await judged(WITNESSED, by)).toMatchObject({ ok: false, code: 'LOG_SIGNATURE_INVALID' });
});

test('two checkpoints are of one log if it grew from one to the other, in whatever order they come', () => {
  const grown = tinyLog([Uint8Array.of(1), Uint8Array.of(2)], LOG);
  for (const [a, b] of [
    [LOG, grown],
    [grown, LOG],
    [LOG, LOG],
  ] as const) {
    expect(verifyOneLog(a.head, b.head, grown.tiles).ok).toBe(true);
  }
});

test('a log with two faces is found out, whatever tiles come with it', () => {
  const other = logOf([leaf(1), leaf(3), RELEASE], 4);
  const grown = tinyLog([Uint8Array.of(1)], other);
  const code = 'LOG_FORKED';
  expect(verifyOneLog(LOG.head, other.head, other.tiles)).toMatchObject({ ok: false, code });
  expect(verifyOneLog(LOG.head, grown.head, grown.tiles)).toMatchObject({ ok: false, code });
  expect(verifyOneLog(LOG.head, grown.head, LOG.tiles)).toMatchObject({ ok: false, code });
  expect(verifyOneLog(LOG.head, grown.head, new Map())).toMatchObject({ ok: false, code });
});
