/**
 * The codes of keeping a published repository whole: what `firmament fsck` names, and what mirrors, backups and collections refuse.
 * A group of the table in `codes.ts`.
 *
 * - Those that only warn say so in their meaning: the repository is whole all the same.
 */

export const CARE = {
  REPOSITORY_DAMAGED: {
    means: 'objects of a published repository are missing or not what was signed',
    todo: 'see the findings: bring back what is lost or changed from a mirror or a copy of the store, renew what has expired, remove what stands in the way',
  },
  PUBLICATION_UNFINISHED: {
    means:
      'a warning: the store shows less than was about to be published, as after a cut or a store that was set back',
    todo: 'publish or refresh again, which finishes it; if it comes back, the store was set back: restore it',
  },
  OBJECT_ORPHANED: {
    means: 'a warning: nothing that is published names this object any more, or not yet',
    todo: 'none; firmament gc removes it once it is old enough',
  },
  OBJECT_FOREIGN: {
    means: 'a warning: an object that no repository of ours has lies among its objects',
    todo: 'find out who put it there, and move it away',
  },
  SIGNER_STATE_RESTORED: {
    means:
      'the state of the signer was restored from a backup, and nobody has confirmed yet what was newest when it was lost (R6)',
    todo: 'run firmament resume: it compares with the store and with mirrors, and says what is to be confirmed',
  },
  SIGNER_STATE_MOVED: {
    means: 'the state of the signer has moved into the memory of a deployment, or is on its way there',
    todo: 'use the signer of that deployment; a move that was cut is finished by running firmament adopt again',
  },
  RESUME_UNCONFIRMED: {
    means: 'what would be taken as the newest that was ever published is not confirmed',
    todo: 'compare what is shown with mirrors, witnesses, devices and people; then run it again with --confirm and the digest',
  },
  BACKUP_MALFORMED: {
    means: 'a file is no whole backup: it was cut, altered, or made by something else',
    todo: 'take another copy of it, or an older backup',
  },
  BACKUP_MISMATCH: {
    means: 'a backup is not the one that was asked for by its digest, or it is from the future',
    todo: 'take the file whose digest was noted when it was made; check the clock',
  },
  EXPIRY_NEAR: {
    means: 'a warning: a role expires soon',
    todo: 'have its holders sign the next version, or see why the signer does not refresh',
  },
  SIGNER_KEY_MISSING: {
    means: 'a warning: the signer holds too few keys of a role that it signs, the log included',
    todo: 'start it with the key, or replace a lost one by a new root or targets file, before the role is due',
  },
  ROLE_BELOW_QUORUM: {
    means: 'a role lists fewer distinct keys than its threshold demands: it can never be signed again',
    todo: 'have those who delegate it list more keys',
  },
} as const;
