/** tough's client on every kind of change of a repository of ours. */
import { expect } from 'vitest';
import { parseHex } from '../../../formats/bytes.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { TOUGH_ORACLE } from '../parts.ts';
import { askOracle } from './oracle.ts';
import { testForeignClient, type Seen } from './published-changes.ts';

testForeignClient('tough', async ({ folder, metadataUrl, targetsUrl, rootFile, targets }) => {
  const command = [TOUGH_ORACLE, folder, metadataUrl, targetsUrl, rootFile, ...targets] as const;
  const { moved, ...seen } = (await askOracle(command)) as Seen & { readonly moved: number };
  // It hands out the content.
  const digests = Object.entries(seen.targets).map(([name, found]) => {
    const bytes = parseHex(found);
    return [name, bytes === undefined ? found.replace('refused: ', '') : sha256Hex(bytes)];
  });
  // It asked for every target under a name of its own, with the digest before the folders, and was helped.
  expect(moved).toBe(Object.values(seen.targets).filter((found) => parseHex(found) !== undefined).length);
  return { ...seen, targets: Object.fromEntries(digests) as Seen['targets'] };
});
