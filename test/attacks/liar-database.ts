/**
 * The liar in the database: it can lose and invent what that holds, and no more. Nothing passes for what stands elsewhere, and nothing
 * that is shown from it moves an operator's terminal.
 *
 * - A test of an adapter registers these over the database that it shares; a real control plane serves from it.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { describeDevice } from '../../cli/devices.ts';
import { parseUtf8 } from '../../formats/bytes.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { encodeStoredProposal, type StoredProposal } from '../../formats/stored-proposal.ts';
import type { Database } from '../../ota-server/database.ts';
import { MIGRATIONS } from '../../ota-server/database-schema.ts';
import { readInventory, writeInventory } from '../../ota-server/device-inventory.ts';
import { migrateDatabase } from '../../ota-server/migrate-database.ts';
import { proposalStoreSql } from '../../ota-server/proposal-store-sql.ts';
import { seededRandom } from '../../simulation/seed.ts';
import { accepted } from '../accepted.ts';
import { controlForTests, PRODUCT, proposalOf, PROPOSALS } from '../ota-server/running-control.ts';
import { sampleState } from '../ota-server/sample-state.ts';
import { SEED } from '../simulation/seed.ts';
import { mutated } from './liar.ts';

const FUZZED = 200;
const SET = 'UPDATE firmament_proposals SET stored = $2 WHERE id = $1';

/** Registers the attacks over the database that `opened` gives, whose tables are made anew for each. */
export function testAlteredRows(opened: () => Promise<Database>): void {
  describe('whoever owns the database', () => {
    let database: Database;
    beforeEach(async () => {
      database = await opened();
      accepted(await migrateDatabase(database, MIGRATIONS));
    });
    // The control plane is started before there are tables, and asks for nothing until then.
    const control = controlForTests(undefined, async () => proposalStoreSql(await opened()));

    /** A proposal whose files all stand at the desk, as the row says it. */
    async function proposed(): Promise<StoredProposal> {
      const { id } = await control.proposeAll(await control.token());
      const [stored] = await proposalStoreSql(database).list(PRODUCT, 1);
      if (stored?.id !== id) throw new Error('the newest proposal is the one that was made');
      return stored;
    }

    async function complete({ id }: Pick<StoredProposal, 'id'>): Promise<string> {
      const said = await control.ask('POST', `${PROPOSALS}/${id}/complete`, { token: await control.token() });
      const answer: unknown = JSON.parse(said.body);
      return answer instanceof Object && 'code' in answer ? String(answer.code) : `${said.status}`;
    }

    /** Puts `stored` into the row of proposal `id`. */
    async function alter(id: string, stored: StoredProposal): Promise<void> {
      await database.query(SET, [id, parseUtf8(encodeStoredProposal(stored)) ?? '']);
    }

    test('a proposal whose row nobody altered is open once its files stand there', async () => {
      expect(await complete(await proposed())).toBe('200');
    });
    test.each<readonly [string, string, (stored: StoredProposal) => StoredProposal]>([
      [
        'the digest of an image is another',
        'PROPOSAL_INCOMPLETE',
        (stored) => {
          const components = stored.proposal.components.map((component) => ({
            ...component,
            image: { ...component.image, sha256: 'ab'.repeat(32) },
          }));
          return { ...stored, proposal: { ...stored.proposal, components } };
        },
      ],
      [
        'who proposed it is another',
        'PROPOSER_REFUSED',
        (stored) => ({ ...stored, proposedBy: { ...stored.proposedBy, subject: 'x' } }),
      ],
      [
        'the run that proposed it is another',
        'PROPOSER_REFUSED',
        (stored) => {
          const claims = new Map([...stored.proposedBy.claims, ['run_id', '6'] as const]);
          return { ...stored, proposedBy: { ...stored.proposedBy, claims } };
        },
      ],
      [
        'it is that of another product',
        'FILE_UNREADABLE',
        (stored) => ({ ...stored, proposal: { ...proposalOf('6.6.6'), product: 'other' } }),
      ],
      ['it is that of another id', 'FILE_UNREADABLE', (stored) => ({ ...stored, id: '6'.repeat(32) })],
    ])('a row that says that %s opens nothing: %s', async (_, code, change) => {
      const stored = await proposed();
      await alter(stored.id, change(stored));
      expect(await complete(stored)).toBe(code);
    });

    test('any change of a row is a fault, or the proposal of that very place', async () => {
      const stored = await proposed();
      const store = proposalStoreSql(database);
      const random = seededRandom(SEED);
      let faults = 0;
      for (let i = 0; i < FUZZED; i++) {
        const bytes = mutated(encodeStoredProposal(stored), random);
        const text = parseUtf8(bytes)?.replaceAll('\0', '') ?? '';
        await database.query(SET, [stored.id, text]);
        const found = await store.find(PRODUCT, stored.id).catch((fault: unknown) => {
          if (!(fault instanceof OperationError)) throw fault;
          expect([fault.code, fault.retriable], `seed ${SEED}`).toEqual(['FILE_UNREADABLE', false]);
          return ++faults;
        });
        if (typeof found === 'object') expect([found.id, found.proposal.product]).toEqual([stored.id, PRODUCT]);
      }
      expect(faults).toBeGreaterThan(0);
      expect(faults).toBeLessThan(FUZZED);
    });

    test('what stands in the inventory moves no terminal: each character that one obeys or hides is shown as an escape', async () => {
      await writeInventory(database, [{ state: sampleState(1), at: 0 }]);
      const hostile = '\u001b[2J\u001b]52;c;ZXZpbA==\u0007\r\nfaked 1 (gateway): 9.9.9\u202e\u200b';
      for (const column of ['name', 'release', 'firmware_version', 'slot', 'code', 'identity', 'identity_expires']) {
        await database.query(`UPDATE firmament_devices SET ${column} = $1`, [`${column} ${hostile}`]);
      }
      const [row] = await readInventory(database, 1);
      const shown = row === undefined ? '' : describeDevice(row);
      expect(shown).toContain('release \\u{1b}[2J');
      expect([...shown].filter((character) => /[\p{Cc}\p{Cf}]/u.test(character))).toEqual([]);
    });
  });
}
