/**
 * What a device cannot see of a rollout, because it sees one version at a time: the publisher holds it over versions.
 *
 * - A plan needs a role that opens its waves, and is new in the version that it names.
 * - A step names the former file, and keeps anchor, joining and open waves of its plan; whether it keeps to the plan is asked of
 *   the device's own decision.
 * - A halt role names the former file, and carries on every halt of the plan in force; others may go only once the list is full.
 */
import { parseChannelPart, type ChannelPart } from '../formats/channel-part.ts';
import { decideWave } from '../formats/decide-wave.ts';
import { HALTS_MAX, parseHaltPart, type Halt, type HaltPart } from '../formats/halt.ts';
import type { Instant } from '../formats/instant.ts';
import { isSideRole, sideRole, type Side } from '../formats/names.ts';
import { planDigest, type PlanPlace } from '../formats/plan.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { accept, reject, type Rejected, type Verdict } from '../formats/verdict.ts';
import { parseWaveStep, type OpenWave, type WaveStep } from '../formats/wave-step.ts';
import { readRole } from './parsed-role.ts';
import type { Candidate } from './publication.ts';

export type RolloutsCode =
  | 'ROLLOUT_NOT_DELEGATED'
  | 'PLAN_MISMATCH'
  | 'STEP_REFUSED'
  | 'HALT_DROPPED'
  | 'WAVE_STEP_MALFORMED'
  | 'HALT_MALFORMED';
type Files = ReadonlyMap<string, Uint8Array>;
type OfChannel = { readonly candidate: Candidate; readonly place: PlanPlace; readonly now: Instant };

/** Decides it for every channel of `candidate`. @param newRoles the roles whose files are new. */
export function verifyRollouts(
  candidate: Candidate,
  newRoles: ReadonlySet<string>,
  now: Instant,
): Verdict<void, RolloutsCode> {
  for (const name of delegatedBy(candidate.roles)) {
    if (isSideRole(name)) continue;
    const of: OfChannel = { candidate, place: { ...candidate.repository, channel: name }, now };
    const checks = [
      newRoles.has(name) ? verifyPlan(of) : undefined,
      newRoles.has(sideRole(name, 'rollout')) ? verifyStep(of) : undefined,
      newRoles.has(sideRole(name, 'halt')) ? verifyHalts(of) : undefined,
    ];
    const refused = checks.find((verdict) => verdict?.ok === false);
    if (refused !== undefined) return refused;
  }
  return accept(undefined);
}

function delegatedBy(roles: Files): readonly string[] {
  return (readRole(roles.get('targets'))?.signed.delegations?.roles ?? []).map(({ name }) => name);
}

function verifyPlan({ candidate, place }: OfChannel): Verdict<void, RolloutsCode> {
  const { channel } = place;
  const now = readChannel(candidate.roles, channel);
  const plan = now?.part.plan;
  if (now === undefined || plan === undefined) return accept(undefined);
  if (!delegatedBy(candidate.roles).includes(sideRole(channel, 'rollout'))) {
    return reject('ROLLOUT_NOT_DELEGATED', `${channel} has a plan, and nobody may open its waves`);
  }
  const former = readChannel(candidate.before.roles, channel)?.part.plan;
  const isCarriedOn = former !== undefined && planDigest(former, place) === planDigest(plan, place);
  return isCarriedOn || plan.since === now.version
    ? accept(undefined)
    : reject('PLAN_MISMATCH', `the plan says since version ${plan.since}, version ${now.version} brings it first`);
}

function verifyStep(of: OfChannel): Verdict<void, RolloutsCode> {
  const { candidate, place, now } = of;
  const role = sideRole(place.channel, 'rollout');
  const step = readStep(candidate.roles, role);
  if (!step.ok) return step;
  const formerFile = candidate.before.roles.get(role);
  if (step.value.part.former !== (formerFile && sha256Hex(formerFile)))
    return broken(`${role} names another former step`);
  const former = readStep(candidate.before.roles, role);
  if (
    former.ok &&
    former.value.part.plan === step.value.part.plan &&
    !isContinued(former.value.part, step.value.part)
  ) {
    return broken(`${role} changes what the former step of this plan said`);
  }
  const plan = readChannel(candidate.roles, place.channel)?.part.plan;
  if (plan === undefined) return broken(`${role}: ${place.channel} has no plan`);
  const rollout = { step: step.value.part, expires: step.value.expires };
  const halts = readHalts(candidate.roles, place.channel);
  const device = { deviceId: undefined, since: undefined };
  const decision = decideWave({ plan, place, rollout, halts, device, now });
  return decision.kind === 'held' && decision.code !== 'WAVE_NOT_OPEN'
    ? broken(`${role}: no device would follow it: ${decision.code}: ${decision.detail}`)
    : accept(undefined);
}

/** Whether `step` keeps all that `former` said of the same plan. */
function isContinued(former: WaveStep, step: WaveStep): boolean {
  return (
    step.anchor === former.anchor &&
    step.joinsLast === former.joinsLast &&
    former.open.every((wave, index) => isSameWave(wave, step.open[index])) &&
    (former.completedAt === undefined || step.completedAt === former.completedAt)
  );
}

function isSameWave(a: OpenWave, b: OpenWave | undefined): boolean {
  const { count, merkleRoot } = a.expected;
  return a.openedAt === b?.openedAt && count === b.expected.count && merkleRoot === b.expected.merkleRoot;
}

function verifyHalts({ candidate, place }: OfChannel): Verdict<void, RolloutsCode> {
  const role = sideRole(place.channel, 'halt');
  const part = readHaltPart(candidate.roles, role);
  if (!part.ok) return part;
  const formerFile = candidate.before.roles.get(role);
  if (part.value.former !== (formerFile && sha256Hex(formerFile))) {
    return reject('HALT_DROPPED', `${role} names another former version: halt again on what is published now`);
  }
  const plan = readChannel(candidate.roles, place.channel)?.part.plan;
  const inForce = plan && planDigest(plan, place);
  const dropped = readHalts(candidate.before.roles, place.channel).find(
    (halt) =>
      !part.value.halts.some((kept) => isSameHalt(halt, kept)) &&
      (halt.plan === inForce || part.value.halts.length < HALTS_MAX),
  );
  return dropped === undefined
    ? accept(undefined)
    : reject('HALT_DROPPED', `${role} no longer halts plan ${dropped.plan.slice(0, 12)}: the quorum alone resumes`);
}

function isSameHalt(a: Halt, b: Halt): boolean {
  return a.plan === b.plan && a.at === b.at && a.reason === b.reason;
}

function readChannel(
  roles: Files,
  channel: string,
): { readonly version: number; readonly part: ChannelPart } | undefined {
  const role = readRole(roles.get(channel));
  const part = parseChannelPart(role?.signed.firmament);
  return role !== undefined && part.ok ? { version: role.signed.version, part: part.value } : undefined;
}

function readStep(
  roles: Files,
  role: string,
): Verdict<{ readonly part: WaveStep; readonly expires: Instant }, 'WAVE_STEP_MALFORMED'> {
  const signed = readRole(roles.get(role))?.signed;
  const part = parseWaveStep(signed?.firmament);
  return part.ok ? accept({ part: part.value, expires: signed?.expires ?? 0 }) : part;
}

function readHaltPart(roles: Files, role: string): Verdict<HaltPart, 'HALT_MALFORMED'> {
  return parseHaltPart(readRole(roles.get(role))?.signed.firmament);
}

function readHalts(roles: Files, channel: string): readonly Halt[] {
  const part = readHaltPart(roles, sideRole(channel, 'halt' satisfies Side));
  return part.ok ? part.value.halts : [];
}

function broken(detail: string): Rejected<'STEP_REFUSED'> {
  return reject('STEP_REFUSED', detail);
}
