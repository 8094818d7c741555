/** How long a bucket may stand still: who waits for it decides. */

/** How long, in milliseconds, an answer may stand still, and take in all. */
export type StoreLimits = { readonly silenceMsMax: number; readonly callMsMax: number };

/** For who publishes, checks and repairs: nobody waits but the operator. */
export const STORE_LIMITS: StoreLimits = { silenceMsMax: 15_000, callMsMax: 300_000 };

/**
 * For who serves devices. A device gives up an answer that stands still for 15 seconds, and a question may come just after a look at the
 * store began, so that it waits for two: each must end in time for the device to be told when to come again.
 */
export const SERVED_LIMITS: StoreLimits = { silenceMsMax: 5_000, callMsMax: 300_000 };
