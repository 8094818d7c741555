/**
 * The codes of rollouts: plans, waves, halts, confirmations. A group of the table in `codes.ts`.
 *
 * - What is held is told under these codes, too: it is no fault of anybody.
 */

export const ROLLOUT = {
  WAVE_NOT_OPEN: {
    means: "the plan's open waves do not reach this device yet",
    todo: 'none: the device takes the release when its wave opens',
  },
  WAVE_TOO_EARLY: {
    means: 'a wave was opened, or a rollout completed, before the signed plan allows',
    todo: 'check who holds the rollout key, and the clocks of signer and device',
  },
  PLAN_HALTED: {
    means: 'a manager has halted this plan',
    todo: 'repair and release anew, or resume by quorum over the digest of the halt',
  },
  PLAN_MISMATCH: {
    means: 'what is said of a rollout is of another plan',
    todo: 'none if the plan is new: its first wave is yet to open',
  },
  LEASE_EXPIRED: {
    means: 'the open wave was not renewed in time, or the device has no time to hold it against (R13)',
    todo: 'check that the signer runs and reaches the store; on a device, check the clock',
  },
  LEASE_TOO_LONG: {
    means: 'an open wave claims to stand longer than the signed plan lets it unrenewed',
    todo: 'check who holds the rollout key, and the clocks of signer and device',
  },
  ROLLOUT_NOT_DELEGATED: {
    means: 'a channel has a plan, and its targets role names nobody who may open its waves',
    todo: 'draft the targets role with --rollout',
  },
  STEP_REFUSED: {
    means: 'a wave step does not follow the former one, or no device would follow it',
    todo: 'see the detail; let the signer open waves',
  },
  HALT_DROPPED: {
    means: 'a new version of a halt role leaves out what still halts, or follows another than is published',
    todo: 'halt again on what is published now; a quorum alone resumes',
  },
  WAVE_STEP_MALFORMED: { means: 'what a rollout role says is not a wave step', todo: 'see the detail' },
  HALT_MALFORMED: { means: 'what a halt role says is not a list of halts', todo: 'halt with firmament halt' },
  CONFIRMATION_MALFORMED: { means: 'a payload is not a confirmation of a device', todo: 'see the detail' },
  CONFIRMATION_REFUSED: {
    means: 'a confirmation is of no plan whose waves are open, or its device has no vote in them',
    todo: 'none: it counts for nothing',
  },
  CONFIRMATION_SIGNATURE_INVALID: {
    means: 'a confirmation is not signed by the device that it names, or the device is not known',
    todo: "check that the device's manifest is handed in",
  },
} as const;
