/**
 * The two roles beside a channel: `CHANNEL-rollout`, which opens waves, and `CHANNEL-halt`, which stops them.
 *
 * - Each is checked like every delegated role: by the snapshot, its keys, its binding (R1) and its version. It lists no targets:
 *   nothing of it can approve.
 * - Their expiry is not asked here: the end of a lease is a matter of the decision, and a halt has no end.
 */
import { parseHaltPart, type Halt } from '../../formats/halt.ts';
import type { Instant } from '../../formats/instant.ts';
import type { BindingCode } from '../../formats/binding.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import { parseWaveStep, type WaveStep } from '../../formats/wave-step.ts';
import { verifyBoundRole, type BoundTrust } from './verify-bound.ts';
import { verifyChannelRole, type TargetsCode, type TrustedTargets } from './verify-targets.ts';
import type { TrustedSnapshot } from './verify-timestamp.ts';

export type Rollout = Verified<{ readonly step: WaveStep; readonly expires: Instant }>;
export type Halts = Verified<{ readonly halts: readonly Halt[]; readonly expires: Instant }>;
export type RolloutCode = TargetsCode | BindingCode | 'WAVE_STEP_MALFORMED' | 'HALT_MALFORMED';
/** A role's file, and the targets role that delegates it. */
export type SideFile = { readonly name: string; readonly bytes: Uint8Array; readonly delegatedBy: TrustedTargets };
type Listed = BoundTrust & { readonly snapshot: TrustedSnapshot };

/** Where expiry plays no part. */
const NO_TIME = 0;

/** The wave step in `file`, which the snapshot names. */
export function verifyRolloutRole(trust: Listed, file: SideFile): Verdict<Rollout, RolloutCode> {
  const role = verifySideRole(trust, file);
  if (!role.ok) return role;
  const { firmament, expires } = role.value.signed;
  const step = parseWaveStep(firmament);
  return step.ok ? accept(markVerified({ step: step.value, expires })) : step;
}

/** The halts in `file`, which the snapshot names. */
export function verifyHaltRole(trust: Listed, file: SideFile): Verdict<Halts, RolloutCode> {
  const role = verifySideRole(trust, file);
  if (!role.ok) return role;
  const part = parseHaltPart(role.value.signed.firmament);
  const { expires } = role.value.signed;
  return part.ok ? accept(markVerified({ halts: part.value.halts, expires })) : part;
}

function verifySideRole(trust: Listed, { name, bytes, delegatedBy }: SideFile): Verdict<TrustedTargets, RolloutCode> {
  const role = verifyBoundRole(
    { ...trust, now: NO_TIME },
    { name, bytes, verify: (file) => verifyChannelRole(delegatedBy, { name, bytes: file }, trust) },
  );
  if (!role.ok) return role;
  return role.value.signed.targets.size === 0
    ? role
    : reject('TARGET_NAME_REFUSED', `${name} opens and stops waves, it lists no targets`);
}
