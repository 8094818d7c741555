/** Gathers what the status page shows: the account, the devices' own events, and what the repository publishes. */
import { OperationError } from '../../formats/operation-error.ts';
import { repositoryClientHttp } from '../../bootloader-verifier/agent/repository-client-http.ts';
import type { Account } from '../account.ts';
import type { ToldEvent } from '../device-process.ts';
import { devicesAfter, eventsAfter, type DeviceView, type EventView } from './device-view.ts';
import { readRoles, type RolesView } from './read-roles.ts';
import type { ReleaseView, Status } from './status-page.ts';

export type PilotStatus = {
  readonly now: () => Promise<Status>;
  readonly onDeviceEvent: (event: ToldEvent) => void;
  readonly onRelease: (release: ReleaseNews) => void;
  readonly onServer: (url: string) => void;
  /** The address of the repository, once there is one. */
  readonly repositoryUrl: () => string;
};

/** News of a release; what it does not say stays as it was. */
export type ReleaseNews = Pick<ReleaseView, 'release'> & Partial<ReleaseView>;

const SILENCE_MS_MAX = 2_000;
const NOTHING = { digest: '', builtBy: '', judgedBy: '', approvedBy: '', logged: '', outcome: '' };

/** A status over `account`, which grows as the chain goes on. @param stop aborted when the page is to end. */
export function openPilotStatus(account: Account, stop: AbortSignal): PilotStatus {
  let devices: readonly DeviceView[] = [];
  let events: readonly EventView[] = [];
  let url = '';
  const releases = new Map<string, ReleaseView>();
  return {
    now: async () => {
      const published = await readPublished(url, stop);
      return {
        repositoryUrl: url,
        devices,
        events,
        releases: [...releases.values()],
        steps: account.steps,
        ...published,
      };
    },
    onDeviceEvent: (event) => {
      devices = devicesAfter(devices, event);
      events = eventsAfter(events, event);
    },
    onRelease: (news) => {
      releases.set(news.release, { ...NOTHING, ...releases.get(news.release), ...news });
    },
    onServer: (address) => (url = address),
    repositoryUrl: () => url,
  };
}

/** What the repository shows; nothing while it does not answer. */
async function readPublished(url: string, stop: AbortSignal): Promise<RolesView> {
  if (url === '') return { roles: [], waves: [] };
  try {
    return await readRoles(repositoryClientHttp(new URL(url), { silenceMsMax: SILENCE_MS_MAX, stop }));
  } catch (fault) {
    if (!(fault instanceof OperationError)) throw fault;
    return { roles: [], waves: [] };
  }
}
