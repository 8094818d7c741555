/** The judge over whole files: what it verifies itself, whom it lets sign, and that key holders can judge again. */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyVsa } from '../../bootloader-verifier/boot/verify-vsa.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { parseRelease, type Component } from '../../formats/release.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { openCedarEngine } from '../../policies/policy-engine-cedar.ts';
import type { Judgement } from '../../policies/judge-release.ts';
import { judgeAdded, judgeImage, type JudgedFiles, type ReleaseToJudge } from '../../signer/judge.ts';
import { readJudgingTrust, type JudgingTrust } from '../../signer/judging-trust.ts';
import { signVsa } from '../../signer/sign-vsa.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { signedProvenance, tinyProvenance } from '../tiny-release.ts';
import { makeTinyRepository, signedOf, TINY_NOW, type TinyRepository } from '../tiny-repository.ts';
import { tinyJudging, tinyVerifier } from '../tiny-vsa.ts';

const engine = await openCedarEngine();
const POLICY = new Uint8Array(await readFile(new URL('../../policies/release.cedar', import.meta.url)));
const JUDGING = tinyJudging(sha256Hex(POLICY));

let repository: TinyRepository;
let trust: JudgingTrust;
let release: ReleaseToJudge;
let component: Component;
let files: JudgedFiles;

beforeAll(async () => {
  repository = await makeTinyRepository();
  await repository.publishTargets({ verifiers: JUDGING.verifiers, policySha256: JUDGING.policy.sha256 });
  trust = accepted(readJudgingTrust({ roots: repository.roots(), targets: repository.newest('targets') }, TINY_NOW));
  const { targets } = accepted(parseTargets(repository.newest('stable'))).signed;
  const [first] = accepted(parseRelease(targets, '1.0.0')).components;
  if (first === undefined) throw new Error('a release has a component');
  component = first;
  release = { ...component, former: undefined };
  files = { policy: POLICY, provenance: repository.releases.get('1.0.0')?.provenance ?? POLICY, rebuilds: [] };
});

const judged = (
  change: Partial<ReleaseToJudge> = {},
  other: Partial<JudgedFiles> = {},
): ReturnType<typeof judgeImage> =>
  judgeImage(trust, { ...release, ...change }, { files: { ...files, ...other }, engine });
const sign = (judgement: Judgement, signer = tinyVerifier()): ReturnType<typeof signVsa> =>
  signVsa(trust, { release, targetName: component.image.name, files, judgement }, { signer, now: TINY_NOW });

describe('what a judgement rests on', () => {
  const read = (change: Partial<{ roots: readonly Uint8Array[]; targets: Uint8Array; now: number }>): unknown =>
    readJudgingTrust(
      { roots: change.roots ?? repository.roots(), targets: change.targets ?? repository.newest('targets') },
      change.now ?? TINY_NOW,
    );

  test('is never a targets file without its quorum', async () => {
    const [one = tinyVerifier()] = repository.signers.get('targets') ?? [];
    const targets = await repository.sign('targets', signedOf(repository.newest('targets')), [one]);
    expect(read({ targets })).toMatchObject({ ok: false, code: 'METADATA_THRESHOLD_UNMET' });
  });

  test('is never a targets file of another repository', async () => {
    const other = await makeTinyRepository({ seed: 'other' });
    expect(read({ targets: other.newest('targets') })).toMatchObject({ ok: false, code: 'METADATA_THRESHOLD_UNMET' });
  });

  test('is never a targets file of another product under the same keys', async () => {
    const other = await makeTinyRepository({ product: 'sensor' });
    expect(read({ targets: other.newest('targets') })).toMatchObject({ ok: false, code: 'REPOSITORY_MISMATCH' });
  });

  test('is never a targets file that has expired', () => {
    const now = TINY_NOW + 366 * 86_400_000;
    expect(read({ now })).toMatchObject({ ok: false, code: 'METADATA_EXPIRED' });
  });

  test('is never a targets file without a policy', async () => {
    const before = await makeTinyRepository();
    const targets = before.newest('targets');
    expect(read({ targets })).toMatchObject({ ok: false, code: 'POLICY_MISMATCH' });
  });

  test('is never a chain that begins after root 1', async () => {
    const rotated = await makeTinyRepository();
    const rootTwo = await rotated.publishRoot();
    expect(read({ roots: [rootTwo] })).toMatchObject({ ok: false, code: 'ROOT_VERSION_NOT_NEXT' });
  });
});

describe('an image', () => {
  test('that is fit for release gets a summary that devices accept', async () => {
    const vsa = accepted(await sign(accepted(judged())));
    const demand = { repository: repository.id, component, judging: JUDGING };
    expect(verifyVsa(vsa, demand, checkSignaturePortable)).toMatchObject({
      value: { verifiedLevels: ['FIRMAMENT_TWO_RUNS'], timeVerified: TINY_NOW },
    });
  });

  test('is said to rest on every statement that was judged, the provenance first', async () => {
    const rebuild = await signedProvenance(
      tinyProvenance('image.js', component.image.sha256),
      repository.signers.get('builder')?.[0] ?? tinyVerifier(),
    );
    const judgement = accepted(judged({}, { rebuilds: [rebuild] }));
    const by = { signer: tinyVerifier(), now: TINY_NOW };
    const all = { release, targetName: component.image.name, files: { ...files, rebuilds: [rebuild] }, judgement };
    const demand = { repository: repository.id, component, judging: JUDGING };
    expect(verifyVsa(accepted(await signVsa(trust, all, by)), demand, checkSignaturePortable)).toMatchObject({
      value: { inputAttestations: [sha256Hex(files.provenance), sha256Hex(rebuild)] },
    });
  });

  test('that is not gets none, and the refusal says what is missing', async () => {
    const judgement = accepted(judged({ image: { length: 3, sha256: 'cd'.repeat(32) } }));
    expect(judgement).toMatchObject({ allowed: false, policies: ['digest-is-subject'] });
    expect(await sign(judgement)).toMatchObject({
      code: 'JUDGEMENT_DENIED',
      detail: expect.stringMatching(
        /1\.0\.0\/gateway\/image\.js: digest-is-subject: the provenance must be about this/,
      ) as string,
    });
  });

  test('is never judged by provenance that no listed builder has signed', async () => {
    const other = await makeTinyRepository({ seed: 'other' });
    const { provenance = POLICY } = other.releases.get('1.0.0') ?? {};
    expect(judged({}, { provenance })).toMatchObject({ ok: false, code: 'EVIDENCE_SIGNATURE_INVALID' });
    expect(judged({}, { rebuilds: [provenance] })).toMatchObject({ ok: false, code: 'EVIDENCE_SIGNATURE_INVALID' });
  });

  test('is never judged by another policy than the one that people signed', () => {
    const policy = encodeUtf8('@id("all") @reason("all") permit (principal, action, resource);');
    expect(judged({}, { policy })).toMatchObject({ ok: false, code: 'POLICY_MISMATCH' });
  });

  test('is held against the counter in force, of which the channel quorum vouches', async () => {
    const former = repository.newest('stable');
    expect(accepted(judged({ former, securityCounter: 0 }))).toMatchObject({ policies: ['counter-stands'] });
    expect(accepted(judged({ former, securityCounter: 1 }))).toMatchObject({ allowed: true });
    const forged = await repository.sign('stable', signedOf(former), [seededSigner('nobody')]);
    expect(judged({ former: forged })).toMatchObject({ ok: false, code: 'METADATA_THRESHOLD_UNMET' });
  });

  test('is never vouched for with the key of somebody who may not judge', async () => {
    expect(await sign(accepted(judged()), seededSigner('nobody'))).toMatchObject({
      ok: false,
      code: 'KEY_NOT_OF_ROLE',
    });
  });
});

describe('a key holder judges again', () => {
  const again = (change: object = {}): ReturnType<typeof judgeAdded> => {
    const offered = { components: [component], former: undefined, statements: [files.provenance], policy: POLICY };
    return judgeAdded(trust, { ...offered, ...change }, engine);
  };

  test('from the very channel that is to be signed, component by component', () => {
    expect(accepted(again())).toMatchObject([{ component: { component: 'gateway' }, judgement: { allowed: true } }]);
  });

  test('and sees a denial with its reasons, whatever anybody judged before', async () => {
    const worse = await makeTinyRepository({ first: { provenance: { runs: [] } } });
    const { targets } = accepted(parseTargets(worse.newest('stable'))).signed;
    const { components } = accepted(parseRelease(targets, '1.0.0'));
    const statements = [worse.releases.get('1.0.0')?.provenance ?? POLICY];
    expect(accepted(again({ components, statements }))).toMatchObject([{ judgement: { policies: ['reproducible'] } }]);
  });

  test('and never without the provenance that the channel names', () => {
    expect(again({ statements: [] })).toMatchObject({ ok: false, code: 'EVIDENCE_MISMATCH' });
  });

  test('by a former policy too, as long as people list it, and by no other', async () => {
    const rewritten = await makeTinyRepository();
    await rewritten.publishTargets({ verifiers: JUDGING.verifiers, policySha256: JUDGING.policy.sha256 });
    await rewritten.publishTargets({ policySha256: '44'.repeat(32) });
    const roots = rewritten.roots();
    const listed = accepted(readJudgingTrust({ roots, targets: rewritten.newest('targets') }, TINY_NOW));
    const offered = { components: [component], former: undefined, statements: [files.provenance] };
    expect(judgeAdded(listed, { ...offered, policy: POLICY }, engine)).toMatchObject({ ok: true });
    await rewritten.publishTargets({ withoutPolicies: [JUDGING.policy.sha256] });
    const gone = accepted(readJudgingTrust({ roots, targets: rewritten.newest('targets') }, TINY_NOW));
    expect(judgeAdded(gone, { ...offered, policy: POLICY }, engine)).toMatchObject({ code: 'POLICY_MISMATCH' });
  });
});
