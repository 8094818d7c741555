/**
 * The vectors of `docs/formats/tuf.md`, made from the sample and from the table of refusals.
 *
 * - `node cli/node24.js test/formats/tuf-vectors.ts --write` writes them; a test holds the files equal, byte for byte.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseUtf8 } from '../../formats/bytes.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import { parseSnapshot, parseTimestamp } from '../../formats/tuf-snapshot.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import type { Metadata, MetadataType } from '../../formats/tuf-metadata.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { accepted } from '../accepted.ts';
import { SAMPLE_FILES, SAMPLE_SIGNERS, type SampleName } from './sample-repository.ts';
import { REFUSALS } from './tuf-refusals.ts';

/** Where the vectors stand. */
export const VECTORS: string = fileURLToPath(new URL('../vectors/tuf/', import.meta.url));

/** The parser of each type of metadata. */
export const PARSERS: Readonly<Record<MetadataType, (bytes: Uint8Array) => Verdict<Metadata<object>>>> = {
  root: parseRoot,
  targets: parseTargets,
  snapshot: parseSnapshot,
  timestamp: parseTimestamp,
};

/** The type of the metadata that is published under `name`. */
export function typeOf(name: SampleName): MetadataType {
  switch (name) {
    case '1.root.json':
    case '2.root.json':
      return 'root';
    case '1.targets.json':
    case '1.stable.json':
      return 'targets';
    case '1.snapshot.json':
      return 'snapshot';
    case 'timestamp.json':
      return 'timestamp';
  }
}

/** Every vector file by its name. */
export function vectorFiles(): ReadonlyMap<string, Uint8Array | string> {
  const names = Object.keys(SAMPLE_FILES) as SampleName[];
  const signed = names.map((name) => {
    const { signedBytes, signatures } = accepted(PARSERS[typeOf(name)](SAMPLE_FILES[name]));
    return {
      file: name,
      type: typeOf(name),
      signedSha256: sha256Hex(signedBytes),
      signedBy: signatures.map(({ keyid }) => keyid),
    };
  });
  const keys = Object.values(SAMPLE_SIGNERS).flatMap((signers) => signers.map(({ keyid, key }) => ({ keyid, key })));
  const refused = REFUSALS.map(({ says, type, file, code }) => ({ says, type, code, text: parseUtf8(file) }));
  return new Map<string, Uint8Array | string>([
    ...names.map((name) => [name, SAMPLE_FILES[name]] as const),
    ['accepted.json', lines(signed)],
    ['keys.json', lines(keys)],
    ['refused.json', lines(refused)],
  ]);
}

/** A JSON list with one item a line, so that a change shows in one line. */
function lines(items: readonly unknown[]): string {
  return `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]\n`;
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(VECTORS, { recursive: true });
  for (const [name, content] of vectorFiles()) writeFileSync(`${VECTORS}${name}`, content);
}
