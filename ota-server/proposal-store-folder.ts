/**
 * The store of proposals over a local folder.
 *
 * - `PRODUCT/ID.json` is a proposal, `PRODUCT/tokens/SHA256` says which proposal was made with a token. Each is created by a hard
 *   link, which the file system does for one of many.
 * - The token is taken first: a crash in between costs a token, never makes two proposals with one.
 * - Ids begin with the time, so that the newest are found by name; other names in the folder are not ours to read.
 */
import assert from 'node:assert';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeUtf8 } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import { encodeStoredProposal, STORED_PROPOSAL_BYTES_MAX, type StoredProposal } from '../formats/stored-proposal.ts';
import { accept, reject } from '../formats/verdict.ts';
import { nameInstead, nameNew, readWhole, spool, type Spooled } from './durable-folder.ts';
import type { ProposalStore } from './proposal-store.ts';
import { readStoredProposal, type ProposalPlace } from './read-stored-proposal.ts';

const PRODUCT = /^[a-z0-9][a-z0-9-]{0,62}$/;
const ID = /^[0-9a-f]{32}$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** The store in `folder`, which is made when first written to. */
export function proposalStoreFolder(folder: string): ProposalStore {
  const pathOf = (product: string, id: string): string => {
    assert(PRODUCT.test(product) && ID.test(id), 'names are parsed before the store is asked');
    return join(folder, product, `${id}.json`);
  };
  const find: ProposalStore['find'] = async (product, id) => read(pathOf(product, id), { product, id });
  return {
    find,
    create: async (stored, tokenSha256) => {
      assert(DIGEST.test(tokenSha256), 'a token is named by its digest');
      const path = pathOf(stored.proposal.product, stored.id);
      const token = join(folder, stored.proposal.product, 'tokens', tokenSha256);
      if (!(await nameNew(await spooled(token, encodeUtf8(stored.id)), token))) {
        return reject('TOKEN_REPLAYED', 'a token makes one proposal');
      }
      const isNew = await nameNew(await spooled(path, encodeStoredProposal(stored)), path);
      return isNew ? accept(undefined) : reject('PROPOSAL_CONFLICT', `${stored.id} is taken`);
    },
    open: async (product, id) => {
      const path = pathOf(product, id);
      const stored = await read(path, { product, id });
      if (stored === undefined || stored.state === 'open') return stored;
      const opened: StoredProposal = { ...stored, state: 'open' };
      await nameInstead(await spooled(path, encodeStoredProposal(opened)), path);
      return opened;
    },
    list: async (product, countMax) => {
      const ids = (await namesIn(join(folder, product))).flatMap(
        (name) => /^([0-9a-f]{32})\.json$/.exec(name)?.[1] ?? [],
      );
      const newest = ids.sort().reverse().slice(0, countMax);
      const found = await Promise.all(newest.map((id) => find(product, id)));
      return found.filter((stored) => stored !== undefined);
    },
  };
}

async function spooled(path: string, bytes: Uint8Array): Promise<Spooled> {
  const written = await spool(path, [bytes], bytes.length);
  assert(written !== undefined, 'as long as it is');
  return written;
}

async function read(path: string, at: ProposalPlace): Promise<StoredProposal | undefined> {
  const bytes = await readWhole(path, STORED_PROPOSAL_BYTES_MAX);
  return bytes && readStoredProposal(bytes, at, path);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT') return [];
    throw new OperationError('FILE_UNREADABLE', `${folder} cannot be listed (${String(code)})`, {
      retriable: true,
      cause,
    });
  }
}
