/**
 * The inventory: what each device said of itself last, as a row a device.
 *
 * - Hearsay, kept for operators: nothing in the chain reads it to decide anything.
 * - Many states are written by one statement, with values in one parameter; an older state never replaces a newer one.
 * - Rows are bounded in number: who invents devices fills the table up to that, and is then told of as a number.
 */
import { encodeInstant, type Instant } from '../formats/instant.ts';
import type { DeviceState } from '../formats/device-state.ts';
import { textIn, type Database, type Row } from './database.ts';

export type SeenState = { readonly state: DeviceState; readonly at: Instant };
/** A row for people, each column as text. */
export type InventoryRow = Readonly<Record<(typeof COLUMNS)[number], string | undefined>>;

const INVENTORY_ROWS_MAX = 1_000_000;
const COLUMNS = [
  'product',
  'device_id',
  'name',
  'release',
  'firmware_version',
  'slot',
  'identity',
  'identity_expires',
  'code',
  'first_seen',
  'last_seen',
] as const;

const GIVEN = `jsonb_to_recordset($1::jsonb) AS given (
  product text, device_id text, name text, release text, firmware_version text, slot text,
  identity text, identity_expires text, code text, seen text)`;

const WRITE = `
  INSERT INTO firmament_devices
  SELECT product, device_id, name, release, firmware_version, slot, identity, identity_expires, code, seen, seen
  FROM ${GIVEN}
  WHERE (SELECT count(*) FROM firmament_devices) + (SELECT count(*) FROM ${GIVEN}) <= $2::bigint
     OR EXISTS (SELECT 1 FROM firmament_devices AS known
                WHERE known.product = given.product AND known.device_id = given.device_id)
  ON CONFLICT (product, device_id) DO UPDATE SET
    name = EXCLUDED.name, release = EXCLUDED.release, firmware_version = EXCLUDED.firmware_version,
    slot = EXCLUDED.slot, identity = EXCLUDED.identity, identity_expires = EXCLUDED.identity_expires,
    code = EXCLUDED.code, last_seen = EXCLUDED.last_seen
  WHERE firmament_devices.last_seen <= EXCLUDED.last_seen
  RETURNING device_id`;

/** Writes `states`, one a device. @returns how many rows were written: fewer where the table is full, or knows newer ones. */
export async function writeInventory(
  database: Database,
  states: readonly SeenState[],
  rowsMax: number = INVENTORY_ROWS_MAX,
): Promise<number> {
  const given = JSON.stringify(states.map(columnsOf));
  return (await database.query(WRITE, [given, rowsMax])).length;
}

function columnsOf({ state, at }: SeenState): Readonly<Record<string, string | undefined>> {
  const { identityExpires } = state;
  return {
    product: state.product,
    device_id: state.deviceId,
    name: state.name,
    release: state.release,
    firmware_version: state.firmwareVersion,
    slot: state.slot,
    identity: state.identity,
    identity_expires: identityExpires === undefined ? undefined : encodeInstant(identityExpires),
    code: state.code,
    seen: encodeInstant(at),
  };
}

/** The devices that were heard last, newest first, at most `countMax`. */
export async function readInventory(database: Database, countMax: number): Promise<readonly InventoryRow[]> {
  const rows = await database.query(
    `SELECT ${COLUMNS.join(', ')} FROM firmament_devices ORDER BY last_seen DESC, product, device_id LIMIT $1::integer`,
    [countMax],
  );
  return rows.map(inventoryRow);
}

function inventoryRow(row: Row): InventoryRow {
  const column = (name: (typeof COLUMNS)[number]): string | undefined => textIn(row, name);
  return {
    product: column('product'),
    device_id: column('device_id'),
    name: column('name'),
    release: column('release'),
    firmware_version: column('firmware_version'),
    slot: column('slot'),
    identity: column('identity'),
    identity_expires: column('identity_expires'),
    code: column('code'),
    first_seen: column('first_seen'),
    last_seen: column('last_seen'),
  };
}
