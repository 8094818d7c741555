/**
 * A signing event in words: what signing it would change, who made it, who has signed and who is still needed.
 *
 * - Every word comes from the bytes that were judged; notes are set off, because nobody signs them.
 * - Each member of a channel's part has its words: one that had none would not compile.
 * - What a terminal would obey or hide is shown as an escape (`visible-text.ts`).
 */
import { equalBytes } from '../formats/bytes.ts';
import type { ChannelPart } from '../formats/channel-part.ts';
import { encodeJson } from '../formats/encode-json.ts';
import { encodeInstant } from '../formats/instant.ts';
import type { Author } from '../formats/people.ts';
import { planToJson } from '../formats/plan.ts';
import { listsRelease, parseRelease } from '../formats/release.ts';
import { releaseOf } from '../formats/names.ts';
import { standingOf, type Standing } from '../signer/event-standing.ts';
import type { Voter } from '../bootloader-verifier/boot/verify-quorum.ts';
import type { JudgedEvent, ReadChannel } from '../signer/verify-event.ts';
import type { VouchedComponent } from '../signer/verify-change.ts';
import { describeGraph } from './describe-graph.ts';
import { describePlan } from './describe-plan.ts';
import { visible, visibleLines } from './visible-text.ts';

type Words = readonly string[];

/** `judged` as lines for the person who is asked to sign. @param signedBefore what this person signed for the same version. */
export function describeEvent(judged: JudgedEvent, signedBefore: string | undefined): Words {
  const { channel, former, digest, event } = judged;
  const { version, expires } = channel.metadata.signed;
  const before = former?.metadata.signed.version;
  return [
    `${event.role} version ${version} of product ${productOf(channel)}, SHA-256 ${digest}`,
    before === undefined
      ? '  the first version of this channel'
      : `  follows version ${before}, which you can still see published`,
    `  may be published until ${encodeInstant(channel.event.notAfter)}, is valid until ${encodeInstant(expires)}`,
    ...(signedBefore === undefined || signedBefore === digest
      ? []
      : [
          `  ! you have signed another draft of this version: ${signedBefore}; withdraw it if it must not be published`,
        ]),
    'What changes:',
    ...describeChange(judged),
    ...describeStanding(judged, standingOf(judged)),
    ...(event.notes === undefined
      ? []
      : ['Notes, which nobody signs:', ...visibleLines(event.notes).map((line) => `  | ${line}`)]),
  ];
}

function productOf({ metadata }: ReadChannel): string {
  const product = metadata.signed.firmament?.get('product');
  return typeof product === 'string' ? product : 'unknown';
}

function describeChange(judged: JudgedEvent): Words {
  const { channel, former } = judged;
  const added = judged.added.flatMap((vouched) => describeAdded(vouched, judged));
  const dropped = [...(former?.metadata.signed.targets.keys() ?? [])].filter(
    (name) => !channel.metadata.signed.targets.has(name),
  );
  const releases = new Set(dropped.flatMap((name) => releaseOf(name) ?? []));
  const parts = Object.values(WORDS).flatMap((words) => words(judged));
  const gone = [...releases]
    .filter((release) => !judged.moved.includes(release))
    .map((release) => `  ! ${release} is listed no longer: devices that run it will not start it again`);
  const lines = [...added, ...gone, ...parts];
  return lines.length === 0 ? ['  nothing but version and dates'] : lines;
}

/** The words of each member of the part; a new member needs its own. */
const WORDS: { readonly [K in keyof Required<ChannelPart>]: (judged: JudgedEvent) => Words } = {
  release: ({ channel, former }) => {
    const before = former?.part.release;
    return before === channel.part.release
      ? []
      : [
          `  in force: ${channel.part.release}${before === undefined ? '' : `, before it was ${before}`}`,
          ...counters(channel, former),
        ];
  },
  minSecurityCounter: ({ channel, former }) => {
    const before = former?.part.minSecurityCounter ?? 0;
    const { minSecurityCounter } = channel.part;
    return before === minSecurityCounter
      ? []
      : [`  ! nothing with a security counter below ${minSecurityCounter} starts any more, before it was ${before}`];
  },
  revokedDigests: ({ channel, former }) =>
    channel.part.revokedDigests
      .filter((digest) => former?.part.revokedDigests.includes(digest) !== true)
      .map((digest) => `  ! revoked, starts no more: ${imageOf(channel, digest)}`),
  plan: ({ channel, former }) => planWords(channel.part, former?.part),
  graph: ({ channel, former }) => describeGraph(channel.part.graph, former?.part.graph, channel.part.release),
  history: ({ channel, moved, former }) => {
    const { history } = channel.part;
    if (history === undefined || history.sha256 === former?.part.history?.sha256) return [];
    const named = `  history version ${history.version}, SHA-256 ${history.sha256}, which you sign along`;
    return [
      ...moved.map((release) => `  - ${release} is history: who runs it starts it until something newer is confirmed`),
      named,
    ];
  },
  event: ({ channel, authors }) => [
    `  made by ${channel.event.authors.map(authorText).join(' and ')}${authors.size === 0 ? '' : ` (${[...authors].join(', ')})`}`,
  ],
};

/** The plan, where it changes; that there is none, wherever the release in force changes. */
function planWords({ plan, release }: ChannelPart, former: ChannelPart | undefined): Words {
  const isSame =
    plan === undefined
      ? former !== undefined && former.plan === undefined && former.release === release
      : former?.plan !== undefined && equalBytes(encodeJson(planToJson(plan)), encodeJson(planToJson(former.plan)));
  return isSame ? [] : describePlan(plan);
}

function authorText(author: Author): string {
  return 'person' in author ? author.person : `${visible(author.subject)} of ${visible(author.issuer)}`;
}

/** Counters that rise close the way back (rule R11). */
function counters(channel: ReadChannel, former: ReadChannel | undefined): Words {
  const now = parseRelease(channel.metadata.signed.targets, channel.part.release);
  const then = former && parseRelease(former.metadata.signed.targets, former.part.release);
  if (!now.ok || then?.ok !== true) return [];
  return now.value.components.flatMap(({ component, securityCounter }) => {
    const before = then.value.components.find((found) => found.component === component)?.securityCounter;
    return before === undefined || before === securityCounter
      ? []
      : [
          `  ! the security counter of ${component} rises from ${before} to ${securityCounter}:` +
            ` a device that has confirmed it never goes back to ${former?.part.release ?? ''}`,
        ];
  });
}

function imageOf({ metadata }: ReadChannel, digest: string): string {
  const found = [...metadata.signed.targets].find(([, { sha256 }]) => sha256 === digest)?.[0];
  return found === undefined ? digest : `${visible(found)}, SHA-256 ${digest}`;
}

function describeAdded({ release, component, provenance }: VouchedComponent, { former }: JudgedEvent): Words {
  const { source, builderId } = provenance;
  const isListed = former !== undefined && listsRelease(former.metadata.signed.targets, release);
  return [
    `  + ${release}${isListed ? ' (listed before, in part)' : ''}: ${component.component} ${component.firmwareVersion},` +
      ` security counter ${component.securityCounter}, for ${component.hardwareIds.join(', ')}`,
    `      ${component.installer === 'slot' ? 'started from a slot' : 'brought to a microcontroller'}, installed as number ${component.order}`,
    `      image ${component.image.name}, ${component.image.length} bytes, SHA-256 ${component.image.sha256}`,
    `      built twice with the same result by ${visible(builderId)}`,
    `      from ${visible(source.uri)} at ${visible(source.commit)}`,
    ...(component.vsaTarget === undefined
      ? []
      : ['      judged fit for release by a listed verifier, under the policy of this product']),
  ];
}

function describeStanding({ authors }: JudgedEvent, standing: Standing): Words {
  const { threshold, signed, open, lacksIndependent, isQuorum } = standing;
  const missing = Math.max(0, threshold - signed.length);
  const needed = isQuorum
    ? 'the quorum is complete'
    : `still needed: ${missing} more${lacksIndependent ? ', one of them with an independent key' : ''}`;
  return [
    `Who approves: ${threshold} must sign; ${needed}`,
    `  signed: ${names(signed)}`,
    `  can still sign: ${names(open)}`,
    ...(authors.size === 0 ? [] : [`  never counts: ${[...authors].join(', ')}, who made it`]),
  ];
}

function names(voters: readonly Voter[]): string {
  return voters.length === 0
    ? 'nobody'
    : voters
        .map(({ person, independent }) => `${visible(person)}${independent ? '' : ' (not independent)'}`)
        .join(', ');
}
