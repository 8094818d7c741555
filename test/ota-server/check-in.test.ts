/** Check-ins: the data plane takes a device's word for the signer, unread and bounded, and says nothing about it. */
import { expect, test } from 'vitest';
import { DEVICE_STATE_TYPE, encodeDeviceState, type DeviceState } from '../../formats/device-state.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { CHECK_IN_BYTES_MAX, CHECK_INS_WAITING_MAX } from '../../ota-server/check-in.ts';
import type { SignerClient } from '../../ota-server/signer-client.ts';
import { sampleState } from './sample-state.ts';
import { startServer, type ServerUnderTest } from './running-server.ts';

const DONE = { ok: true, code: undefined, detail: undefined, facts: new Map() };
const REFUSED = { ok: false, code: 'CONFIRMATION_REFUSED', detail: 'for a test', facts: new Map() };

async function post(server: ServerUnderTest, body: Uint8Array | string, path = '/checkin'): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method: 'POST', body });
  expect((await answer.text()).length).toBeLessThan(400);
  return answer.status;
}

test('a word is handed to the signer as it came, and taken whether it counts or not: nothing is found out by trying', async () => {
  const heard: string[] = [];
  const signer: SignerClient = (verb, body) => {
    heard.push(`${verb} ${new TextDecoder().decode(body)}`);
    return Promise.resolve(heard.length === 1 ? DONE : REFUSED);
  };
  const server = await startServer({ signer });
  expect(await post(server, 'a word')).toBe(202);
  expect(await post(server, 'another')).toBe(202);
  expect(heard).toEqual(['confirm a word', 'confirm another']);
  expect(server.events).toContainEqual({
    event: 'check-in-refused',
    code: 'CONFIRMATION_REFUSED',
    detail: 'for a test',
  });
});

test('a word of the longest size is taken, one byte more or none at all is refused unheard', async () => {
  let heard = 0;
  const server = await startServer({ signer: () => Promise.resolve((heard++, DONE)) });
  expect(await post(server, new Uint8Array(CHECK_IN_BYTES_MAX))).toBe(202);
  expect(await post(server, new Uint8Array(CHECK_IN_BYTES_MAX + 1))).toBe(413);
  expect(await post(server, '')).toBe(413);
  expect(heard).toBe(1);
});

test('where the signer cannot be reached the device is asked to come again', async () => {
  const fault = new OperationError('NETWORK_UNREACHABLE', 'a path of ours', { retriable: true });
  const server = await startServer({ signer: () => Promise.reject(fault) });
  const answer = await fetch(`http://127.0.0.1:${server.port}/checkin`, { method: 'POST', body: 'a word' });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).not.toBeNull();
  expect(await answer.text()).not.toContain('a path of ours');
});

test('as many words wait for the signer as may, and one more is asked to come again', async () => {
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const server = await startServer({ signer: () => gate.then(() => DONE) });
  const waiting = Array.from({ length: CHECK_INS_WAITING_MAX + 1 }, () => post(server, 'a word'));
  expect(await Promise.race(waiting)).toBe(503);
  release();
  const statuses = await Promise.all(waiting);
  expect(statuses.filter((status) => status === 503)).toHaveLength(1);
});

test('without a signer, at another address and by another method nothing is taken', async () => {
  const alone = await startServer();
  expect(await post(alone, 'a word')).toBe(405);
  const server = await startServer({ signer: () => Promise.reject(new Error('it is not asked')) });
  expect(await post(server, 'a word', '/checkin/')).toBe(405);
  expect((await server.get('/checkin')).status).not.toBe(202);
});

async function postState(server: ServerUnderTest, body: Uint8Array): Promise<number> {
  const headers = { 'content-type': DEVICE_STATE_TYPE };
  return (await fetch(`http://127.0.0.1:${server.port}/checkin`, { method: 'POST', body: body.slice(), headers }))
    .status;
}

test('what a device says of itself goes to the inventory alone, and what is not of its format to the log', async () => {
  const heard: DeviceState[] = [];
  const signer: SignerClient = () => Promise.reject(new Error('it is not asked'));
  const server = await startServer({ signer, inventory: (state) => heard.push(state) });
  expect(await postState(server, encodeDeviceState(sampleState(1)))).toBe(202);
  expect(await postState(server, new Uint8Array([1]))).toBe(202);
  expect(heard).toEqual([sampleState(1)]);
  expect(server.events).toContainEqual(expect.objectContaining({ code: 'DEVICE_STATE_MALFORMED' }));
});

test('a server without a signer takes no word, one without an inventory no state, and neither says that it did', async () => {
  const inventory = await startServer({ inventory: () => undefined });
  expect(await post(inventory, 'a word')).toBe(405);
  expect(await postState(inventory, encodeDeviceState(sampleState(1)))).toBe(202);
  const signer = await startServer({ signer: () => Promise.resolve(DONE) });
  expect(await postState(signer, encodeDeviceState(sampleState(1)))).toBe(405);
  expect(await post(signer, 'a word')).toBe(202);
});
