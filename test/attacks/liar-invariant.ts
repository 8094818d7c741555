/**
 * The invariants by name: what the liar must never bring about. Each is shown to bite by a product that is broken on purpose
 * (`liar-broken.ts`).
 */
import { parseChannelPart, type ChannelPart } from '../../formats/channel-part.ts';
import { planDigest, type Plan } from '../../formats/plan.ts';
import { parseTargets, type TargetFile } from '../../formats/tuf-targets.ts';
import { accepted } from '../accepted.ts';
import type { TinyRepository } from '../tiny-repository.ts';

export const INVARIANTS = {
  IMAGE_OF_NOBODY: 'a device ran an image that nobody approved for its product',
  BELOW_FLOOR: 'a device ran what lies below its floor',
  FLOOR_FELL: 'a floor of a device has fallen',
  BRICKED: 'a device that had something to run runs nothing',
  OUT_OF_WAVE: 'a device took a planned release although its wave was not open',
  OFF_THE_WAY: 'a device took a step that no channel of its people allows from what it ran',
  GIVEN_UP: 'a device tried what every channel that leads there revokes, or puts below the least counter',
  WRITTEN_ELSEWHERE: 'the signer wrote where nothing of its products lies',
  NAME_REWRITTEN: 'the signer wrote two contents under one name',
  VERSION_FELL: 'what the signer shows as newest has become older, or says two things in one version',
  NAMED_OF_NOBODY: 'a timestamp or snapshot names a file that the signer never wrote',
  ROLE_OF_NOBODY: 'a role was published or named that nobody approved for its product',
  TARGET_OF_NOBODY: 'a target was published that is in no release of its product, or not what its name says',
  LOG_OF_NOBODY: 'the log holds what nobody approved for its product',
  LOG_TWO_FACES: 'the log has two faces at one size, or has become shorter',
  STEP_UNPLANNED: 'a wave was opened for a plan that nobody approved',
  STEP_EARLY: 'a wave opened, or a rollout was completed, before its time',
  STEP_OF_OTHERS: 'a wave expects others than those of the fleet whose cohort lies in it',
  STEP_UNCONFIRMED: 'a wave opened although a device before it had not confirmed',
  STEP_HALTED: 'a wave was opened, renewed or completed although one of its people had halted the plan',
  WORD_LOST: 'a word that was acknowledged is lost',
  WORD_UNSAID: 'the books hold a word that no device said',
  WORD_TWICE: 'the books count one word of a device twice',
  CERTIFICATE_OF_NOBODY: 'a certificate was issued for a device that is none of the fleet',
  CERTIFICATE_KEY: 'a certificate was issued for a key that its device never made',
  CERTIFICATE_BOOT: 'a certificate was issued for a release that its device did not run',
  FORKED: 'the liar has ended an identity for ever',
  TOLD_OTHERWISE: 'a tool signed what its person was not told of',
  SHOWN_OTHERWISE: 'a tool signed what it did not show, or what was withdrawn',
  REDIRECTED: 'a client of a device followed a redirect',
  BUG: 'the liar has found a bug of the signer or its front',
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** Throws unless it `holds`. @param where what of, for whoever looks for the reason. */
export function demand(holds: boolean, invariant: Invariant, where = ''): asserts holds {
  if (!holds) throw new Error(`INVARIANT ${invariant}: ${INVARIANTS[invariant]}: ${where}`);
}

/** A channel file as people signed it. */
export type SignedChannel = {
  readonly version: number;
  readonly part: ChannelPart;
  readonly targets: ReadonlyMap<string, TargetFile>;
};

const read = new WeakMap<Uint8Array, SignedChannel>();

/** Every version of `stable` that the people of `repository` have signed. */
export function channelsOf({ files }: TinyRepository): readonly SignedChannel[] {
  return [...files]
    .filter(([name]) => name.endsWith('.stable.json'))
    .map(([, bytes]) => {
      const known = read.get(bytes) ?? readChannel(bytes);
      read.set(bytes, known);
      return known;
    });
}

function readChannel(bytes: Uint8Array): SignedChannel {
  const { signed } = accepted(parseTargets(bytes));
  return { version: signed.version, part: accepted(parseChannelPart(signed.firmament)), targets: signed.targets };
}

/** The plan of that digest, as people signed it. */
export function planOf(repository: TinyRepository, sha256: string): Plan | undefined {
  const place = { ...repository.id, channel: 'stable' };
  return channelsOf(repository)
    .map(({ part }) => part.plan)
    .find((plan) => plan !== undefined && planDigest(plan, place) === sha256);
}
