/** Gathers what the status page shows from the account and from the device's own events. */
import type { JsonObject } from '../../formats/json.ts';
import type { Account } from '../account.ts';
import type { ToldEvent } from '../device-process.ts';
import type { DeviceView, ReleaseView, Status } from './status-page.ts';

export type PilotStatus = {
  readonly now: () => Status;
  readonly onDeviceEvent: (event: ToldEvent) => void;
  readonly onRelease: (release: ReleaseNews) => void;
  readonly onServer: (url: string) => void;
};

/** News of a release; what is undefined stays as it was. */
export type ReleaseNews = Omit<ReleaseView, 'approvedBy'> & { readonly approvedBy: string | undefined };

/** A status over `account`, which grows as the chain goes on. */
export function openPilotStatus(account: Account): PilotStatus {
  let device: DeviceView = { ...NOTHING, state: 'not started' };
  let repositoryUrl = '';
  const releases = new Map<string, ReleaseView>();
  return {
    now: () => ({ repositoryUrl, device, releases: [...releases.values()], steps: account.steps }),
    onDeviceEvent: (event) => (device = viewAfter(device, event)),
    onRelease: (news) => {
      const approvedBy = news.approvedBy ?? releases.get(news.release)?.approvedBy ?? '';
      releases.set(news.release, { ...news, approvedBy });
    },
    onServer: (url) => (repositoryUrl = url),
  };
}

const NOTHING = {
  name: 'gateway-1',
  release: undefined,
  slot: undefined,
  digest: undefined,
  builder: undefined,
  rootFloor: undefined,
  channelFloor: undefined,
  counterFloor: undefined,
};

/** What is known after `event`. */
function viewAfter(device: DeviceView, { step, ok, digest, code, detail }: ToldEvent): DeviceView {
  if (step !== 'start') return { ...device, state: stateAfter(device.state, { step, ok, code }) };
  return {
    ...device,
    state: detail.get('mode') === 'trial' ? 'on trial' : 'running',
    release: textOf(detail, 'release'),
    slot: textOf(detail, 'slot'),
    digest,
    builder: textOf(detail, 'builder'),
    rootFloor: numberOf(detail, 'rootFloor'),
    channelFloor: numberOf(detail, 'channelFloor'),
    counterFloor: numberOf(detail, 'counterFloor'),
  };
}

function stateAfter(state: string, event: Pick<ToldEvent, 'step' | 'ok' | 'code'>): string {
  if (event.step === 'confirm') return 'running, confirmed by its self-test';
  if (event.step === 'recovery') return 'recovery: nothing to start yet';
  if (event.step === 'revert') return 'reverting';
  if (event.step === 'install') return 'starting a new release';
  if (event.step === 'stop') return 'stopped';
  return event.step === 'poll' && !event.ok ? `running; last poll refused: ${event.code ?? ''}` : state;
}

function textOf(detail: JsonObject, name: string): string | undefined {
  const value = detail.get(name);
  return typeof value === 'string' ? value : undefined;
}

function numberOf(detail: JsonObject, name: string): number | undefined {
  const value = detail.get(name);
  return typeof value === 'number' ? value : undefined;
}
