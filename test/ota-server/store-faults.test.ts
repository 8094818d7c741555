/** A store that fails: devices get a code, the operator gets the cause, and no wrong byte is ever served as complete. */
import assert from 'node:assert';
import { expect, test } from 'vitest';
import { OperationError } from '../../formats/operation-error.ts';
import type { ArtifactStore } from '../../ota-server/artifact-store.ts';
import { sendRaw, startServer } from './running-server.ts';

const TIMESTAMP = '/r/gw/metadata/timestamp.json';
const TARGET = `/r/gw/targets/1.0.0/app/${'a'.repeat(64)}.bin`;

/** A store whose every call does `call`. */
function storeThat(call: () => Promise<never>): ArtifactStore {
  return { tag: call, open: call };
}

test('a store that is away is 503 with its code and a time to wait, and its words stay in the log', async () => {
  const words = 'connect ECONNREFUSED 10.1.2.3:9000 /srv/bucket';
  const store = storeThat(async () => {
    throw new OperationError('NETWORK_UNREACHABLE', words, { retriable: true });
  });
  const { get, events } = await startServer({ store });
  for (const path of [TIMESTAMP, TARGET]) {
    const answer = await get(path);
    expect([answer.status, answer.headers['retry-after'], answer.headers['cache-control']]).toEqual([
      503,
      '30',
      'no-store',
    ]);
    expect(JSON.parse(answer.body.toString())).toEqual({
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      code: 'NETWORK_UNREACHABLE',
      detail: 'a server does not answer',
    });
    expect(events.at(-1)).toEqual({
      event: 'store-fault',
      code: 'NETWORK_UNREACHABLE',
      detail: words,
      object: path.slice('/r/'.length),
    });
  }
});

test('a bug of ours is 500 with its code, and its stack stays in the log', async () => {
  const store = storeThat(async () => assert.fail('an assumption of ours'));
  const { get, events } = await startServer({ store });
  for (const path of [TIMESTAMP, TARGET]) {
    const answer = await get(path);
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      code: 'BUG',
      detail: 'an assumption of ours does not hold',
    });
    expect(answer.body.toString()).not.toContain(' at ');
    expect(JSON.stringify(events.at(-1))).toMatch(/^\{"event":"bug".*store-faults\.test\.ts/);
  }
});

test('a store that fails in the middle of a download ends the connection before the promised length', async () => {
  let closed = 0;
  const { get, events } = await startServer({
    store: {
      tag: async () => 'tag',
      open: async () => ({
        sizeBytes: 200_000,
        tag: 'tag',
        read: async function* () {
          yield new Uint8Array(100_000);
          throw new OperationError('FILE_UNREADABLE', 'the disk is gone', { retriable: true });
        },
        close: async () => void closed++,
      }),
    },
  });
  await expect(get(TARGET)).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(events.at(-1)).toMatchObject({ event: 'store-fault', detail: 'the disk is gone' });
  expect(closed).toBe(1);
});

test('a crowd of polls that meets one fault is answered one by one, and told to the log once', async () => {
  const store = storeThat(async () => {
    throw new OperationError('NETWORK_UNREACHABLE', 'no bucket', { retriable: true });
  });
  const { port, events } = await startServer({ store });
  const poll = `GET ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\n`;
  const answers = await sendRaw(port, `${`${poll}\r\n`.repeat(20)}${poll}Connection: close\r\n\r\n`);
  expect(answers.match(/HTTP\/1.1 503 /g)).toHaveLength(21);
  expect(events.filter(({ event }) => event === 'store-fault')).toHaveLength(1);
});

test('what waits for a store that does not answer is bounded: the rest is told to come later', async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  const { get } = await startServer({ store: storeThat(() => promise), limits: { waitingMax: 2 } });
  const waiting = [get(TIMESTAMP), get('/r/gw/metadata/1.root.json')];
  await expect
    .poll(async () => JSON.parse((await get(TIMESTAMP)).body.toString()) as unknown)
    .toMatchObject({
      status: 503,
      code: 'SERVER_BUSY',
    });
  reject(new OperationError('NETWORK_TIMEOUT', 'at last', { retriable: true }));
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([503, 503]);
});
