/** The codes of a channel's history and of the ways from release to release; a part of the table in `codes.ts`, whose rules hold here. */
export const GRAPH = {
  HISTORY_MISMATCH: {
    means: 'a history is not the one that its channel names, or something has gone out of it',
    todo: 'draft the channel again, with the newest history',
  },
  RELEASE_UNLISTED: {
    means: 'the channel lists the release that runs no longer: its slot keeps the trust that it has (R10)',
    todo: 'none: the device takes what is in force, and the newest trust with it',
  },
} as const;
