/** A backup is whole or refused: at whatever byte it is cut, whatever is altered, and whatever else is handed in. */
import { expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '../../../formats/bytes.ts';
import { accept, type Verdict } from '../../../formats/verdict.ts';
import { readBackup, writeBackup, type BackupPart } from '../../../signer/backup/archive.ts';
import { accepted } from '../../accepted.ts';

const CREATED = Date.UTC(2026, 0, 5);
const FILES: readonly (readonly [string, string])[] = [
  ['state.json', '{}'],
  ['books/devices/manifest-0', ''],
  ['identities/lock', 'three'],
];

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.slice(at, at + size));
}

async function* partsOf(files: typeof FILES): AsyncGenerator<BackupPart> {
  for (const [name, text] of files) {
    const bytes = encodeUtf8(text);
    yield await Promise.resolve({ name, length: bytes.length, body: chunks(bytes, 2) });
  }
}

async function written(files = FILES): Promise<Uint8Array> {
  const taken: Uint8Array[] = [];
  await writeBackup({ createdAt: CREATED, parts: partsOf(files) }, (chunk) => Promise.resolve(void taken.push(chunk)));
  return concatBytes(...taken);
}

type Read = { readonly verdict: Verdict<unknown>; readonly files: readonly (readonly [string, string])[] };

async function read(bytes: Uint8Array, size = 3): Promise<Read> {
  const files: [string, string][] = [];
  const verdict = await readBackup(chunks(bytes, size), async ({ name, body }) => {
    let text = '';
    for await (const chunk of body) text += new TextDecoder().decode(chunk);
    files.push([name, text]);
    return accept(undefined);
  });
  return { verdict, files };
}

test('its bytes are those of the specification, and are read in whatever chunks they come', async () => {
  const bytes = await written();
  const head = (json: string): string => `${String.fromCharCode(0, 0, 0, json.length)}${json}`;
  const text = new TextDecoder().decode(bytes.slice(0, -32));
  expect(text).toBe(
    [
      'firmament backup v1\n',
      head('{"createdAt":"2026-01-05T00:00:00Z","version":1}'),
      `${head('{"length":2,"name":"state.json"}')}{}`,
      head('{"length":0,"name":"books/devices/manifest-0"}'),
      `${head('{"length":5,"name":"identities/lock"}')}three`,
      '\0\0\0\0',
    ].join(''),
  );
  for (const size of [1, 7, 10_000]) {
    const { verdict, files } = await read(bytes, size);
    expect(accepted(verdict)).toMatchObject({ createdAt: CREATED, parts: 3 });
    expect(files).toEqual(FILES);
  }
});

test('cut at any byte, with any byte changed, or with something behind it, it is refused', async () => {
  const bytes = await written();
  for (let length = 0; length < bytes.length; length++) {
    expect((await read(bytes.slice(0, length))).verdict, `cut to ${length}`).toMatchObject({
      code: 'BACKUP_MALFORMED',
    });
  }
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect((await read(changed)).verdict, `byte ${at}`).toMatchObject({ code: 'BACKUP_MALFORMED' });
  }
  expect((await read(concatBytes(bytes, Uint8Array.of(0)))).verdict).toMatchObject({ code: 'BACKUP_MALFORMED' });
});

test('a name that comes twice is refused, and a part that was told wrongly is never written', async () => {
  const twice = await written([...FILES, ['state.json', '{}']]);
  expect((await read(twice)).verdict).toMatchObject({ code: 'BACKUP_MALFORMED' });
  const wrong = async function* (): AsyncGenerator<BackupPart> {
    yield await Promise.resolve({ name: 'state.json', length: 3, body: chunks(encodeUtf8('{}'), 2) });
  };
  const writing = writeBackup({ createdAt: CREATED, parts: wrong() }, () => Promise.resolve());
  await expect(writing).rejects.toThrow('state.json was told as 3 bytes, and has 2');
});
