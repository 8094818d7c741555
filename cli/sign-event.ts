/**
 * Signing an event on one's own machine: judge, show, ask, sign, remember.
 *
 * - Judged from the bytes as read once; what is shown and what is signed are these same bytes, whatever lies on disk afterwards.
 * - The tool remembers, beside the key, what it has seen: no server can show this person an older world again.
 * - What is refused as withdrawn is remembered, too: a server that hides the withdrawal later gains nothing.
 */
import type { SigningEvent } from '../formats/signing-event.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { standingOf } from '../signer/event-standing.ts';
import type { KeyHolderMemoryFile } from '../signer/key-holder-memory-file.ts';
import { rememberSeen, rememberSigned, rememberWithdrawn, type Seen } from '../signer/key-holder-memory.ts';
import { digestOf, signEvent } from '../signer/sign-event.ts';
import { verifyEvent, type JudgedEvent } from '../signer/verify-event.ts';
import { describeEvent } from './describe-event.ts';
import { openKeyHolderMemory, readChannelFile, readEvent, replaceEvent, type KnownRepository } from './event-files.ts';
import { readInput, readOptional } from './files.ts';
import { judgeEvent } from './judge-event.ts';
import { openSigner } from './open-signer.ts';
import type { Answer, Host } from './verb.ts';

export type SignEventOptions = {
  readonly event: string;
  readonly key: string;
  readonly passphraseFile?: string;
  /** Root 1, where this person's tool has not seen the repository yet. */
  readonly rootOne?: string;
  /** The newest file of the channel that the person knows to be published. */
  readonly published?: string;
  /** The digest that people agreed on by other ways. */
  readonly digest?: string;
  /** The policy that people signed, to judge by again. */
  readonly policy?: string;
};

/** Signs the event in `options.event`. @param isWanted asks the person, once the change is shown. */
export async function signEventFile(
  options: SignEventOptions,
  host: Host,
  isWanted: () => Promise<boolean>,
): Promise<Verdict<Answer>> {
  const event = await readEvent(options.event);
  if (!event.ok) return event;
  const known = await openKeyHolderMemory(event.value, { key: options.key, rootOne: options.rootOne });
  if (!known.ok) return known;
  const judged = await judge(event.value, options, { known: known.value, host });
  if (!judged.ok) return judged;
  const { file } = known.value;
  const memory = await file.update((before) => rememberSeen(before, seenIn(judged.value)));
  const { role } = event.value;
  const { version } = judged.value.channel.metadata.signed;
  const before = memory.signed.get(role);
  const lines = describeEvent(judged.value, before?.version === version ? before.sha256 : undefined);
  const { repository } = memory;
  const again = await judgeEvent(judged.value, await readOptional(options.policy), repository);
  if (!again.ok) return again;
  host.say(`You are about to sign:\n${[...lines, ...again.value].join('\n')}\n`);
  if (!(await isWanted())) return reject('SIGNING_DECLINED', 'nothing was signed');
  return sign(judged.value, options, { file, host });
}

/** The verdict on the event; what it says of withdrawal is kept. */
async function judge(
  event: SigningEvent,
  options: SignEventOptions,
  { known, host }: { readonly known: KnownRepository; readonly host: Host },
): Promise<Verdict<JudgedEvent>> {
  const { memory, file } = known;
  const published = await readChannelFile(options.published);
  const judged = verifyEvent(event, { memory, now: host.now(), published, digest: options.digest });
  const named = digestOf(event);
  if (!judged.ok && judged.code === 'EVENT_WITHDRAWN' && named.ok) {
    await file.update((before) => rememberWithdrawn(before, { role: event.role, ...named.value }));
  }
  return judged;
}

function seenIn({ event, root, targets, former }: JudgedEvent): Seen {
  const published =
    former === undefined || event.former === undefined
      ? undefined
      : { version: former.metadata.signed.version, sha256: sha256Hex(event.former) };
  return {
    root: { version: root.metadata.signed.version, sha256: root.sha256 },
    targetsVersion: targets.signed.version,
    role: event.role,
    published,
  };
}

async function sign(
  judged: JudgedEvent,
  options: SignEventOptions,
  { file, host }: { readonly file: KeyHolderMemoryFile; readonly host: Host },
): Promise<Verdict<Answer>> {
  const { key, passphraseFile } = options;
  const signer = await openSigner(await readInput(key), { file: key, passphraseFile }, host);
  if (!signer.ok) return signer;
  const signed = await signEvent(judged, signer.value);
  if (!signed.ok) return signed;
  await replaceEvent(options.event, signed.value);
  const { version } = judged.channel.metadata.signed;
  const { digest, event } = judged;
  await file.update((memory) => rememberSigned(memory, event.role, { version, sha256: digest }));
  const standing = standingOf(judged, signed.value);
  const signedBy = standing.signed.map(({ person }) => person);
  const { isQuorum } = standing;
  const facts = { file: options.event, keyid: signer.value.keyid, event: digest, signedBy, isQuorum };
  const next = isQuorum ? 'its quorum is complete' : `${standing.threshold - signedBy.length} more must sign`;
  return accept({ facts, text: `${options.event}: signed by ${signedBy.join(', ')}; ${next}` });
}
