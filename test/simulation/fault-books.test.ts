/** Books in memory: what every keeper of them must do, and power that goes at a chosen entry. */
import { expect, test } from 'vitest';
import { makeFaultBooks } from '../../simulation/fault-books.ts';
import { testBookStore } from '../signer/book-store-contract.ts';

testBookStore(() => {
  const books = makeFaultBooks();
  return Promise.resolve(() => books);
});

test('at the chosen entry the power goes, before it is kept or after, and everything fails until it comes back', async () => {
  for (const side of ['before', 'after'] as const) {
    const books = makeFaultBooks();
    books.cutAt(2, side);
    expect(await books.keep('one', new Uint8Array(1))).toBe(true);
    await expect(books.keep('two', new Uint8Array(2))).rejects.toMatchObject({ code: 'POWER_CUT' });
    await expect(books.read('one', 9)).rejects.toMatchObject({ code: 'POWER_CUT' });
    books.restore();
    expect(await books.read('one', 9)).toHaveLength(1);
    expect((await books.read('two', 9))?.length).toBe(side === 'after' ? 2 : undefined);
  }
});
