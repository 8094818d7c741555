/**
 * What is known of each device, from its own events alone.
 *
 * - Whatever a device says is text for people here; nothing is decided by it.
 */
import type { JsonObject } from '../../formats/json.ts';
import type { ToldEvent } from '../device-process.ts';

/** What is known of a device; undefined until it has said so. */
export type DeviceView = {
  readonly name: string;
  readonly state: string;
  readonly release: string | undefined;
  readonly slot: string | undefined;
  readonly digest: string | undefined;
  readonly floors: string | undefined;
  /** Serial and class of its newest certificate. */
  readonly identity: string | undefined;
  readonly identityEnds: string | undefined;
};
export type EventView = {
  readonly at: string;
  readonly device: string;
  readonly step: string;
  readonly code: string | undefined;
  readonly detail: string;
};

const EVENTS_SHOWN = 20;
const DEVICES_MAX = 64;

/** The devices after one of them told `event`; a device that was not known yet is added, up to a limit. */
export function devicesAfter(devices: readonly DeviceView[], event: ToldEvent): readonly DeviceView[] {
  const known = devices.find(({ name }) => name === event.by);
  if (known !== undefined) return devices.map((device) => (device === known ? viewAfter(device, event) : device));
  return devices.length < DEVICES_MAX ? [...devices, viewAfter(unknownDevice(event.by), event)] : devices;
}

/** The last events after `event`, newest first; polls that bring nothing are left out. */
export function eventsAfter(events: readonly EventView[], event: ToldEvent): readonly EventView[] {
  if (event.step === 'poll' && event.ok) return events;
  const { at, by, step, code, detail } = event;
  const said = [textOf(detail, 'release'), textOf(detail, 'slot'), textOf(detail, 'detail')];
  const told = { at, device: by, step, code, detail: said.filter((part) => part !== undefined).join(', ') };
  return [told, ...events].slice(0, EVENTS_SHOWN);
}

function unknownDevice(name: string): DeviceView {
  const nothing = { release: undefined, slot: undefined, digest: undefined, floors: undefined };
  return { name, state: 'started', ...nothing, identity: undefined, identityEnds: undefined };
}

function viewAfter(device: DeviceView, event: ToldEvent): DeviceView {
  const { step, digest, detail } = event;
  if (step === 'identity' && event.ok) {
    const identity = `${textOf(detail, 'serial')?.slice(0, 8) ?? ''} ${textOf(detail, 'class') ?? ''}`.trim();
    return { ...device, identity, identityEnds: textOf(detail, 'notAfter') };
  }
  if (step !== 'start') return { ...device, state: stateAfter(device.state, event) };
  const floors = ['rootFloor', 'channelFloor', 'counterFloor'].map((name) => textOf(detail, name) ?? '–').join(' / ');
  const state = textOf(detail, 'mode') === 'trial' ? 'on trial' : 'running';
  return { ...device, state, release: textOf(detail, 'release'), slot: textOf(detail, 'slot'), digest, floors };
}

function stateAfter(state: string, event: Pick<ToldEvent, 'step' | 'ok' | 'code'>): string {
  if (event.step === 'confirm') return 'running, confirmed by its self-test';
  if (event.step === 'recovery') return 'recovery: nothing to start yet';
  if (event.step === 'revert') return 'reverting';
  if (event.step === 'install') return 'starting a new release';
  if (event.step === 'stop') return 'stopped';
  if (event.step === 'wave') return `running; the next release is held: ${event.code ?? ''}`;
  return event.step === 'poll' && !event.ok ? `running; last poll refused: ${event.code ?? ''}` : state;
}

function textOf(detail: JsonObject, name: string): string | undefined {
  const value = detail.get(name);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
