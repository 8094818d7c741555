/**
 * The store of proposals in a database, for control planes that are many.
 *
 * - Token and proposal are written in one transaction; which of many has the token is decided by its unique key.
 * - What is read is parsed like a file, and is of the row that it stands in: the database is trusted with availability, and with who proposed what until people sign.
 */
import { encodeUtf8, parseUtf8 } from '../formats/bytes.ts';
import { encodeStoredProposal, type StoredProposal } from '../formats/stored-proposal.ts';
import { accept, reject } from '../formats/verdict.ts';
import { textIn, type Database, type Row } from './database.ts';
import type { ProposalStore } from './proposal-store.ts';
import { readStoredProposal, type ProposalPlace } from './read-stored-proposal.ts';

const FIND = 'SELECT stored FROM firmament_proposals WHERE product = $1 AND id = $2';
const NEWEST = 'SELECT id, stored FROM firmament_proposals WHERE product = $1 ORDER BY id DESC LIMIT $2::integer';
const TAKE_TOKEN = `INSERT INTO firmament_proposal_tokens (product, token_sha256, id) VALUES ($1, $2, $3)
  ON CONFLICT DO NOTHING RETURNING id`;
const CREATE = `INSERT INTO firmament_proposals (product, id, stored) VALUES ($1, $2, $3)
  ON CONFLICT DO NOTHING RETURNING id`;
const REPLACE = 'UPDATE firmament_proposals SET stored = $3 WHERE product = $1 AND id = $2';

/** The store in `database`, whose tables have been migrated. */
export function proposalStoreSql(database: Database): ProposalStore {
  const find: ProposalStore['find'] = async (product, id) => {
    const [row] = await database.query(FIND, [product, id]);
    return row && read(row, { product, id });
  };
  return {
    find,
    create: (stored, tokenSha256) =>
      database.transaction(async (query) => {
        const { product } = stored.proposal;
        const taken = await query(TAKE_TOKEN, [product, tokenSha256, stored.id]);
        if (taken.length === 0) return reject('TOKEN_REPLAYED', 'a token makes one proposal');
        const made = await query(CREATE, [product, stored.id, textOf(stored)]);
        return made.length === 0 ? reject('PROPOSAL_CONFLICT', `${stored.id} is taken`) : accept(undefined);
      }),
    open: async (product, id) => {
      const stored = await find(product, id);
      if (stored === undefined || stored.state === 'open') return stored;
      const opened: StoredProposal = { ...stored, state: 'open' };
      await database.query(REPLACE, [product, id, textOf(opened)]);
      return opened;
    },
    list: async (product, countMax) =>
      (await database.query(NEWEST, [product, countMax])).map((row) =>
        read(row, { product, id: textIn(row, 'id') ?? '' }),
      ),
  };
}

function textOf(stored: StoredProposal): string {
  return parseUtf8(encodeStoredProposal(stored)) ?? '';
}

function read(row: Row, at: ProposalPlace): StoredProposal {
  return readStoredProposal(encodeUtf8(textIn(row, 'stored') ?? ''), at, 'a row');
}
