/** The pilot and its status page in Debian's Chromium: what it shows, by keyboard, on a phone, in both colour schemes. */
import { once } from 'node:events';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveStatus } from '../../../pilot/status/serve-status.ts';
import type { Status } from '../../../pilot/status/status-page.ts';
import { PROJECT } from '../../results.ts';
import { CHROMIUM } from '../parts.ts';

const PILOT_MS_MAX = 240_000;
const PUSHED = `${PROJECT}/pilot/firmware/versions/5.0.0.ts`;
const SHOWN = { x: 0, y: 0, width: 1_360, height: 1_180 };
const PHONE = { width: 390, height: 844 };

type AxeResult = { readonly violations: readonly { readonly id: string; readonly nodes: readonly unknown[] }[] };

let browser: Browser;
let pilot: ChildProcess;
let url = '';

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  pilot = spawn(process.execPath, ['pilot/main.ts'], { cwd: PROJECT, stdio: ['ignore', 'pipe', 'inherit'] });
  url = await statusUrl(pilot);
}, PILOT_MS_MAX);

afterAll(async () => {
  await browser.close();
  await rm(PUSHED, { force: true });
  if (pilot.exitCode !== null) return;
  const ended = once(pilot, 'close');
  pilot.kill('SIGTERM');
  await ended;
});

/** The address that the pilot prints once the chain has run. */
async function statusUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the pilot has an output');
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /^Status: (http:\/\/127\.0\.0\.1:\d+\/)/.exec(line);
    if (found?.[1] !== undefined) return found[1];
  }
  throw new Error('the pilot ended before its status page');
}

/** Opens the page at `address` in a fresh context. */
async function open(address: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
  const page = await browser.newPage(options);
  await page.goto(address);
  return page;
}

/** What axe-core finds wrong with the page. */
async function faultsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(await readFile(`${PROJECT}/node_modules/axe-core/axe.min.js`, 'utf8'));
  const result: AxeResult = await page.evaluate('axe.run()');
  return result.violations.map(({ id, nodes }) => `${id} (${nodes.length})`);
}

/** The rows of the table under the heading `title`. */
function rowsOf(page: Page, title: RegExp): Promise<readonly string[]> {
  return page.getByRole('region', { name: title }).locator('tbody tr').allInnerTexts();
}

test('the page shows what each device runs, who vouches for each release, how long each role holds, and the code that refused each attack', async () => {
  const page = await open(url, { viewport: { width: SHOWN.width, height: 900 } });
  await expect
    .poll(() => rowsOf(page, /^Devices$/), { timeout: 10_000 })
    .toContainEqual(expect.stringMatching(/gateway-1[\s\S]*running[\s\S]*4\.0\.0/));
  expect(await rowsOf(page, /^Releases/)).toEqual([
    expect.stringMatching(
      /1\.0\.0[\s\S]*builders[\s\S]*verifiers[\s\S]*dee, eli[\s\S]*among \d+ entries[\s\S]*confirmed/,
    ),
    expect.stringMatching(/2\.0\.0[\s\S]*confirmed/),
    expect.stringMatching(/3\.0\.0[\s\S]*reverted/),
    expect.stringMatching(/4\.0\.0[\s\S]*confirmed/),
  ]);
  const roles = await rowsOf(page, /^Roles/);
  for (const role of ['root', 'targets', 'stable', 'beta', 'snapshot', 'timestamp']) {
    expect(roles, role).toContainEqual(expect.stringMatching(new RegExp(`^${role}\\s+\\d+\\s+20\\d\\d-`)));
  }
  expect(await rowsOf(page, /^Last events/)).toContainEqual(expect.stringContaining('confirm'));
  const attacks = await rowsOf(page, /^Attacks/);
  expect(attacks.length).toBeGreaterThanOrEqual(8);
  for (const attack of attacks) expect(attack).toMatch(/^as expected[\s\S]*[A-Z]+_[A-Z_]+/);
  expect(await page.locator('body').innerText()).not.toContain('NOT as expected');
  // What docs/status-page.png is made from.
  await page.screenshot({ path: `${PROJECT}/build/status-page.png`, clip: SHOWN, fullPage: true });
  await page.close();
});

test('the page follows the device without being loaded again', async () => {
  const page = await open(url);
  const refreshed = page.waitForResponse((response) => response.url().endsWith('/status'));
  expect((await refreshed).status()).toBe(200);
  await page.close();
});

test.each(['light', 'dark'] as const)(
  'the page passes the accessibility rules in the %s scheme',
  async (colorScheme) => {
    const page = await open(url, { colorScheme });
    expect(await faultsOf(page)).toEqual([]);
    await page.close();
  },
);

test('a phone shows the page without scrolling it sideways', async () => {
  const page = await open(url, { viewport: PHONE });
  const width: number = await page.evaluate('document.documentElement.scrollWidth');
  expect(width).toBeLessThanOrEqual(PHONE.width);
  await page.close();
});

test('every table and the link can be reached by keyboard alone, and show that they are', async () => {
  const page = await open(url, { viewport: PHONE });
  const tables = await page.locator('.scroll').count();
  const reached: string[] = [];
  for (let i = 0; i <= tables; i++) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate('document.activeElement.className || document.activeElement.tagName'));
    const outline: string = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    expect(outline).toBe('solid');
  }
  expect(reached).toEqual([...Array.from({ length: tables }, () => 'scroll'), 'A']);
  const before: number = await page.evaluate('document.querySelector(".scroll").scrollLeft');
  await page.locator('.scroll').first().focus();
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => page.evaluate('document.querySelector(".scroll").scrollLeft')).toBeGreaterThan(before);
  await page.close();
});

test('what a device says is shown as text and never runs', async () => {
  const hostile = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
  const step = { step: `attack: ${hostile}`, ok: true, by: hostile, digest: hostile, at: 0, code: hostile };
  const vouchers = { builtBy: hostile, judgedBy: hostile, approvedBy: hostile, logged: hostile };
  const release = { release: hostile, digest: hostile, outcome: hostile, ...vouchers };
  const runs = { state: hostile, release: hostile, slot: hostile, digest: hostile, floors: hostile };
  const status: Status = {
    repositoryUrl: 'http://127.0.0.1/',
    devices: [{ name: hostile, ...runs, identity: hostile, identityEnds: hostile }],
    events: [{ at: hostile, device: hostile, step: hostile, code: hostile, detail: hostile }],
    roles: [{ role: hostile, version: 1, expires: hostile }],
    waves: [{ channel: hostile, release: hostile, wave: hostile, reaches: hostile, leaseEnds: hostile }],
    releases: [release],
    steps: [{ ...step, detail: hostile, tookMs: 1 }],
  };
  const server = await serveStatus(() => Promise.resolve(status), 0);
  const page = await open(server.url);
  await page.waitForResponse((response) => response.url().endsWith('/status'));
  expect(await page.title()).toBe('Firmament: from the commit to the boot');
  expect(await page.locator('img, main script').count()).toBe(0);
  expect(await page.locator('main').innerText()).toContain(hostile);
  await page.close();
  await server.close();
});

/** Runs `command` as a person at a terminal of the checkout would, and gives what it prints. */
async function shell(command: string): Promise<string> {
  return (await promisify(execFile)('sh', ['-ec', command], { cwd: PROJECT, timeout: PILOT_MS_MAX })).stdout;
}

test('the first ten minutes of the README bring a change of the firmware to the device, by its own commands and two keys', async () => {
  const [, section = ''] = (await readFile(`${PROJECT}/README.md`, 'utf8')).split('## The first ten minutes\n');
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(section) ?? [];
  const said = await shell(block);
  const [first = '', second = '', publish = ''] = [...said.matchAll(/^ {2}(node cli.*)$/gm)].map(
    ([, line = '']) => line,
  );
  expect(await shell(`${first} --yes`)).toContain('"ok":true');
  await expect(shell(publish)).rejects.toMatchObject({ stdout: expect.stringContaining('"code":"') as string });
  expect(await shell(`${second} --yes`)).toContain('"ok":true');
  expect(await shell(publish)).toContain('"ok":true');
  const page = await open(url);
  await expect
    .poll(() => rowsOf(page, /^Devices$/), { timeout: PILOT_MS_MAX })
    .toContainEqual(expect.stringMatching(/gateway-1[\s\S]*confirmed[\s\S]*5\.0\.0/));
  await page.close();
  await expect(shell('npm run --silent push -- 5.0.0 again')).rejects.toMatchObject({ code: 1 });
  await expect(shell('npm run --silent push -- five words')).rejects.toMatchObject({ code: 64 });
});
