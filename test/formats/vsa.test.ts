/** Verification summaries: what is read, what is refused, and that our vectors are what the generator writes. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8, equalBytes, parseUtf8 } from '../../formats/bytes.ts';
import { encodeVsa, INPUTS_MAX, JUDGED_MEMBER, parseVsa, type Vsa } from '../../formats/vsa.ts';
import { accepted } from '../accepted.ts';
import { SAMPLE_VSA } from './sample-vsa.ts';
import { VECTORS, vectorFiles } from './vsa-vectors.ts';

type Plain = { [name: string]: unknown };
type PlainVsa = { predicateType: string; predicate: Plain & { policy: Plain; verifier: Plain } };

/** The sample with a change to its plain JSON. */
function changed(change: (vsa: PlainVsa) => void): Uint8Array {
  const plain = JSON.parse(parseUtf8(encodeVsa(SAMPLE_VSA)) ?? '') as PlainVsa;
  change(plain);
  return encodeUtf8(JSON.stringify(plain));
}
const malformed = { ok: false, code: 'STATEMENT_MALFORMED' };

describe('a summary', () => {
  test('is read back as it was written, whatever it says', () => {
    const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);
    const uri = fc.stringMatching(/^[a-z]{1,8}:[\x21-\x7e]{1,40}$/);
    const parts = fc.record({
      subjects: fc.array(fc.record({ name: fc.stringMatching(/^[\x20-\x7e]{1,20}$/), sha256 }), {
        minLength: 1,
        maxLength: 3,
      }),
      verifierId: uri,
      resourceUri: uri,
      policy: fc.record({ uri, sha256 }),
      inputAttestations: fc.array(sha256, { minLength: 1, maxLength: INPUTS_MAX }),
      result: fc.constantFrom('PASSED' as const, 'FAILED' as const),
      verifiedLevels: fc.array(fc.stringMatching(/^[A-Z0-9_]{1,20}$/), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(parts, (change) => {
        const vsa: Vsa = { ...SAMPLE_VSA, ...change };
        expect(accepted(parseVsa(encodeVsa(vsa)))).toEqual(vsa);
      }),
    );
  });

  test('is read with members that nobody knows, as SLSA demands', () => {
    const bytes = changed(({ predicate }) => {
      Object.assign(predicate, { dependencyLevels: { SLSA_BUILD_LEVEL_3: 5 }, 'https://example.com/more': true });
      predicate.verifier['version'] = { firmament: '1.0.0' };
    });
    expect(accepted(parseVsa(bytes))).toEqual(SAMPLE_VSA);
  });

  test.each<readonly [string, (vsa: PlainVsa) => void]>([
    ['of another type', (vsa) => (vsa.predicateType = 'https://slsa.dev/provenance/v1')],
    ['without a result', ({ predicate }) => delete predicate['verificationResult']],
    ['with a result that nobody knows', ({ predicate }) => (predicate['verificationResult'] = 'passed')],
    ['without a verifier', ({ predicate }) => delete (predicate as Plain)['verifier']],
    ['whose policy has no digest', ({ predicate }) => delete predicate.policy['digest']],
    ['that rests on nothing', ({ predicate }) => (predicate['inputAttestations'] = [])],
    [
      'that rests on a statement without a digest',
      ({ predicate }) => (predicate['inputAttestations'] = [{ uri: 'a:b' }]),
    ],
    ['that does not say what was judged', ({ predicate }) => delete predicate[JUDGED_MEMBER]],
    [
      'that says more than we know of what was judged',
      ({ predicate }) => Object.assign(predicate[JUDGED_MEMBER] as Plain, { channel: 'stable' }),
    ],
    ['without a time', ({ predicate }) => delete predicate['timeVerified']],
  ])('%s is refused', (_, change) => {
    expect(parseVsa(changed(change))).toMatchObject(malformed);
  });

  test('names at most 16 levels of at most 64 characters', () => {
    const named = (count: number, length: number): Vsa => ({
      ...SAMPLE_VSA,
      verifiedLevels: Array.from({ length: count }, () => 'A'.repeat(length)),
    });
    expect(parseVsa(encodeVsa(named(16, 64)))).toMatchObject({ ok: true });
    expect(parseVsa(encodeVsa(named(17, 64)))).toMatchObject(malformed);
    expect(parseVsa(encodeVsa(named(16, 65)))).toMatchObject(malformed);
  });

  test('rests on at most so many statements', () => {
    const inputs = (count: number): Vsa => ({
      ...SAMPLE_VSA,
      inputAttestations: Array.from({ length: count }, () => 'ab'.repeat(32)),
    });
    expect(parseVsa(encodeVsa(inputs(INPUTS_MAX)))).toMatchObject({ ok: true });
    expect(parseVsa(encodeVsa(inputs(INPUTS_MAX + 1)))).toMatchObject(malformed);
  });
});

test('the vectors are what their generator writes', async () => {
  for (const [name, content] of await vectorFiles()) {
    const written = typeof content === 'string' ? encodeUtf8(content) : content;
    expect(equalBytes(readFileSync(`${VECTORS}${name}`), written), name).toBe(true);
  }
});
