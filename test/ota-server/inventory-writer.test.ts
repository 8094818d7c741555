/** The inventory's writer: a fleet costs few statements, a database that is gone costs nobody but the inventory, and memory is bounded. */
import { expect, test } from 'vitest';
import { OperationError } from '../../formats/operation-error.ts';
import {
  createInventoryWriter,
  type InventoryLimits,
  type InventoryWriter,
} from '../../ota-server/inventory-writer.ts';
import type { Database, Row } from '../../ota-server/database.ts';
import type { ServerEvent } from '../../ota-server/server-event.ts';
import { sampleState } from './sample-state.ts';

const NOW = Date.UTC(2026, 0, 1);
const LIMITS: InventoryLimits = { waitingMax: 3, flushMs: 1_000_000, quietMs: 600_000 };

type Statement = readonly { readonly device_id: string; readonly release: string }[];
type Desk = {
  readonly writer: InventoryWriter;
  readonly statements: Statement[];
  readonly events: ServerEvent[];
  isGone: boolean;
};

/** A writer into a database that notes each statement, and may be gone. */
function makeDesk(): Desk {
  const statements: Statement[] = [];
  const events: ServerEvent[] = [];
  const query = (_: string, [given = ''] = [] as readonly unknown[]): Promise<readonly Row[]> => {
    if (desk.isGone) return Promise.reject(new OperationError('DATABASE_UNAVAILABLE', 'gone', { retriable: true }));
    statements.push(JSON.parse(String(given)) as Statement);
    return Promise.resolve([]);
  };
  const database: Database = {
    query,
    transaction: () => Promise.reject(new Error('none is asked for')),
    close: () => Promise.resolve(),
  };
  const desk: Desk = {
    writer: createInventoryWriter(database, (event) => events.push(event), LIMITS),
    statements,
    events,
    isGone: false,
  };
  return desk;
}

test('all that was said since the last writing costs one statement, with the newest state of each device', async () => {
  const { writer, statements } = makeDesk();
  for (let poll = 0; poll < 100; poll++) {
    writer.take({ ...sampleState(1), release: `1.${poll}.0` }, NOW + poll);
    writer.take(sampleState(2), NOW + poll);
  }
  await writer.close();
  expect(statements.map((rows) => rows.map(({ release }) => release))).toEqual([['1.99.0', '2.0.0']]);
});

test('a device that says nothing new is not written again before its quiet time is over', async () => {
  const { writer, statements } = makeDesk();
  for (const at of [0, 1, LIMITS.quietMs - 1]) {
    writer.take(sampleState(1), NOW + at);
    await writer.flush();
  }
  expect(statements).toHaveLength(1);
  writer.take(sampleState(1), NOW + LIMITS.quietMs);
  writer.take({ ...sampleState(2), code: undefined }, NOW);
  await writer.close();
  expect(statements.map((rows) => rows.length)).toEqual([1, 2]);
});

test('a database that is gone is told of; as many states wait as may, the rest is dropped and counted, and all is well afterwards', async () => {
  const desk = makeDesk();
  desk.isGone = true;
  for (let device = 0; device < 5; device++) desk.writer.take(sampleState(device), NOW);
  await desk.writer.flush();
  const fault = { event: 'inventory-fault', code: 'DATABASE_UNAVAILABLE', detail: 'gone', waiting: 3, dropped: 2 };
  expect(desk.events).toEqual([fault]);
  desk.writer.take({ ...sampleState(0), release: '3.0.0' }, NOW + 1);
  desk.isGone = false;
  await desk.writer.flush();
  expect(desk.statements.map((rows) => rows.map(({ release }) => release))).toEqual([['3.0.0', '2.0.0', '2.0.0']]);
  expect(desk.events.at(-1)).toEqual({ event: 'inventory-dropped', states: 2 });
  desk.writer.take(sampleState(4), NOW + 2);
  await desk.writer.close();
  expect(desk.statements.at(-1)).toMatchObject([{ device_id: sampleState(4).deviceId }]);
});

test('what a device says while its former state is written is not forgotten', async () => {
  const { writer, statements } = makeDesk();
  writer.take(sampleState(1), NOW);
  const writing = writer.flush();
  writer.take({ ...sampleState(1), release: '3.0.0' }, NOW + 1);
  await writing;
  await writer.close();
  expect(statements.map(([row]) => row?.release)).toEqual(['2.0.0', '3.0.0']);
});
