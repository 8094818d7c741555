/**
 * The port through which a verified image is brought to life.
 *
 * - Only an image that the boot checks have accepted can be handed over, and it is run from the very bytes that were checked.
 * - A self-test is the image's own word after it has tried itself; silence and an early end are failures.
 */
import type { Verdict } from '../../formats/verdict.ts';
import type { FirmwareImage } from '../boot/verify-image.ts';

export type RunMode = 'trial' | 'normal';
export type SelfTest = { readonly firmwareVersion: string; readonly detail: string };

export type RunningImage = {
  /** What the image says of itself; settles once, within the runner's time limit. */
  readonly selfTest: Promise<Verdict<SelfTest, 'SELF_TEST_FAILED' | 'SELF_TEST_TIMEOUT'>>;
  /** Settles when the image has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Ends the image: first asks, then insists. */
  readonly stop: () => Promise<void>;
};

export type ImageRunner = (image: FirmwareImage, mode: RunMode) => RunningImage;
