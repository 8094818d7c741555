/**
 * Attacks on a rollout: a device is to be brought into a wave that is not its own, or that is not due.
 *
 * - The victim waits for the second wave of a plan that people signed; the attacker owns what it would need to open it.
 */
import { cohortOf } from '../formats/cohort.ts';
import { sideRole } from '../formats/names.ts';
import { parseChannelPart } from '../formats/channel-part.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { encodeUtf8 } from '../formats/bytes.ts';
import { parseTargets } from '../formats/tuf-targets.ts';
import { parseWaveStep, type WaveStep } from '../formats/wave-step.ts';
import { signMetadata } from '../signer/add-signature.ts';
import { stepContent } from '../signer/rollout/draft-step.ts';
import type { Signer } from '../signer/signer.ts';
import type { Attack, Scene } from './attacks.ts';
import { must, type Forgery } from './forgery.ts';
import { CHANNEL } from './stage.ts';

const ROLLOUT = sideRole(CHANNEL, 'rollout');
const LEASE_MS = 300_000;
const ANCHORS_MAX = 10_000;

export const ROLLOUT_ATTACKS: readonly Attack[] = [
  {
    name: 'a device placed into a wave by the server',
    expected: 'METADATA_THRESHOLD_UNMET',
    victim: 'held',
    from: 'planned',
    prepare: async (forgery, scene) => {
      const { step, bound } = await readStep(forgery);
      const { plan: planSha256 } = step;
      const anchor = Array.from({ length: ANCHORS_MAX }, (_, i) => sha256Hex(encodeUtf8(`anchor ${i}`))).find(
        (tried) => cohortOf({ planSha256, anchor: tried, deviceId: scene.heldId }) < bound,
      );
      if (anchor === undefined) throw new Error('some anchor draws the victim into the first wave');
      await serveStep(forgery, scene, { step: { ...step, anchor }, signer: scene.holders.snapshot });
    },
  },
  {
    name: 'a wave opened before its soak',
    expected: 'WAVE_TOO_EARLY',
    victim: 'held',
    from: 'planned',
    prepare: async (forgery, scene) => {
      const { step } = await readStep(forgery);
      const [first] = step.open;
      if (first === undefined) throw new Error('a wave is open');
      const open = [first, { ...first, openedAt: Math.floor(scene.now / 1000) * 1000 }];
      await serveStep(forgery, scene, { step: { ...step, open }, signer: scene.holders.rollout });
    },
  },
];

async function readStep(forgery: Forgery): Promise<{ readonly step: WaveStep; readonly bound: number }> {
  const step = must(parseWaveStep(must(parseTargets(await forgery.newest(ROLLOUT))).signed.firmament));
  const channel = must(parseTargets(await forgery.newest(CHANNEL))).signed;
  const { plan } = must(parseChannelPart(channel.firmament));
  return { step, bound: plan?.waves[0]?.cohortBp ?? 0 };
}

async function serveStep(
  forgery: Forgery,
  { repository, now }: Scene,
  { step, signer }: { readonly step: WaveStep; readonly signer: Signer },
): Promise<void> {
  const former = await forgery.newest(ROLLOUT);
  const draft = { repository, channel: CHANNEL, former, expires: Math.floor((now + LEASE_MS) / 1000) * 1000 };
  await forgery.serveUnlogged(ROLLOUT, await signMetadata(stepContent(draft, step), [signer]));
}
