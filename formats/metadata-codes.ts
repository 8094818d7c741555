/** The codes of TUF metadata: a part of the table in `codes.ts`, whose rules hold here. */
export const METADATA = {
  METADATA_TYPE_MISMATCH: {
    means: 'metadata of one type stands where another belongs',
    todo: 'check what the server serves at this name',
  },
  METADATA_EXPIRED: {
    means: 'metadata is past its expiry',
    todo: 'have its role sign a new version; on a device, check the clock',
  },
  METADATA_TOO_LARGE: {
    means: 'a file is longer than its role allows or its parent says',
    todo: 'check the server: it may send endless data',
  },
  METADATA_LENGTH_MISMATCH: {
    means: 'a file is shorter than its parent says',
    todo: 'fetch again; if it stays so, the repository is inconsistent',
  },
  METADATA_HASH_MISMATCH: {
    means: 'a file is not the one that its parent names by hash',
    todo: 'fetch again; if it stays so, the repository is inconsistent',
  },
  METADATA_VERSION_MISMATCH: {
    means: 'a file has another version than its parent names',
    todo: 'fetch again; if it stays so, the repository is inconsistent',
  },
  METADATA_THRESHOLD_UNMET: {
    means: 'fewer valid signatures of distinct keys than the threshold',
    todo: 'collect the missing signatures',
  },
  KEY_MALFORMED: {
    means: 'a public key is not of a known type and form',
    todo: 'generate it with firmament key-generate',
  },
  ROOT_VERSION_NOT_NEXT: {
    means: 'a new root is not exactly the next version',
    todo: 'publish every root version in order',
  },
  ROOT_ROLLBACK: { means: 'a root is older than the floor', todo: 'none: this is an attack or a stale copy' },
  TIMESTAMP_ROLLBACK: {
    means: 'an older timestamp, or one that names an older snapshot, was served',
    todo: 'none: this is an attack or a stale mirror',
  },
  SNAPSHOT_ROLLBACK: {
    means: 'a snapshot names an older version of a role, or drops it',
    todo: 'none: this is an attack or a stale mirror',
  },
  ROLE_NOT_DELEGATED: {
    means: 'a role is not delegated, or not listed in the snapshot',
    todo: 'check the channel name and the repository',
  },
  TARGET_UNKNOWN: {
    means: 'no role that may vouch for a target lists it',
    todo: 'check the name of the target, and the paths of the delegations',
  },
  SEARCH_TOO_LONG: {
    means: 'the search for a target would visit more delegated roles than are visited',
    todo: 'delegate more narrowly: give each role the paths that are its own',
  },
  TARGET_NAME_REFUSED: { means: 'a target name is outside the allowed characters or paths', todo: 'rename the target' },
} as const;
