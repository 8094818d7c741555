/**
 * `firmament devices`: what devices said of themselves last, from the inventory: hearsay, for their operator's eyes.
 *
 * - Whoever owns the database writes what is shown here: nothing of it moves an operator's terminal.
 */
import type { Command } from 'commander';
import { accept, type Verdict } from '../formats/verdict.ts';
import { readInventory, type InventoryRow } from '../ota-server/device-inventory.ts';
import { databaseValue, withDatabase, type DatabaseOptions } from './database-option.ts';
import { countValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';
import { visible } from './visible-text.ts';

type Options = DatabaseOptions & { readonly limit: number };

const LIMIT = 1_000;
const LIMIT_MAX = 100_000;
const ID_LENGTH = 12;

/** Adds the verb. */
export function defineDevices(command: Command, _host: Host, conclude: Conclude): void {
  command
    .requiredOption(
      '--database <where>',
      'where it is kept: pglite:FOLDER, or postgres://HOST:PORT/NAME',
      databaseValue,
    )
    .option('--database-credentials <file>', 'for PostgreSQL: {"user":"…","password":"…"}, readable by you alone')
    .option('--limit <n>', 'how many, those that were heard last first', countValue, LIMIT)
    .action(async (options: Options) => conclude(await devices(options)));
}

function devices(options: Options): Promise<Verdict<Answer>> {
  return withDatabase(options, async (database) => {
    const rows = database === undefined ? [] : await readInventory(database, Math.min(options.limit, LIMIT_MAX));
    const text = rows.length === 0 ? 'No device has said anything of itself.' : rows.map(describeDevice).join('\n');
    return accept({ facts: { devices: rows }, text });
  });
}

/** One line for people. */
export function describeDevice(row: InventoryRow): string {
  const { name, product, device_id: id, release, firmware_version: version, slot, code, last_seen: seen } = row;
  const identity = row.identity === undefined ? 'no identity' : `identity until ${row.identity_expires ?? 'unknown'}`;
  const refused = code === undefined ? '' : `, refused last: ${code}`;
  const of = `${name ?? ''} (${product ?? ''} ${id?.slice(0, ID_LENGTH) ?? ''}…)`;
  const runs = `${release ?? ''}, firmware ${version ?? ''} in slot ${slot ?? ''}`;
  return visible(`${of}: ${runs}, ${identity}${refused}; heard ${seen ?? ''}`);
}
