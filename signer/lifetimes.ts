/**
 * How long signed parts live by default, in milliseconds: the table "who signs what" of the design.
 *
 * - People's roles live long, because people must meet to renew them; online roles short, because a freeze lasts as long.
 */
const DAY_MS = 86_400_000;

export const ROOT_LIFETIME_MS: number = 365 * DAY_MS;
export const TARGETS_LIFETIME_MS: number = 365 * DAY_MS;
export const CHANNEL_LIFETIME_MS: number = 90 * DAY_MS;
/** A history says nothing that the channel does not name: it is renewed with the channel, for other clients' sake. */
export const HISTORY_LIFETIME_MS: number = 365 * DAY_MS;
/** A halt has no end for whoever has seen it; this is for clients that know nothing of halts. */
export const HALT_LIFETIME_MS: number = 365 * DAY_MS;
/** How long a drafted channel may wait for its signatures before it must be drafted again. */
export const PUBLISH_WITHIN_MS: number = 14 * DAY_MS;
export const SNAPSHOT_LIFETIME_MS: number = 7 * DAY_MS;
export const TIMESTAMP_LIFETIME_MS: number = DAY_MS;
