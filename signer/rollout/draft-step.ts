/**
 * The content of the two roles beside a channel: wave steps, which the signer signs, and halts, which a manager signs.
 *
 * - Each version names the former file by digest; a step keeps anchor and open waves of its plan, halts carry on those before.
 */
import { bindingToJson, type RepositoryId } from '../../formats/binding.ts';
import { haltPartToJson, HALTS_MAX, parseHaltPart, type Halt } from '../../formats/halt.ts';
import type { Instant } from '../../formats/instant.ts';
import type { JsonValue } from '../../formats/json.ts';
import { sideRole } from '../../formats/names.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseTargets, targetsToJson } from '../../formats/tuf-targets.ts';
import { waveStepToJson, type WaveStep } from '../../formats/wave-step.ts';

/** The role to write, and its newest file; undefined for the first version. */
export type SideDraft = {
  readonly repository: RepositoryId;
  readonly channel: string;
  readonly former: Uint8Array | undefined;
  readonly expires: Instant;
  /** By default the one after the former; a higher one passes over what an interrupted run left behind. */
  readonly version?: number | undefined;
};

/** The `signed` part of the next version of a rollout role. */
export function stepContent(draft: SideDraft, step: Omit<WaveStep, 'former'>): JsonValue {
  const part = waveStepToJson({ ...step, former: draft.former && sha256Hex(draft.former) });
  return sideContent(draft, sideRole(draft.channel, 'rollout'), part);
}

/** The `signed` part of the next version of a halt role: the former halts and `halt`. */
export function haltContent(draft: SideDraft, halt: Halt): JsonValue {
  const halts = [...formerHalts(draft.former), halt].slice(-HALTS_MAX);
  const part = haltPartToJson({ halts, former: draft.former && sha256Hex(draft.former) });
  return sideContent(draft, sideRole(draft.channel, 'halt'), part);
}

function sideContent(
  { repository, former, expires, version }: SideDraft,
  role: string,
  part: readonly (readonly [string, JsonValue])[],
): JsonValue {
  return targetsToJson({
    type: 'targets',
    version: version ?? nextVersion(former),
    expires,
    firmament: bindingToJson({ ...repository, role }, part),
    targets: new Map(),
    delegations: undefined,
  });
}

/** The version after that of `former`. */
export function nextVersion(former: Uint8Array | undefined): number {
  const parsed = former && parseTargets(former);
  return (parsed?.ok === true ? parsed.value.signed.version : 0) + 1;
}

/** What a halt role's file halts; none if there is none. */
function formerHalts(former: Uint8Array | undefined): readonly Halt[] {
  const parsed = former && parseTargets(former);
  const part = parsed?.ok === true ? parseHaltPart(parsed.value.signed.firmament) : undefined;
  return part?.ok === true ? part.value.halts : [];
}
