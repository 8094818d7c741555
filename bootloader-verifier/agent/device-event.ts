/**
 * What a device tells about itself: one JSON line a step (design, fixed names).
 *
 * - `ok` means as it should be; a refused attack is told with its code and `ok: false`, because the step did not go on.
 * - `at` is the wire form of an instant; `digest` the SHA-256 of the image concerned.
 */
import { encodeInstant, type Instant } from '../../formats/instant.ts';
import type { Code } from '../../formats/codes.ts';

export type DeviceStep =
  | 'start'
  | 'slot-refused'
  | 'transfer'
  | 'recovery'
  | 'self-test'
  | 'confirm'
  | 'revert'
  | 'poll'
  | 'capsule'
  | 'install'
  | 'wave'
  | 'way'
  | 'report'
  | 'receipt'
  | 'trust'
  | 'image-ended'
  | 'identity'
  | 'stop';

export type DeviceEvent = {
  readonly step: DeviceStep;
  readonly ok: boolean;
  readonly by: string;
  readonly digest: string | undefined;
  readonly at: string;
  readonly code: Code | undefined;
  /** For people and status pages: release, slot, floors, the sentence of a refusal. */
  readonly detail: Readonly<Record<string, string | number | undefined>>;
};

/** Takes the events of one device, in order. */
export type DeviceReport = (event: DeviceEvent) => void;

/** Completes an event with who and when. */
export function deviceEvent(
  by: string,
  now: Instant,
  told: Pick<DeviceEvent, 'step' | 'ok'> & Partial<Pick<DeviceEvent, 'digest' | 'code' | 'detail'>>,
): DeviceEvent {
  return {
    step: told.step,
    ok: told.ok,
    by,
    digest: told.digest,
    at: encodeInstant(now),
    code: told.code,
    detail: told.detail ?? {},
  };
}
