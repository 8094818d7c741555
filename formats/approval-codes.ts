/** The codes of approval by people: authors, quorums, signing events (R2, R4, R5); a part of the table in `codes.ts`, whose rules hold here. */
export const APPROVAL = {
  EVENT_MISSING: {
    means: 'the channel does not say what it follows and who made it, where the targets role lists people (R5)',
    todo: 'draft it again, naming its authors',
  },
  AUTHOR_UNKNOWN: {
    means: 'an author of the channel is nobody on the list of people (R2)',
    todo: 'list the person, or the subject, in the targets role',
  },
  QUORUM_UNMET: {
    means: 'too few people other than the author have signed, or none with an independent key (R2)',
    todo: 'collect the signature of another person',
  },
  EVENT_MALFORMED: {
    means: 'a signing event, or a withdrawal in it, is not of its form',
    todo: 'draft it again with firmament channel-draft',
  },
  EVENT_STALE: {
    means: 'a draft does not follow what is published, or an older state of the world is shown (R5)',
    todo: 'draft the same change again with firmament rebase, and sign again',
  },
  EVENT_EXPIRED: {
    means: 'a draft is past the time until which it might be published (R5)',
    todo: 'draft it again with firmament rebase, and sign again',
  },
  EVENT_WITHDRAWN: {
    means: 'a signer has withdrawn this draft, which is for ever (R5)',
    todo: 'none: what is wanted after all is drafted anew',
  },
  EVENT_MISMATCH: {
    means: 'the draft is not the one whose digest people agreed on (R4)',
    todo: 'ask by other ways which digest is meant, and where this draft comes from',
  },
  AUTHOR_NEVER_COUNTS: {
    means: 'the author of a change would approve it (R2)',
    todo: 'have another person sign',
  },
  REPOSITORY_UNKNOWN: {
    means: 'the tool of this key holder has never seen this repository',
    todo: 'name root 1 once, from a source that you trust, with --root-one',
  },
} as const;
