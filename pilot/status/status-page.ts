/**
 * The status page of the pilot: what runs on the device, who vouched for it, what was refused.
 *
 * - Made on the server as text in markup; the script only fetches it again.
 * - One column on a phone: wide tables scroll by themselves and can be reached by keyboard.
 */
import { encodeInstant } from '../../formats/instant.ts';
import type { Step } from '../account.ts';
import { html, type Html } from './html.ts';

/** What is known of the device; undefined until it has said so. */
export type DeviceView = {
  readonly name: string;
  readonly state: string;
  readonly release: string | undefined;
  readonly slot: string | undefined;
  readonly digest: string | undefined;
  readonly builder: string | undefined;
  readonly rootFloor: number | undefined;
  readonly channelFloor: number | undefined;
  readonly counterFloor: number | undefined;
};
export type ReleaseView = {
  readonly release: string;
  readonly digest: string;
  readonly builtBy: string;
  readonly approvedBy: string;
  readonly outcome: string;
};
export type Status = {
  readonly repositoryUrl: string;
  readonly device: DeviceView;
  readonly releases: readonly ReleaseView[];
  readonly steps: readonly Step[];
};

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
          <p>From the commit to the boot: what this device runs, and who vouches for it.</p>
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
    ${renderDevice(status.device)} ${renderReleases(status.releases)}
    ${renderSteps('attacks', 'Attacks, and the code that refused each', attacks)}
    ${renderSteps('steps', 'Steps of the chain', chain)}
    <p>Repository: <a href="${status.repositoryUrl}metadata/timestamp.json">${status.repositoryUrl}</a></p>
  `;
}

function renderDevice(device: DeviceView): Html {
  const facts: readonly (readonly [string, string | number | undefined])[] = [
    ['State', device.state],
    ['Release', device.release],
    ['Slot', device.slot],
    ['Image', device.digest],
    ['Built by', device.builder],
    ['Floor: root version', device.rootFloor],
    ['Floor: channel version', device.channelFloor],
    ['Floor: security counter', device.counterFloor],
  ];
  return html`<section aria-labelledby="device">
    <h2 id="device">Device ${device.name}</h2>
    <dl>
      ${facts.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value ?? '–'}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

function renderReleases(releases: readonly ReleaseView[]): Html {
  const rows = releases.map(
    ({ release, digest, builtBy, approvedBy, outcome }) =>
      html`<tr>
        <th scope="row">${release}</th>
        <td><code>${digest.slice(0, 12)}</code></td>
        <td>${builtBy}</td>
        <td>${approvedBy}</td>
        <td>${outcome}</td>
      </tr>`,
  );
  const head = ['Release', 'Digest', 'Built by', 'Approved by', 'On the device'];
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
        <td>${encodeInstant(at)}</td>
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
