/** The judgement of one image, from statements that were verified, by the policy that people signed. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { verifySignedProvenance } from '../../bootloader-verifier/boot/verify-provenance.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';
import type { Provenance, SignedProvenance } from '../../formats/provenance.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import type { Builder } from '../../formats/trust-part.ts';
import type { Verified } from '../../formats/verdict.ts';
import { judgeRelease, type JudgedImage, type ReleaseFacts } from '../../policies/judge-release.ts';
import { openCedarEngine } from '../../policies/policy-engine-cedar.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { BUILDER_ID, signedProvenance, tinyBuilder, tinyProvenance } from '../tiny-release.ts';

const engine = await openCedarEngine();
const POLICY = await readFile(new URL('../../policies/release.cedar', import.meta.url));
const SIGNED_POLICY = { bytes: POLICY, sha256: sha256Hex(POLICY) };
const SHA256 = 'ab'.repeat(32);
const IMAGE: JudgedImage = {
  ...{ product: 'gateway', component: 'gateway', firmwareVersion: '2.0.0', hardwareIds: ['gw-1'] },
  ...{ securityCounter: 2, formerSecurityCounter: 1, length: 3, sha256: SHA256 },
};
const signer = seededSigner('judge builder');
const first: Builder = {
  ...tinyBuilder(signer),
  issuer: 'https://ci.example',
  administration: 'https://maker.example',
};

/** The statement of a builder about the image, verified. */
async function statement(
  by: { readonly signer?: typeof signer; readonly builders?: readonly Builder[] },
  change: Partial<Provenance> = {},
): Promise<Verified<SignedProvenance>> {
  const bytes = await signedProvenance({ ...tinyProvenance('image.js', SHA256), ...change }, by.signer ?? signer);
  return accepted(verifySignedProvenance(bytes, by.builders ?? [first], checkSignaturePortable));
}

async function factsOf(change: Partial<Provenance> = {}): Promise<ReleaseFacts> {
  return { image: IMAGE, provenance: await statement({}, change), rebuilds: [] };
}

/** A policy that permits on `condition` alone. */
function policyOn(condition: string): { readonly bytes: Uint8Array; readonly sha256: string } {
  const text = `@id("one") @reason("because") permit (principal, action, resource) when { ${condition} };`;
  return { bytes: encodeUtf8(text), sha256: sha256Hex(encodeUtf8(text)) };
}

describe('an image is judged', () => {
  test('fit for release where all that people demand is shown, and the judgement says why', async () => {
    const judged = accepted(judgeRelease(await factsOf(), SIGNED_POLICY, engine));
    expect(judged).toEqual({
      allowed: true,
      policySha256: SIGNED_POLICY.sha256,
      policies: ['built-twice'],
      reasons: [expect.stringMatching(/^built-twice: a listed builder/)],
      levels: ['FIRMAMENT_TWO_RUNS'],
    });
  });

  test('unfit when it is not reproduced, and the judgement says what is missing', async () => {
    const [run] = tinyProvenance('image.js', SHA256).runs;
    if (run === undefined) throw new Error('a provenance has runs');
    const facts = await factsOf({ runs: [run] });
    expect(judgeRelease(facts, SIGNED_POLICY, engine)).toMatchObject({
      value: { allowed: false, policies: ['reproducible'], levels: [], reasons: [expect.stringMatching(/two runs/)] },
    });
  });

  test('unfit when it is built from a source that people did not list', async () => {
    const source = {
      uri: 'git+https://fork.example/gateway.git',
      commit: 'd'.repeat(40),
      algorithm: 'gitCommit',
    } as const;
    const { externalParameters } = tinyProvenance('image.js', SHA256);
    const facts = await factsOf({ source, externalParameters: { ...externalParameters, source: source.uri } });
    expect(judgeRelease(facts, SIGNED_POLICY, engine)).toMatchObject({
      value: { allowed: false, policies: ['source-is-listed'] },
    });
  });

  test('unfit when the provenance is about other bytes', async () => {
    const facts = await factsOf({ subjects: [{ name: 'image.js', sha256: 'cd'.repeat(32) }] });
    expect(judgeRelease(facts, SIGNED_POLICY, engine)).toMatchObject({
      value: { allowed: false, policies: expect.arrayContaining(['digest-is-subject']) as string[] },
    });
  });

  test('unfit when it names a builder whose key has not signed', async () => {
    const facts = await factsOf({ builderId: 'https://builder.example/trusted' });
    expect(judgeRelease(facts, SIGNED_POLICY, engine)).toMatchObject({
      value: { allowed: false, policies: expect.arrayContaining(['builder-is-signer']) as string[] },
    });
  });

  test('unfit when its counter lies below the release in force', async () => {
    const facts = { ...(await factsOf()), image: { ...IMAGE, securityCounter: 0 } };
    expect(judgeRelease(facts, SIGNED_POLICY, engine)).toMatchObject({
      value: { allowed: false, policies: ['counter-stands'] },
    });
  });

  test('unfit where no policy applies, and the judgement says which would have to', async () => {
    const judged = accepted(judgeRelease(await factsOf(), policyOn('context.runs > 5'), engine));
    expect(judged).toMatchObject({ allowed: false, policies: [], levels: [] });
    expect(judged.reasons).toEqual(['no policy permits it; one would if: because']);
  });
});

describe('there is no judgement', () => {
  test('by a policy that people did not sign', async () => {
    const swapped = { bytes: policyOn('true').bytes, sha256: SIGNED_POLICY.sha256 };
    expect(judgeRelease(await factsOf(), swapped, engine)).toMatchObject({ ok: false, code: 'POLICY_MISMATCH' });
  });

  test('by bytes that are no text', async () => {
    const bytes = Uint8Array.of(0xff, 0xfe);
    const verdict = judgeRelease(await factsOf(), { bytes, sha256: sha256Hex(bytes) }, engine);
    expect(verdict).toMatchObject({ ok: false, code: 'POLICY_MALFORMED' });
  });

  test('by a policy that fails on the way', async () => {
    const verdict = judgeRelease(await factsOf(), policyOn('context.runs + 9223372036854775807 > 0'), engine);
    expect(verdict).toMatchObject({ ok: false, code: 'POLICY_UNDECIDED' });
  });
});

describe('a rebuild counts as independent (R28)', () => {
  const otherSigner = seededSigner('judge other builder');
  const other: Builder = {
    ...{ id: 'https://other.example/builder', key: otherSigner.key, source: first.source },
    ...{ issuer: 'https://other-ci.example', administration: 'https://other.example' },
  };
  const isCounted = async (builder: Builder, change: Partial<Provenance> = {}): Promise<boolean> => {
    const by = { signer: otherSigner, builders: [builder] };
    const rebuild = await statement(by, { builderId: builder.id, ...change });
    const facts = { ...(await factsOf()), rebuilds: [rebuild] };
    return accepted(judgeRelease(facts, policyOn('context.independentRebuilds == 1'), engine)).allowed;
  };

  test('when key, issuer and administration are all others', async () => {
    expect(await isCounted(other)).toBe(true);
  });

  test.each<readonly [string, Partial<Builder>]>([
    ['issuer', { issuer: first.issuer }],
    ['administration', { administration: first.administration }],
    ['identity', { id: BUILDER_ID }],
  ])('not when it shares its %s with the builder', async (_, shared) => {
    expect(await isCounted({ ...other, ...shared })).toBe(false);
  });

  test('not when it has the key of the builder under another name', async () => {
    const builder = { ...other, key: signer.key };
    const rebuild = await statement({ builders: [builder] }, { builderId: builder.id });
    const facts = { ...(await factsOf()), rebuilds: [rebuild] };
    const judged = accepted(judgeRelease(facts, policyOn('context.independentRebuilds == 0'), engine));
    expect(judged.allowed).toBe(true);
  });

  test.each(['issuer', 'administration'] as const)('not when people have not said its %s', async (member) => {
    expect(await isCounted({ ...other, [member]: undefined })).toBe(false);
  });

  test('not when it made another image', async () => {
    expect(await isCounted(other, { subjects: [{ name: 'image.js', sha256: 'cd'.repeat(32) }] })).toBe(false);
  });

  test('not twice for one administration', async () => {
    const rebuild = await statement({ signer: otherSigner, builders: [other] }, { builderId: other.id });
    const facts = { ...(await factsOf()), rebuilds: [rebuild, rebuild] };
    expect(accepted(judgeRelease(facts, policyOn('context.independentRebuilds == 1'), engine)).allowed).toBe(true);
  });
});
