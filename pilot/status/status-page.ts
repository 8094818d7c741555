/**
 * The status page of the pilot: what runs on the devices, who vouches for it, how long each role holds, what was refused.
 *
 * - Made on the server as text in markup; the script only fetches it again.
 * - One column on a phone: wide tables scroll by themselves and can be reached by keyboard.
 */
import { encodeInstant } from '../../formats/instant.ts';
import type { Step } from '../account.ts';
import type { DeviceView, EventView } from './device-view.ts';
import { html, type Html } from './html.ts';
import type { RolesView, RoleView, WaveView } from './read-roles.ts';

export type ReleaseView = {
  readonly release: string;
  readonly digest: string;
  readonly builtBy: string;
  readonly judgedBy: string;
  readonly approvedBy: string;
  readonly logged: string;
  readonly outcome: string;
};
export type Status = RolesView & {
  readonly repositoryUrl: string;
  readonly devices: readonly DeviceView[];
  readonly events: readonly EventView[];
  readonly releases: readonly ReleaseView[];
  readonly steps: readonly Step[];
};

/** A time in one piece; a dash where there is none. */
function timeOf(text: string | undefined): Html {
  return text === undefined ? html`–` : html`<time>${text}</time>`;
}

/** The whole page. */
export function renderPage(status: Status): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Firmament: from the commit to the boot</title>
        <link rel="stylesheet" href="/status.css" />
        <script src="/status.js" defer></script>
      </head>
      <body>
        <header>
          <h1>Firmament</h1>
          <p>From the commit to the boot: what runs on the devices, and who vouches for it.</p>
        </header>
        <main id="status">${renderMain(status)}</main>
      </body>
    </html> `;
  return page.markup;
}

/** The part that is fetched again. */
export function renderMain(status: Status): Html {
  const attacks = status.steps.filter(({ step }) => step.startsWith('attack'));
  const chain = status.steps.filter(({ step }) => !step.startsWith('attack'));
  return html`
    ${renderDevices(status.devices)} ${renderReleases(status.releases)} ${renderWaves(status.waves)}
    ${renderRoles(status.roles)} ${renderEvents(status.events)}
    ${renderSteps('attacks', 'Attacks, and the code that refused each', attacks)}
    ${renderSteps('steps', 'Steps of the chain', chain)}
    <p>Repository: <a href="${status.repositoryUrl}metadata/timestamp.json">${status.repositoryUrl}</a></p>
  `;
}

function renderDevices(devices: readonly DeviceView[]): Html {
  const rows = devices.map(
    (device) =>
      html`<tr>
        <th scope="row">${device.name}</th>
        <td>${device.state}</td>
        <td>${device.release ?? '–'}</td>
        <td>${device.slot ?? '–'}</td>
        <td><code>${(device.digest ?? '–').slice(0, 12)}</code></td>
        <td>${device.identity ?? '–'}</td>
        <td>${timeOf(device.identityEnds)}</td>
        <td>${device.floors ?? '–'}</td>
      </tr>`,
  );
  const floors = 'Floors: root / channel / counter';
  const head = ['Device', 'State', 'Release', 'Slot', 'Image', 'Identity', 'Identity ends', floors];
  return renderTable('devices', { title: 'Devices', head, rows });
}

function renderWaves(waves: readonly WaveView[]): Html {
  if (waves.length === 0) return html``;
  const rows = waves.map(
    ({ channel, release, wave, reaches, leaseEnds }) =>
      html`<tr>
        <th scope="row">${channel}</th>
        <td>${release}</td>
        <td>${wave}</td>
        <td>${reaches}</td>
        <td>${timeOf(leaseEnds)}</td>
      </tr>`,
  );
  const head = ['Channel', 'Release', 'Wave', 'Reaches', 'Lease ends'];
  return renderTable('waves', { title: 'Open waves', head, rows });
}

function renderRoles(roles: readonly RoleView[]): Html {
  const rows = roles.map(
    ({ role, version, expires }) =>
      html`<tr>
        <th scope="row">${role}</th>
        <td>${version}</td>
        <td>${timeOf(expires)}</td>
      </tr>`,
  );
  return renderTable('roles', { title: 'Roles of the repository', head: ['Role', 'Version', 'Expires'], rows });
}

function renderEvents(events: readonly EventView[]): Html {
  const rows = events.map(
    ({ at, device, step, code, detail }) =>
      html`<tr>
        <td>${timeOf(at)}</td>
        <th scope="row">${device}</th>
        <td>${step}</td>
        <td><code>${code ?? ''}</code></td>
        <td>${detail}</td>
      </tr>`,
  );
  return renderTable('events', { title: 'Last events', head: ['When', 'Device', 'Event', 'Code', 'What'], rows });
}

function renderReleases(releases: readonly ReleaseView[]): Html {
  const rows = releases.map(
    ({ release, digest, builtBy, judgedBy, approvedBy, logged, outcome }) =>
      html`<tr>
        <th scope="row">${release}</th>
        <td><code>${digest.slice(0, 12)}</code></td>
        <td>${builtBy}</td>
        <td>${judgedBy}</td>
        <td>${approvedBy}</td>
        <td>${logged}</td>
        <td>${outcome}</td>
      </tr>`,
  );
  const head = ['Release', 'Digest', 'Built by', 'Judged by', 'Approved by', 'In the log', 'On the devices'];
  return renderTable('releases', { title: 'Releases, and who vouches for them', head, rows });
}

function renderSteps(id: string, title: string, steps: readonly Step[]): Html {
  const rows = steps.map(
    ({ step, ok, by, at, code, detail }) =>
      html`<tr>
        <td>${ok ? 'as expected' : 'NOT as expected'}</td>
        <th scope="row">${step}</th>
        <td>${by}</td>
        <td><code>${code ?? ''}</code></td>
        <td>${detail}</td>
        <td>${timeOf(encodeInstant(at))}</td>
      </tr>`,
  );
  return renderTable(id, { title, head: ['Outcome', 'Step', 'By', 'Code', 'What', 'When'], rows });
}

function renderTable(
  id: string,
  table: { readonly title: string; readonly head: readonly string[]; readonly rows: readonly Html[] },
): Html {
  return html`<section>
    <h2 id="${id}">${table.title}</h2>
    <div class="scroll" role="region" aria-labelledby="${id}" tabindex="0">
      <table>
        <thead>
          <tr>
            ${table.head.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${table.rows}
        </tbody>
      </table>
    </div>
  </section>`;
}
