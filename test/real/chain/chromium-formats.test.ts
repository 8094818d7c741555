/** The formats run unchanged in a browser's engine: same bytes, same refusals, same verdict on signatures as under Node. */
import { build } from 'esbuild';
import * as fc from 'fast-check';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROJECT } from '../../results.ts';
import { jsonValues, toPlain } from '../../formats/json-values.ts';
import { CHROMIUM } from '../parts.ts';
import { canonicalOf, smallOrderForgeryHolds, vectorHolds } from './portable-probe.ts';

const launched: Browser[] = [];
let script = '';

beforeAll(async () => {
  const bundle = await build({
    entryPoints: ['test/real/chain/portable-probe.ts'],
    absWorkingDir: PROJECT,
    bundle: true,
    format: 'iife',
    globalName: 'probe',
    platform: 'neutral',
    write: false,
  });
  script = bundle.outputFiles[0]?.text ?? '';
  launched.push(await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] }));
});

afterAll(async () => {
  for (const browser of launched) await browser.close();
});

/** Runs `expression` in a fresh page that has the bundle as `probe`, with `given` as its argument. */
async function inBrowser<T>(expression: string, given: unknown): Promise<T> {
  const page = await launched[0]?.newPage();
  if (page === undefined) throw new Error('no browser was started');
  await page.addScriptTag({ content: script });
  const answer = await page.evaluate(`(${expression})(${JSON.stringify(given)})`);
  await page.close();
  return answer as T;
}

test('strict JSON, canonical JSON and SHA-256 come out in a browser as they do under Node', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const values = fc.sample(jsonValues, { seed, numRuns: 200 });
  const refused = ['{"a":1,"a":2}', '[-0]', '[1.0]', '"\\ud800"', '[9007199254740993]', '{} x', '['.repeat(40)];
  const texts = [...values.map((value) => JSON.stringify(toPlain(value))), ...refused];
  const ours = texts.map((text) => canonicalOf(text));
  expect(await inBrowser('(texts) => texts.map((text) => probe.canonicalOf(text))', texts), `seed ${seed}`).toEqual(
    ours,
  );
  expect(ours.slice(-refused.length).every((digest) => digest.startsWith('refused '))).toBe(true);
});

test('a browser takes the signature of RFC 8032 and refuses the forgery under a key of small order', async () => {
  expect(await inBrowser('() => [probe.vectorHolds(), probe.smallOrderForgeryHolds()]', undefined)).toEqual([
    true,
    false,
  ]);
  expect([vectorHolds(), smallOrderForgeryHolds()]).toEqual([true, false]);
});
