/** What every store of proposals must do: each adapter's test runs this. */
import { expect, test } from 'vitest';
import type { StoredProposal } from '../../formats/stored-proposal.ts';
import type { ProposalStore } from '../../ota-server/proposal-store.ts';
import { SAMPLE_STORED } from '../formats/sample-proposal.ts';

const TOKEN = 'a'.repeat(64);
const PRODUCT = SAMPLE_STORED.proposal.product;
const id = (n: number): string => n.toString(16).padStart(32, '0');
export const stored = (n: number): StoredProposal => ({ ...SAMPLE_STORED, id: id(n), state: 'uploading' });
const token = (n: number): string => n.toString(16).padStart(64, '0');

/** Registers the tests over fresh stores; `reopen` opens the same store again, as after a restart. */
export function testProposalStore(
  fresh: () => Promise<{ readonly store: ProposalStore; readonly reopen: () => ProposalStore }>,
): void {
  test('a proposal is found as it was created, also after a restart', async () => {
    const { store, reopen } = await fresh();
    expect(await store.create(stored(1), TOKEN)).toMatchObject({ ok: true });
    expect(await store.find(PRODUCT, id(1))).toEqual(stored(1));
    expect(await reopen().find(PRODUCT, id(1))).toEqual(stored(1));
  });

  test('what was never created is absent, and so is the proposal of another product', async () => {
    const { store } = await fresh();
    await store.create(stored(1), TOKEN);
    expect(await store.find(PRODUCT, id(2))).toBeUndefined();
    expect(await store.find('other', id(1))).toBeUndefined();
    expect(await store.open('other', id(1))).toBeUndefined();
    expect(await store.list('other', 9)).toEqual([]);
  });

  test('a token makes one proposal, also after a restart and however many ask at once', async () => {
    const { store, reopen } = await fresh();
    const asked = [1, 2, 3, 4].map((n) => store.create(stored(n), TOKEN));
    const verdicts = (await Promise.all(asked)).map((verdict) => (verdict.ok ? 'created' : verdict.code));
    expect(verdicts.toSorted()).toEqual(['TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'created']);
    expect(await reopen().create(stored(5), TOKEN)).toMatchObject({ code: 'TOKEN_REPLAYED' });
    expect(await store.list(PRODUCT, 9)).toHaveLength(1);
  });

  test('a proposal is never overwritten by another of its id', async () => {
    const { store } = await fresh();
    await store.create(stored(1), token(1));
    const other = { ...stored(1), at: 0 };
    expect(await store.create(other, token(2))).toMatchObject({ code: 'PROPOSAL_CONFLICT' });
    expect(await store.find(PRODUCT, id(1))).toEqual(stored(1));
  });

  test('opening changes the state and nothing else, once and for all', async () => {
    const { store, reopen } = await fresh();
    await store.create(stored(1), TOKEN);
    const opened: StoredProposal = { ...stored(1), state: 'open' };
    expect(await Promise.all([store.open(PRODUCT, id(1)), store.open(PRODUCT, id(1))])).toEqual([opened, opened]);
    expect(await store.open(PRODUCT, id(1))).toEqual(opened);
    expect(await reopen().find(PRODUCT, id(1))).toEqual(opened);
    expect(await store.open(PRODUCT, id(2))).toBeUndefined();
  });

  test('a list shows the newest, newest first, and no more than was asked for', async () => {
    const { store } = await fresh();
    for (const n of [2, 10, 1, 300]) await store.create(stored(n), token(n));
    expect((await store.list(PRODUCT, 3)).map((one) => one.id)).toEqual([id(300), id(10), id(2)]);
  });
}
