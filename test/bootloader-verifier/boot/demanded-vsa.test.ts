/** Where people list verifiers, no image boots without the summary of its judgement: from flash, over the network, and when published. */
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyBundle } from '../../../bootloader-verifier/boot/verify-bundle.ts';
import type { BootBundle, ComponentEvidence } from '../../../formats/boot-bundle.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import { makeFaultStore } from '../../../simulation/fault-store.ts';
import { simulatedImage } from '../../../simulation/simulated-device.ts';
import { accepted } from '../../accepted.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { allChanges, optionsFor, publishAll } from '../../signer/publishing.ts';
import { makeTinyDevice, rememberingCheck, steps } from '../../tiny-device.ts';
import type { ComponentOptions } from '../../tiny-release.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';
import { signedVsa, tinyJudging } from '../../tiny-vsa.ts';

const check = rememberingCheck();
let repository: TinyRepository;
let evidence: ComponentEvidence;

beforeAll(async () => {
  repository = await makeTinyRepository({ isJudged: true });
  const { provenance, vsa } = componentOf(repository);
  evidence = { component: 'gateway', provenance, vsa };
});

function componentOf(of: TinyRepository): { readonly provenance: Uint8Array; readonly vsa?: Uint8Array | undefined } {
  return of.releases.get('1.0.0')?.components[0] ?? expect.unreachable();
}

function judge(of: TinyRepository, change: Partial<BootBundle> = {}): string {
  const permit = verifyBundle(of.bundle('1.0.0', change), of.device({ check }));
  return permit.ok ? 'accepted' : permit.code;
}

/** How a release fares whose summary is made by `vsa`. */
async function outcome(vsa: ComponentOptions['vsa']): Promise<string> {
  const first = vsa === undefined ? {} : { vsa };
  return judge(await makeTinyRepository({ isJudged: true, first }));
}

describe('from flash alone', () => {
  test('a release with the summary of a listed verifier boots', () => {
    expect(judge(repository)).toBe('accepted');
  });

  test('a release without one does not, whoever has signed it', async () => {
    expect(await outcome(() => Promise.resolve(undefined))).toBe('VSA_MISSING');
  });

  test('a boot bundle that leaves it out does not', () => {
    const { component, provenance } = evidence;
    expect(judge(repository, { evidence: [{ component, provenance }] })).toBe('VSA_MISSING');
  });

  test('another file than the one that the channel names does not count, although the verifier signed it', async () => {
    const other = await makeTinyRepository({
      isJudged: true,
      first: { vsa: (vsa) => signedVsa({ ...vsa, timeVerified: vsa.timeVerified + 1000 }) },
    });
    const vsa = componentOf(other).vsa;
    expect(judge(repository, { evidence: [{ ...evidence, vsa }] })).toBe('EVIDENCE_MISMATCH');
  });

  test.each<readonly [string, string, NonNullable<ComponentOptions['vsa']>]>([
    ['by nobody who is listed', 'VSA_SIGNATURE_INVALID', (vsa) => signedVsa(vsa, seededSigner('stranger'))],
    ['that says the image is unfit', 'VSA_FAILED', (vsa) => signedVsa({ ...vsa, result: 'FAILED' })],
    [
      'of another image',
      'VSA_MISMATCH',
      (vsa) => signedVsa({ ...vsa, subjects: [{ name: 'x', sha256: '11'.repeat(32) }] }),
    ],
    [
      'by another policy',
      'VSA_MISMATCH',
      (vsa) => signedVsa({ ...vsa, policy: { ...vsa.policy, sha256: '11'.repeat(32) } }),
    ],
    ['over another provenance', 'VSA_MISMATCH', (vsa) => signedVsa({ ...vsa, inputAttestations: ['11'.repeat(32)] })],
    [
      'that saw a lower counter',
      'VSA_MISMATCH',
      (vsa) => signedVsa({ ...vsa, judged: { ...vsa.judged, securityCounter: 0 } }),
    ],
    ['that is no envelope', 'ENVELOPE_MALFORMED', () => Promise.resolve(Uint8Array.of(0x7b, 0x7d))],
  ])('a summary %s does not count, even where the quorum named it', async (_, code, vsa) => {
    expect(await outcome(vsa)).toBe(code);
  });

  test('a summary of the same image in another repository does not count', async () => {
    const other = await makeTinyRepository({ isJudged: true, seed: 'other' });
    const { vsa } = componentOf(other);
    expect(await outcome(() => Promise.resolve(vsa))).toBe('VSA_MISMATCH');
  });

  test('each component needs one of its own', async () => {
    const hub = { component: 'hub', hardwareId: 'hub-1', installer: 'transfer' } as const;
    const of = (isJudged: boolean): ComponentOptions => ({
      ...{ component: 'hub', hardwareIds: ['hub-1'], installer: 'transfer' },
      ...(isJudged ? {} : { vsa: () => Promise.resolve(undefined) }),
    });
    const both = { parts: [hub], isJudged: true };
    expect(judge(await makeTinyRepository({ ...both, first: { components: [{}, of(true)] } }))).toBe('accepted');
    expect(judge(await makeTinyRepository({ ...both, first: { components: [{}, of(false)] } }))).toBe('VSA_MISSING');
  });

  test('an older targets file, from before anybody could judge, does not take the demand away', async () => {
    const own = await makeTinyRepository();
    const targets = own.newest('targets');
    const bundle = repository.bundle('1.0.0', { targets });
    expect(verifyBundle(bundle, repository.device({ check }))).toMatchObject({ code: 'VSA_SIGNATURE_INVALID' });
  });

  test('a summary that no channel names has no place in a boot bundle', async () => {
    const plain = await makeTinyRepository();
    const { provenance } = componentOf(plain);
    expect(judge(plain)).toBe('accepted');
    expect(judge(plain, { evidence: [{ ...evidence, provenance }] })).toBe('EVIDENCE_MISMATCH');
  });
});

describe('over the network', () => {
  test('a device fetches the summary, installs, and starts from flash by it', async () => {
    const served = await makeTinyRepository({ isJudged: true, first: { image: simulatedImage('one', 'healthy') } });
    const device = await makeTinyDevice(served);
    await device.live();
    expect(await device.start()).toMatchObject({ slot: expect.stringMatching(/a|b/) as string });
    expect(device.network.requests.some(({ name }) => name.endsWith('.vsa.json'))).toBe(true);
  });

  test('a server that changes the summary keeps the device from nothing but the update', async () => {
    const served = await makeTinyRepository({ isJudged: true, first: { image: simulatedImage('one', 'healthy') } });
    const device = await makeTinyDevice(served);
    await device.live();
    await served.publishRelease({ image: simulatedImage('two', 'healthy') });
    for (const [name, bytes] of served.files) {
      if (name.includes('2.0.0') && name.endsWith('.vsa.json')) served.files.set(name, bytes.toReversed());
    }
    expect(steps(await device.live())).toContain('poll EVIDENCE_MISMATCH');
    expect(device.runs.at(-1)?.sha256).toBe(sha256Hex(simulatedImage('one', 'healthy')));
  });
});

describe('the publisher', () => {
  test('publishes what was judged, and nothing that was not', async () => {
    const own = await makeTinyRepository({ isJudged: true });
    const publisher = makeFaultStore();
    accepted(await publishAll(own, publisher));
    await own.publishRelease({ vsa: () => Promise.resolve(undefined) });
    const refusal = await publishChanges(optionsFor(own, publisher), allChanges(own));
    expect(refusal).toMatchObject({
      code: 'PUBLICATION_REFUSED',
      detail: expect.stringMatching(/VSA_MISSING/) as string,
    });
  });

  test('does not begin to demand judgements while a release in force has none', async () => {
    const own = await makeTinyRepository();
    const publisher = makeFaultStore();
    accepted(await publishAll(own, publisher));
    await own.publishTargets({ verifiers: tinyJudging().verifiers, policySha256: tinyJudging().policy.sha256 });
    const refusal = await publishChanges(optionsFor(own, publisher), allChanges(own));
    expect(refusal).toMatchObject({
      code: 'PUBLICATION_REFUSED',
      detail: expect.stringMatching(/VSA_MISSING/) as string,
    });
  });
});
