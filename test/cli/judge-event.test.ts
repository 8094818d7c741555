/** R4 at the key holder: what a channel adds is judged again on the holder's own machine, by the policy that people signed. */
import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { judgeEvent } from '../../cli/judge-event.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { verifyEvent, type JudgedEvent } from '../../signer/verify-event.ts';
import { accepted } from '../accepted.ts';
import { listPeople, type TinyEvents } from '../tiny-event.ts';
import { tinyComponent } from '../tiny-release.ts';
import { makeTinyRepository } from '../tiny-repository.ts';
import { signedVsa, tinyVerifier, tinyVsa } from '../tiny-vsa.ts';

const SHIPPED = new Uint8Array(await readFile(new URL('../../policies/release.cedar', import.meta.url)));
/** A policy that the owners changed since the release was judged: what it demands, nobody has. */
const STRICTER = encodeUtf8(
  '@id("rebuilt") @reason("another administration must have built the same image")' +
    ' permit (principal, action, resource) when { context.independentRebuilds >= 1 };',
);

let tiny: TinyEvents;
let judged: JudgedEvent;

/** An event whose release was judged by `policy`, which is the one in force. */
async function eventUnder(policy: Uint8Array): Promise<JudgedEvent> {
  tiny = await listPeople(await makeTinyRepository({ channels: ['stable'], isJudged: true }));
  const { repository } = tiny;
  const policySha256 = sha256Hex(policy);
  await repository.publishTargets({ policySha256 });
  const [builder = tinyVerifier()] = repository.signers.get('builder') ?? [];
  const { draft, provenance } = await tinyComponent('2.0.0', builder, { securityCounter: 2 });
  const image = { ...draft.image, name: `2.0.0/gateway/${draft.image.file}` };
  const said = { ...draft, image, provenanceTarget: { ...draft.provenance, name: '' } };
  const summary = await signedVsa(tinyVsa(repository.id, said, policySha256));
  const vsa = { file: 'image.js.vsa.json', length: summary.length, sha256: sha256Hex(summary) };
  const release = { name: '2.0.0', components: [{ ...draft, vsa }] };
  const event = await tiny.event({ draft: { release }, parts: { evidence: [provenance, summary] } });
  return accepted(verifyEvent(event, { memory: tiny.memory, now: repository.now }));
}

beforeAll(async () => {
  judged = await eventUnder(SHIPPED);
});

const again = (policy: Uint8Array | undefined, event = judged): ReturnType<typeof judgeEvent> =>
  judgeEvent(event, policy, tiny.repository.id);

test('the reasons of the policy that people signed are told before anybody is asked', async () => {
  expect(accepted(await again(SHIPPED)).join('\n')).toMatch(/Judged again[^]*gateway: built-twice: a listed builder/);
});

test('another policy than the one that people signed judges nothing', async () => {
  expect(await again(STRICTER)).toMatchObject({ ok: false, code: 'POLICY_MISMATCH' });
});

test('a person without the policy is told that nothing was judged here', async () => {
  expect(accepted(await again(undefined))).toEqual([expect.stringMatching(/! not judged again on this machine/)]);
});

test('what the policy denies is refused with its reasons, although a verifier has signed a summary', async () => {
  const denied = await eventUnder(STRICTER);
  expect(await again(STRICTER, denied)).toMatchObject({
    code: 'JUDGEMENT_DENIED',
    detail: expect.stringMatching(/another administration must have built/) as string,
  });
});
