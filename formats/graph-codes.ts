/** The codes of a channel's history and of the ways from release to release; a part of the table in `codes.ts`, whose rules hold here. */
export const GRAPH = {
  HISTORY_MISMATCH: {
    means: 'a history is not the one that its channel names, or something has gone out of it',
    todo: 'draft the channel again, with the newest history',
  },
  DEAD_END: {
    means: 'people have marked the release that runs as one from which no update leads',
    todo: 'see the reason in the detail; the device stays as it is',
  },
  WAY_CLOSED: {
    means: 'the next release is not installed over the version that runs',
    todo: 'name a waypoint that leads there, or mark the release that runs as a dead end',
  },
  RECALL_MISSING: {
    means: 'the release in force is older than what runs, and what runs is not recalled (R11)',
    todo: 'name what is to be stepped back from with channel-draft --recall',
  },
  WAYPOINT_FIRST: {
    means: 'a release would skip a waypoint that comes before it',
    todo: 'install the waypoint first: pack it into the capsule with --waypoints, or connect the device',
  },
  GRAPH_REFUSED: {
    means: 'the ways of a channel leave a release stranded, or lead where a device would not go',
    todo: 'see the detail: name a waypoint, a recall or a dead end',
  },
  RELEASE_NOT_OFFERED: {
    means: 'the channel of a device does not lead it to that release',
    todo: 'see what its channel has in force; a release comes into force by a signing event',
  },
  DEVICE_STATUS_MALFORMED: {
    means: 'a file is not what a device tells of itself',
    todo: 'write it with firmament-device status',
  },
  RELEASE_UNLISTED: {
    means: 'the channel lists the release that runs no longer: its slot keeps the trust that it has (R10)',
    todo: 'none: the device takes what is in force, and the newest trust with it',
  },
} as const;
