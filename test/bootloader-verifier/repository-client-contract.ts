/** What every way to a repository must do, over a network, in memory or from a file; each adapter's test runs it. */
import { expect, test } from 'vitest';
import { getPresent, type RepositoryClient } from '../../bootloader-verifier/agent/repository-client.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';

const TIMESTAMP = 'metadata/timestamp.json';
const IMAGE = `targets/1.0.0/gateway/${'ab'.repeat(32)}.image.js`;
const TILE = 'log/tile/entries/x001/067.p/4';
const FILES: ReadonlyMap<string, Uint8Array> = new Map([
  [IMAGE, Uint8Array.from({ length: 70_000 }, (_, i) => i * 7)],
  [TILE, new Uint8Array()],
  [TIMESTAMP, encodeUtf8('{"signed":{}}')],
]);

/** Runs the contract. @param make a client of a repository that has exactly `files`, by name. */
export function testRepositoryClient(
  make: (files: ReadonlyMap<string, Uint8Array>) => Promise<RepositoryClient>,
): void {
  test('contract: a file comes whole and as it is, each time it is asked for', async () => {
    const client = await make(FILES);
    for (const round of [1, 2, 3]) {
      for (const [name, bytes] of FILES) {
        const got = await client.get(name, 100_000);
        expect(Buffer.compare(got ?? Buffer.from('absent'), bytes), `${name}, round ${round}`).toBe(0);
      }
    }
  });

  test('contract: what is not there is undefined, under any limit, and a fault only for whoever needs it', async () => {
    const client = await make(FILES);
    for (const name of [
      'metadata/2.root.json',
      'metadata',
      'metadata/timestamp',
      'targets/1.0.0',
      'log/checkpoint',
      'x',
    ]) {
      for (const bytesMax of [0, 1, 100_000]) expect(await client.get(name, bytesMax), name).toBeUndefined();
    }
    const missing = { name: 'OperationError', code: 'NOT_FOUND', retriable: true };
    await expect(getPresent(client, 'metadata/2.root.json', 100)).rejects.toMatchObject(missing);
    expect(await getPresent(client, TIMESTAMP, 100)).toEqual(FILES.get(TIMESTAMP));
  });

  test('contract: a file of as many bytes as allowed comes, one byte more is a fault, never a part', async () => {
    const client = await make(FILES);
    for (const [name, bytes] of FILES) {
      expect(await client.get(name, bytes.length), name).toHaveLength(bytes.length);
      if (bytes.length === 0) continue;
      const tooLarge = { name: 'OperationError', code: 'RESPONSE_TOO_LARGE' };
      await expect(client.get(name, bytes.length - 1), name).rejects.toMatchObject(tooLarge);
      await expect(client.get(name, 0), name).rejects.toMatchObject(tooLarge);
      expect(await client.get(name, bytes.length), `${name} again`).toHaveLength(bytes.length);
    }
  });

  test('contract: changing what was handed out changes nothing that is handed out later', async () => {
    const client = await make(FILES);
    for (const round of [1, 2, 3]) {
      for (const [name, bytes] of FILES) {
        const got = await client.get(name, 100_000);
        expect(got, `${name}, round ${round}`).toEqual(bytes);
        got?.fill(0);
      }
    }
  });

  test('contract: many at once keep apart', async () => {
    const files = new Map(
      Array.from({ length: 12 }, (_, i) => [`metadata/${i + 10}.root.json`, encodeUtf8(`root ${i}`)]),
    );
    const client = await make(files);
    const got = await Promise.all([...files.keys()].map((name) => client.get(name, 100)));
    expect(got).toEqual([...files.values()]);
  });

  test('contract: a name is a name alone: nothing in it climbs, asks, or means another file', async () => {
    const client = await make(FILES);
    for (const name of [
      ...['', '/', '.', '..', '../gateway/metadata/timestamp.json', 'metadata/../metadata/timestamp.json'],
      ...[
        '/metadata/timestamp.json',
        'metadata//timestamp.json',
        './metadata/timestamp.json',
        'metadata/timestamp.json/',
      ],
      ...[
        'metadata/timestamp.json?x',
        'metadata/timestamp.json#x',
        'metadata%2ftimestamp.json',
        'METADATA/timestamp.json',
      ],
      ...['metadata\\timestamp.json', ' metadata/timestamp.json', 'metadata/timestamp.json\0', 'http://127.0.0.1/x'],
    ]) {
      // Absent, or refused as what no caller of ours asks for: never the bytes of a file with another name.
      const got = await client.get(name, 100_000).catch((fault: unknown) => fault);
      if (got !== undefined) expect(got, name).toMatchObject({ message: 'a name of plain segments' });
    }
  });
}
