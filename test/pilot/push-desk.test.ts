/** Where changes of the pilot's firmware are pushed to: what is understood is taken, what is refused says why, and nothing is left behind. */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Push } from '../../pilot/next-release.ts';
import { pushSocket, servePushes } from '../../pilot/push-desk.ts';

const taken: Push[] = [];
let runs = '';
let end: () => Promise<void>;

beforeAll(async () => {
  runs = await mkdtemp(join(tmpdir(), 'firmament-runs-'));
  const folder = join(runs, 'pilot-1');
  await mkdir(folder);
  end = await servePushes(folder, {
    signer: join(folder, 'elsewhere.sock'),
    take: (push) => {
      taken.push(push);
      return push.release === '9.9.9'
        ? Promise.reject(new Error('the judge denied it'))
        : Promise.resolve({ event: 'event', images: ['one', 'two'], sha256: 'ab' });
    },
  });
});

afterAll(() => rm(runs, { recursive: true, force: true }));

function post(body: string): Promise<{ readonly status: number | undefined; readonly body: string }> {
  return new Promise((resolve, refuse) => {
    const posted = request({ socketPath: pushSocket(runs), path: '/', method: 'POST' }, (response) => {
      text(response).then((said) => resolve({ status: response.statusCode, body: said }), refuse);
    });
    posted.on('error', refuse);
    posted.end(body);
  });
}

test('a push is taken as it was said, and answered with the draft', async () => {
  const answer = await post('{"release":"5.0.0","what":"says hello"}');
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.body)).toEqual({ event: 'event', images: ['one', 'two'], sha256: 'ab' });
  expect(taken).toEqual([{ release: '5.0.0', what: 'says hello' }]);
});

test('what the chain refuses is answered in its own words', async () => {
  const answer = await post('{"release":"9.9.9","what":"breaks"}');
  expect(answer).toMatchObject({ status: 409, body: expect.stringContaining('the judge denied it') as string });
});

test.each([
  ['no JSON', '{'],
  ['no version', '{"release":"../../x","what":"x"}'],
  ['nothing new', '{"release":"5.0.0","what":"  "}'],
  ['more than is asked', '{"release":"5.0.0","what":"x","sign":true}'],
  ['longer than a push is', `{"release":"5.0.0","what":"${'x'.repeat(5_000)}"}`],
])('%s is refused and reaches no link of the chain', async (_, body) => {
  const before = taken.length;
  expect(await post(body)).toMatchObject({ status: 400 });
  expect(taken).toHaveLength(before);
});

test('once it ends nothing leads to it any more', async () => {
  expect(await readdir(runs)).toContain('now');
  await end();
  expect(await readdir(runs)).toEqual(['pilot-1']);
});
