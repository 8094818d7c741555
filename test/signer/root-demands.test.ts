/** What root demands beyond TUF, at the publisher: nothing is published that a device of this version refuses, whoever signed it. */
import { expect, test } from 'vitest';
import { parseRootPart } from '../../formats/root-part.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import { makeFaultStore } from '../../simulation/fault-store.ts';
import { accepted } from '../accepted.ts';
import { nextRoots, vectorRepository } from '../formats/root-vectors.ts';
import { publishAll } from './publishing.ts';

/** How many administrations of witnesses `root` demands, where it can be read. */
function quorumOf(root: Uint8Array): number {
  const part = parseRootPart(accepted(parseRoot(root)).signed.firmament);
  return part.ok ? (part.value.log?.quorum ?? 0) : 0;
}

test('a root is published where devices take it, and refused by their code, with the store as it was, where they do not', async () => {
  const repository = await vectorRepository();
  const counts = { published: 0, refused: 0, unwitnessed: 0 };
  for (const { says, code, root } of await nextRoots(repository)) {
    const publisher = makeFaultStore();
    repository.files.delete('metadata/2.root.json');
    accepted(await publishAll(repository, publisher));
    const before = new Map(publisher.objects);
    repository.put('root', root);
    const published = await publishAll(repository, publisher);
    // A root that demands witnesses is good, but no log of this publisher has been cosigned: under it no device would act on anything.
    const isUnwitnessed = code === undefined && quorumOf(root) > 0;
    const expected = isUnwitnessed ? 'WITNESS_QUORUM_UNMET' : code;
    counts[isUnwitnessed ? 'unwitnessed' : expected === undefined ? 'published' : 'refused']++;
    if (expected === undefined) {
      expect(published.ok, says).toBe(true);
      expect(publisher.objects.get('gateway/metadata/2.root.json'), says).toEqual(root);
      continue;
    }
    const detail = expect.stringMatching(new RegExp(`^${expected}: `)) as string;
    expect(published, says).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED', detail });
    expect(publisher.objects, says).toEqual(before);
  }
  expect(counts).toEqual({ published: 5, refused: 25, unwitnessed: 4 });
});
