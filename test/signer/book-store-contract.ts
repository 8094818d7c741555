/** What every keeper of a signer's books must do; each adapter's test runs it. */
import { expect, test } from 'vitest';
import type { BookStore } from '../../signer/book-store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const NAME = 'stable/plan-1/word-7';

/** Runs the contract. @param make empty books, as often as they are opened. */
export function testBookStore(make: () => Promise<() => BookStore>): void {
  test('contract: what is kept is read, whole, also by whoever opens the books anew, and what is not there is undefined', async () => {
    const open = await make();
    expect(await open().read(NAME, 100)).toBeUndefined();
    expect(await open().keep(NAME, bytes('one'))).toBe(true);
    expect(await open().keep('devices/manifest-0', new Uint8Array())).toBe(true);
    expect(await open().read(NAME, 100)).toEqual(bytes('one'));
    expect(await open().read('devices/manifest-0', 0)).toHaveLength(0);
    expect(await open().read('stable/plan-1/word-8', 100)).toBeUndefined();
  });

  test('contract: an entry is kept once, and stays as it was', async () => {
    const books = (await make())();
    await books.keep(NAME, bytes('one'));
    for (const content of ['one', 'two']) expect(await books.keep(NAME, bytes(content))).toBe(false);
    expect(await books.read(NAME, 100)).toEqual(bytes('one'));
  });

  test('contract: of many who keep an entry of one name at once exactly one does, and it is read whole', async () => {
    const open = await make();
    const kept = await Promise.all(Array.from({ length: 8 }, (_, i) => open().keep(NAME, bytes(`writer ${i}`))));
    expect(kept.filter((isNew) => isNew)).toHaveLength(1);
    expect(await open().read(NAME, 100)).toEqual(bytes(`writer ${kept.indexOf(true)}`));
  });

  test('contract: an entry of as many bytes as its reader allows is read, one byte more is a fault, not a part', async () => {
    const books = (await make())();
    await books.keep(NAME, bytes('four'));
    expect(await books.read(NAME, 4)).toEqual(bytes('four'));
    await expect(books.read(NAME, 3)).rejects.toMatchObject({ name: 'OperationError', code: 'FILE_UNREADABLE' });
  });

  test('contract: changing the bytes that were handed in or out changes nothing in the books', async () => {
    const books = (await make())();
    const content = bytes('one');
    await books.keep(NAME, content);
    content.fill(0);
    (await books.read(NAME, 100))?.fill(0);
    expect(await books.read(NAME, 100)).toEqual(bytes('one'));
  });

  test('contract: a name that is not of our own making is a bug, for reader and keeper, and nothing is kept under it', async () => {
    const books = (await make())();
    for (const name of [
      '',
      '/',
      '.',
      '..',
      '../x',
      'a/../b',
      'a//b',
      '/a',
      'a/',
      'A',
      'a b',
      '-a',
      'a.b',
      'a\\b',
      'a\0',
      'ä',
    ]) {
      await expect(books.keep(name, bytes('x')), name).rejects.toThrow('a name of our own making');
      await expect(books.read(name, 100), name).rejects.toThrow('a name of our own making');
    }
  });
}
