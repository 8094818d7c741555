/**
 * The vectors of `docs/formats/backup.md`: a backup of a signer of one product, and files that are none.
 *
 * - `node cli/node24.js test/signer/backup/backup-vectors.ts --write` writes them; a test holds the files equal, byte for byte.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { concatBytes, encodeBase64, encodeUtf8 } from '../../../formats/bytes.ts';
import type { Code } from '../../../formats/codes.ts';
import { writeBackup, type BackupPart } from '../../../signer/backup/archive.ts';
import { encodeLogMemory } from '../../../signer/log-memory.ts';
import { encodeSignerState } from '../../../signer/signer-state.ts';

/** Where the vectors stand. */
export const BACKUP_VECTORS: string = fileURLToPath(new URL('../../vectors/backup/', import.meta.url));

/** When the sample was made. */
export const SAMPLE_CREATED: number = Date.UTC(2026, 0, 5);

type Files = readonly (readonly [name: string, content: Uint8Array])[];
export type RefusedBackup = { readonly says: string; readonly code: Code; readonly backup: string };

const SAMPLE_FILES: Files = [
  [
    'state.json',
    encodeSignerState({
      ...{ product: 'gateway', rootOneSha256: 'ab'.repeat(32), snapshotSha256: 'cd'.repeat(32) },
      ...{ timestampVersion: 7, snapshotVersion: 3 },
    }),
  ],
  ['state.json.log', encodeLogMemory({ origin: 'log.example/gateway', size: 3, rootHash: new Uint8Array(32).fill(7) })],
  ['books/devices/manifest-0', encodeUtf8('a manifest')],
];

async function* partsOf(files: Files): AsyncGenerator<BackupPart> {
  for (const [name, bytes] of files) {
    const body = (async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(bytes);
    })();
    yield await Promise.resolve({ name, length: bytes.length, body });
  }
}

/** A backup of `files`. */
async function backupOf(files: Files, createdAt: number = SAMPLE_CREATED): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  await writeBackup({ createdAt, parts: partsOf(files) }, (chunk) => Promise.resolve(void chunks.push(chunk)));
  return concatBytes(...chunks);
}

async function refusedBackups(): Promise<readonly RefusedBackup[]> {
  const sample = await backupOf(SAMPLE_FILES);
  const [state = ['', new Uint8Array()], ...others] = SAMPLE_FILES;
  const more = (name: string): Promise<Uint8Array> => backupOf([...SAMPLE_FILES, [name, encodeUtf8('x')]]);
  const rows: readonly (readonly [string, Code, Uint8Array])[] = [
    ['nothing', 'BACKUP_MALFORMED', new Uint8Array()],
    ['another beginning', 'BACKUP_MALFORMED', concatBytes(encodeUtf8('firmament backup v2\n'), sample.slice(20))],
    ['a byte less', 'BACKUP_MALFORMED', sample.slice(0, -1)],
    ['a byte more', 'BACKUP_MALFORMED', concatBytes(sample, Uint8Array.of(0))],
    ['a byte altered', 'BACKUP_MALFORMED', sample.map((byte, at) => (at === 200 ? byte ^ 1 : byte))],
    ['a key', 'BACKUP_MALFORMED', await more('online.age')],
    ['a name that climbs', 'BACKUP_MALFORMED', await more('books/../../online.age')],
    ['a name that comes twice', 'BACKUP_MALFORMED', await more('state.json')],
    ['no memory', 'BACKUP_MALFORMED', await backupOf(others)],
    ['a memory that is none', 'BACKUP_MALFORMED', await backupOf([[state[0], encodeUtf8('{}')], ...others])],
    ['it was made later than now', 'BACKUP_MISMATCH', await backupOf(SAMPLE_FILES, SAMPLE_CREATED + 1000)],
  ];
  return rows.map(([says, code, backup]) => ({ says, code, backup: encodeBase64(backup) }));
}

/** Every vector file by its name. */
export async function backupVectorFiles(): Promise<ReadonlyMap<string, Uint8Array | string>> {
  const refused = (await refusedBackups()).map((each) => JSON.stringify(each));
  return new Map<string, Uint8Array | string>([
    ['sample.backup', await backupOf(SAMPLE_FILES)],
    ['refused.json', `[\n${refused.join(',\n')}\n]\n`],
  ]);
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(BACKUP_VECTORS, { recursive: true });
  for (const [name, content] of await backupVectorFiles()) writeFileSync(`${BACKUP_VECTORS}${name}`, content);
}
