/**
 * Whether the people who signed a channel are a quorum: distinct people, none of them the author, one with an independent key.
 *
 * - It comes after the threshold of TUF, which counts keys; here people are counted, by the list that the targets role signed.
 * - Where that list stands, a channel names its authors, and each of them is somebody on the list (rule R2).
 * - A person counts once, with however many keys; a key that belongs to nobody, or to two people, counts for nobody.
 * - An author's key never counts, nor makes the quorum independent.
 */
import type { ChannelEvent } from '../../formats/channel-event.ts';
import { personOf, type Author, type Person } from '../../formats/people.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { keyFingerprint } from '../../formats/tuf-key.ts';
import type { Metadata } from '../../formats/tuf-metadata.ts';
import type { Delegations } from '../../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';

export type QuorumCode = 'EVENT_MISSING' | 'AUTHOR_UNKNOWN' | 'QUORUM_UNMET';
/** Somebody who may sign a role: with how many keys does not matter, with which kind does. */
export type Voter = { readonly person: string; readonly independent: boolean };
/** A channel as it stands: its name, what was signed, and the event in it. */
type Approved = {
  readonly name: string;
  readonly metadata: Metadata<unknown>;
  readonly event: ChannelEvent | undefined;
};

/**
 * Decides whether a quorum of people approved `channel`, whose threshold of keys is met.
 * @param by.delegations who may sign it, as the targets role says.
 * @param by.people the list of the targets role; without one the threshold of keys is all that is demanded.
 */
export function verifyQuorum(
  channel: Approved,
  by: { readonly delegations: Delegations | undefined; readonly people: readonly Person[] | undefined },
  check: SignatureCheck,
): Verdict<void, QuorumCode> {
  const { name, metadata, event } = channel;
  const { delegations, people } = by;
  if (people === undefined || delegations === undefined) return accept(undefined);
  if (event === undefined) return reject('EVENT_MISSING', `${name} does not say who made it`);
  const authors = authorsOf(event.authors, people);
  if (!authors.ok) return authors;
  const signed = votersOf({ name, delegations, people }, signersOf(metadata, delegations, check));
  const counted = signed.filter(({ person }) => !authors.value.has(person));
  const threshold = delegations.roles.find((role) => role.name === name)?.threshold ?? Infinity;
  if (counted.length < threshold) {
    return reject('QUORUM_UNMET', `${name}: ${counted.length} of ${threshold} people who are not its author`);
  }
  return counted.some(({ independent }) => independent)
    ? accept(undefined)
    : reject('QUORUM_UNMET', `${name}: nobody but its author has signed with an independent key`);
}

/** The people behind `authors`. */
export function authorsOf(
  authors: readonly Author[],
  people: readonly Person[],
): Verdict<ReadonlySet<string>, 'AUTHOR_UNKNOWN'> {
  const found = authors.map((author) => personOf(author, people));
  const known = found.filter((person) => person !== undefined);
  return known.length === found.length
    ? accept(new Set(known))
    : reject('AUTHOR_UNKNOWN', 'an author of the channel is nobody on the list of people');
}

/**
 * The people whose keys the role lists, in the order of the list, each once.
 * @param keyids only these keys of the role; independent is who has an independent one among them.
 */
export function votersOf(
  role: { readonly name: string; readonly delegations: Delegations; readonly people: readonly Person[] },
  keyids: ReadonlySet<string>,
): readonly Voter[] {
  const { name, people } = role;
  const { keys, roles } = role.delegations;
  const listed = roles.find((delegated) => delegated.name === name)?.keyids ?? [];
  const fingerprintOf = (keyid: string): string => {
    const key = keys.get(keyid);
    return key === undefined ? '' : keyFingerprint(key);
  };
  const isShared = (keyid: string, { person }: Person): boolean =>
    people.some(
      (other) => other.person !== person && other.keys.some((key) => fingerprintOf(key.keyid) === fingerprintOf(keyid)),
    );
  return people.flatMap((person) => {
    const own = person.keys.filter(
      ({ keyid }) => listed.includes(keyid) && keyids.has(keyid) && keys.has(keyid) && !isShared(keyid, person),
    );
    return own.length === 0 ? [] : [{ person: person.person, independent: own.some((key) => key.independent) }];
  });
}

/** The ids of the keys that have validly signed, each asked about as often as it stands there. */
export function signersOf(
  { signatures, signedBytes }: Metadata<unknown>,
  { keys }: Delegations,
  check: SignatureCheck,
): ReadonlySet<string> {
  const valid = signatures.filter(({ keyid, sig }) => {
    const key = keys.get(keyid);
    return key !== undefined && sig !== undefined && check(key, signedBytes, sig);
  });
  return new Set(valid.map(({ keyid }) => keyid));
}
