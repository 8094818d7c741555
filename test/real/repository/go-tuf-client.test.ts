/** go-tuf's client on every kind of change of a repository of ours. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { encodeBase64 } from '../../../formats/bytes.ts';
import { GO_TUF_ORACLE } from '../parts.ts';
import { askOracle } from './oracle.ts';
import { testForeignClient, type Seen } from './published-changes.ts';

testForeignClient('go-tuf', async ({ folder, metadataUrl, targetsUrl, root, targets }) => {
  mkdirSync(join(folder, 'targets'), { recursive: true });
  const places = { Folder: folder, Metadata: metadataUrl, Files: targetsUrl, Root: encodeBase64(root) };
  const seen = (await askOracle([GO_TUF_ORACLE], { Do: 'see', ...places, Ask: targets })) as Seen;
  // Its words for a target that no role lists.
  const named = Object.entries(seen.targets).map(([name, found]) => [
    name,
    found === `refused: target ${name} not found` ? 'not found' : found,
  ]);
  return { ...seen, targets: Object.fromEntries(named) as Seen['targets'] };
});
