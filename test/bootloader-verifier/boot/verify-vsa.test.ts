/** Summaries as devices judge them: only a listed verifier, only this image, release, policy and provenance, and only a pass. */
import { describe, expect, test } from 'vitest';
import { verifyVsa, type VsaDemand } from '../../../bootloader-verifier/boot/verify-vsa.ts';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { encodeEnvelope, preAuthEncoding } from '../../../formats/dsse.ts';
import type { Judging } from '../../../formats/judging.ts';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import { STATEMENT_PAYLOAD_TYPE } from '../../../formats/statement.ts';
import { SAMPLE_DEMAND, SAMPLE_VSA } from '../../formats/sample-vsa.ts';
import { refusedVsas } from '../../formats/vsa-vectors.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { signedProvenance, tinyProvenance } from '../../tiny-release.ts';
import { signedVsa, tinyJudging, tinyVerifier } from '../../tiny-vsa.ts';

const verify = (bytes: Uint8Array, change: Partial<VsaDemand> = {}): ReturnType<typeof verifyVsa> =>
  verifyVsa(bytes, { ...SAMPLE_DEMAND, ...change }, checkSignaturePortable);
const HONEST = await signedVsa(SAMPLE_VSA);
const REFUSED = await refusedVsas();

test('the summary of a listed verifier over this very release counts', () => {
  expect(verify(HONEST)).toEqual({ ok: true, value: SAMPLE_VSA });
});

test('the order of hardware ids says nothing', async () => {
  const judged = { ...SAMPLE_VSA.judged, hardwareIds: ['gw-2', 'gw-1'] };
  expect(verify(await signedVsa({ ...SAMPLE_VSA, judged }))).toMatchObject({ ok: true });
});

describe('a summary never counts when', () => {
  test.each(REFUSED)('$says', ({ envelope, code }) => {
    expect(verify(envelope)).toMatchObject({ ok: false, code });
  });

  test('people list nobody who may judge', () => {
    expect(verify(HONEST, { judging: undefined })).toMatchObject({ ok: false, code: 'VSA_SIGNATURE_INVALID' });
  });

  test('its bytes were altered after signing', () => {
    for (const at of [100, Math.floor(HONEST.length / 2)]) {
      const altered = HONEST.slice();
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(verify(altered).ok).toBe(false);
    }
  });

  test('it is provenance, signed by a key that may judge', async () => {
    const provenance = await signedProvenance(tinyProvenance('image.js', 'ab'.repeat(32)), tinyVerifier());
    expect(verify(provenance)).toMatchObject({ ok: false, code: 'STATEMENT_MALFORMED' });
  });

  test('it is no envelope', () => {
    expect(verify(encodeUtf8('{}'))).toMatchObject({ ok: false, code: 'ENVELOPE_MALFORMED' });
  });

  test('a listed verifier signs under the name of another', async () => {
    const other = seededSigner('other verifier');
    const { policy, verifiers } = tinyJudging();
    const judging = { policy, verifiers: [...verifiers, { id: 'https://verifier.example/other', key: other.key }] };
    expect(verify(await signedVsa(SAMPLE_VSA, other), { judging })).toMatchObject({ ok: false, code: 'VSA_MISMATCH' });
  });

  test('it is signed as a type of payload that it is not', async () => {
    const payload = encodeUtf8(JSON.stringify({ a: 1 }));
    const sig = await tinyVerifier().sign(preAuthEncoding('text/plain', payload));
    const envelope = encodeEnvelope({ payloadType: STATEMENT_PAYLOAD_TYPE, payload, signatures: [{ keyid: '', sig }] });
    expect(verify(envelope)).toMatchObject({ ok: false, code: 'VSA_SIGNATURE_INVALID' });
  });
});

describe('a summary by a former policy', () => {
  const judgingBy = (policy: Judging['policy']): Partial<VsaDemand> => ({ judging: { ...tinyJudging(), policy } });
  const inForce = '44'.repeat(32);
  const { sha256 } = SAMPLE_VSA.policy;

  test('counts as long as people list it', () => {
    expect(verify(HONEST, judgingBy({ sha256: inForce, stillAccepted: [sha256] }))).toMatchObject({ ok: true });
  });

  test('counts no longer once they do not', () => {
    const gone = judgingBy({ sha256: inForce, stillAccepted: [] });
    expect(verify(HONEST, gone)).toMatchObject({ ok: false, code: 'VSA_MISMATCH' });
  });
});

test('a second listed verifier takes nothing from the first', () => {
  const { verifiers, policy } = tinyJudging();
  const other = { id: 'https://verifier.example/other', key: seededSigner('other verifier').key };
  expect(verify(HONEST, { judging: { verifiers: [other, ...verifiers], policy } })).toMatchObject({ ok: true });
});
