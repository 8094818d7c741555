/** A published log in the eyes of Go's own checksum database: its note, tiles, entries, inclusion and growth. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { encodeBase64, encodeHex } from '../../../formats/bytes.ts';
import { parseCheckpoint } from '../../../formats/checkpoint.ts';
import { encodeLogLeaf, type LogLeaf } from '../../../formats/log-leaf.ts';
import { parseLogProof } from '../../../formats/log-proof.ts';
import { consistencyProof } from '../../../formats/log-tree.ts';
import { leafHash } from '../../../formats/merkle.ts';
import { encodeVerifierKey } from '../../../formats/signed-note.ts';
import { accept } from '../../../formats/verdict.ts';
import { draftLogAppend } from '../../../signer/draft-log-append.ts';
import { objectStoreFolder } from '../../../signer/object-store-folder.ts';
import { appendToLog } from '../../../signer/publish.ts';
import { readLog } from '../../../signer/read-log.ts';
import type { SignerMemory } from '../../../signer/signer-state.ts';
import { verifyLogAppend } from '../../../signer/verify-log-append.ts';
import type { LogMemory } from '../../../signer/log-memory.ts';
import { accepted } from '../../accepted.ts';
import { LOG_ORIGIN, LOG_POLICY, LOG_SIGNER, tinyLog } from '../../tiny-log.ts';
import { LOG_ORACLE } from '../parts.ts';

const folder = mkdtempSync(join(tmpdir(), 'firmament-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PRODUCT = 'gateway';
const ROOT_ONE = 'ab'.repeat(32);
const LOG_FOLDER = join(folder, PRODUCT, 'log');
const VKEY = encodeVerifierKey({ name: LOG_ORIGIN, type: 'signature', key: LOG_SIGNER.key }) ?? '';
const leaf = (version: number): LogLeaf => ({
  ...{ type: 'release', product: PRODUCT, root: ROOT_ONE, channel: 'stable', version },
  ...{ sha256: 'cd'.repeat(32), release: `1.${version}.0` },
});
const entry = (version: number): Uint8Array => encodeLogLeaf(leaf(version));

let memory: LogMemory | undefined;

/** Appends as the publisher does: read, draft, verify, write. */
async function append(entries: readonly Uint8Array[]): Promise<void> {
  const store = objectStoreFolder(folder);
  const log = accepted(await readLog({ store, product: PRODUCT, policies: [LOG_POLICY] }, memory));
  const repository = { product: PRODUCT, rootOneSha256: ROOT_ONE };
  const draft = await draftLogAppend(log, entries, [LOG_SIGNER]);
  const append = accepted(verifyLogAppend(draft, { repository, policies: [LOG_POLICY] }));
  const writeLog: SignerMemory['writeLog'] = (next) => Promise.resolve(accept(void (memory = next)));
  accepted(await appendToLog(append, { store, memory: { writeLog } }));
}

type Answer = { readonly found: string; readonly fault?: string };

/** What Go finds in the log, given all its entries. */
function ask(entries: readonly Uint8Array[], more: object = {}): Answer {
  const question = { Folder: LOG_FOLDER, Vkey: VKEY, Entries: entries.map(encodeBase64), Proofs: [], ...more };
  return JSON.parse(execFileSync(LOG_ORACLE, { input: JSON.stringify(question), encoding: 'utf8' })) as Answer;
}

const SIZES = [1, 3, 255, 256, 257, 700];
const ENTRIES = Array.from({ length: SIZES.at(-1) ?? 0 }, (_, i) => entry(i + 1));

test('Go accepts the log at every size: checkpoint, tiles, entries, and the very proofs that it would make itself', async () => {
  let before = 0;
  for (const size of SIZES) {
    const added: number[] = [];
    for (let at = before; at < size; at += 80) {
      await append(ENTRIES.slice(at, Math.min(at + 80, size)));
      added.push(Math.min(at + 80, size) - 1);
    }
    const last = added.slice(-1).map((index) => {
      const name = encodeHex(leafHash(ENTRIES[index] ?? new Uint8Array()));
      const proof = accepted(parseLogProof(readFileSync(join(LOG_FOLDER, 'proof', name))));
      return { Index: proof.index, Hashes: proof.hashes.map(encodeBase64) };
    });
    expect(ask(ENTRIES.slice(0, size), { Proofs: last })).toEqual({ found: `${LOG_ORIGIN} ${size}` });
    before = size;
  }
}, 120_000);

test('Go agrees that the log has grown, and with nothing else', () => {
  const log = tinyLog(ENTRIES);
  const old = tinyLog(ENTRIES.slice(0, 257)).head;
  const growth = (consistencyProof(log.tiles, old.size, ENTRIES.length) ?? []).map(encodeBase64);
  const Old = { Size: old.size, Hash: encodeBase64(old.rootHash) };
  expect(ask(ENTRIES, { Old, Growth: growth })).toEqual({ found: `${LOG_ORIGIN} 700` });
  const Other = { ...Old, Hash: encodeBase64(log.head.rootHash) };
  expect(ask(ENTRIES, { Old: Other, Growth: growth }).fault).toMatch(/^tree:/);
});

test('Go refuses what we refuse: another key, a changed tile, a changed size', () => {
  const checkpoint = join(LOG_FOLDER, 'checkpoint');
  const bytes = readFileSync(checkpoint);
  expect(accepted(parseCheckpoint(bytes)).size).toBe(700);
  writeFileSync(checkpoint, bytes.toString('utf8').replace('\n700\n', '\n701\n'));
  expect(ask(ENTRIES).fault).toMatch(/^note:/);
  writeFileSync(checkpoint, bytes);
  const tile = join(LOG_FOLDER, 'tile', '0', '000');
  const hashes = readFileSync(tile);
  writeFileSync(
    tile,
    hashes.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
  );
  expect(ask(ENTRIES).fault).toMatch(/^tiles:/);
  writeFileSync(tile, hashes);
  expect(ask(ENTRIES).fault).toBeUndefined();
});
