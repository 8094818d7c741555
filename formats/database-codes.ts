/** The codes of the database and of what devices say of themselves: a part of the table in `codes.ts`, whose rules hold here. */
export const DATABASE_CODES = {
  DATABASE_UNAVAILABLE: {
    means: 'the database does not answer, or not in time',
    todo: 'start it, or wait: devices are served meanwhile, and what they say of themselves is dropped and counted',
  },
  DATABASE_REFUSED: {
    means: 'the database refuses a statement, or who makes it',
    todo: 'check the user of --database, its credentials and its rights',
  },
  DATABASE_NEWER: {
    means: 'the tables are of a newer version of this program, or were changed by hand',
    todo: 'update this program, or restore the tables',
  },
  DEVICE_STATE_MALFORMED: {
    means: 'what a device says of itself is not of its format',
    todo: 'none: whoever sent it is no device of ours',
  },
} as const;
