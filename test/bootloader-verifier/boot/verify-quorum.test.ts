/** Who counts: distinct people, none of them the author, one with an independent key (rule R2). */
import { expect, test } from 'vitest';
import type { JsonValue } from '../../../formats/json.ts';
import type { Author, Person } from '../../../formats/people.ts';
import { keyIdOf } from '../../../formats/tuf-key.ts';
import { encodeMetadata } from '../../../formats/tuf-metadata.ts';
import { parseTargets, targetsToJson } from '../../../formats/tuf-targets.ts';
import { verifyBundle } from '../../../bootloader-verifier/boot/verify-bundle.ts';
import { signMetadata } from '../../../signer/add-signature.ts';
import type { Signer } from '../../../signer/signer.ts';
import { accepted } from '../../accepted.ts';
import { withPart } from '../../edited-metadata.ts';
import { makeTinyRepository, signedOf, TINY_NOW, type TinyRepository } from '../../tiny-repository.ts';

const CI = { issuer: 'https://ci.example', subject: 'repo:gateway' };
const DEE: Author = { person: 'dee' };

function managers(repository: TinyRepository): readonly [Signer, Signer, Signer] {
  const [dee, eli, fay] = repository.signers.get('stable') ?? [];
  if (dee === undefined || eli === undefined || fay === undefined) throw new Error('a channel has three managers');
  return [dee, eli, fay];
}

/** Dee, Eli and Fay with one key each; Dee answers for the workflow; only Eli's key is independent. */
function threePeople(repository: TinyRepository): readonly Person[] {
  const [dee, eli, fay] = managers(repository);
  const key = ({ keyid }: Signer, independent: boolean): Person['keys'] => [{ keyid, independent }];
  return [
    { person: 'dee', keys: key(dee, false), subjects: [CI] },
    { person: 'eli', keys: key(eli, true), subjects: [] },
    { person: 'fay', keys: key(fay, false), subjects: [] },
  ];
}

type Said = {
  readonly people?: (repository: TinyRepository) => readonly Person[];
  readonly authors: readonly Author[];
  /** Who signs: 0 is Dee, 1 Eli, 2 Fay. */
  readonly by: readonly number[];
};

/** What a device says of release 2.0.0, made by `authors` and signed by `by`. */
async function judged({ people = threePeople, authors, by }: Said): Promise<ReturnType<typeof verifyBundle>> {
  const repository = await makeTinyRepository();
  await repository.publishTargets({ people: people(repository) });
  const signers = managers(repository).filter((_, i) => by.includes(i));
  const event = { notAfter: TINY_NOW + 1000, authors };
  const { bundle } = await repository.publishRelease({ signers, channels: ['stable'], draft: { event } });
  return verifyBundle(bundle, repository.device());
}

test('two people who did not make the release approve it, one of them with an independent key', async () => {
  expect(await judged({ authors: [DEE], by: [1, 2] })).toMatchObject({ ok: true });
});

test("the author's signature never counts, by name or by the subject of a workflow", async () => {
  expect(await judged({ authors: [DEE], by: [0, 1] })).toMatchObject({ ok: false, code: 'QUORUM_UNMET' });
  expect(await judged({ authors: [CI], by: [0, 1] })).toMatchObject({ ok: false, code: 'QUORUM_UNMET' });
  expect(await judged({ authors: [CI], by: [1, 2] })).toMatchObject({ ok: true });
});

test('an author who signs beside a quorum of others spoils nothing', async () => {
  expect(await judged({ authors: [DEE], by: [0, 1, 2] })).toMatchObject({ ok: true });
});

test('every one of several authors is excluded', async () => {
  expect(await judged({ authors: [CI, { person: 'fay' }], by: [1, 2] })).toMatchObject({ code: 'QUORUM_UNMET' });
});

test('a quorum without an independent key is none, and an author cannot lend it theirs', async () => {
  expect(await judged({ authors: [{ person: 'eli' }], by: [0, 2] })).toMatchObject({ code: 'QUORUM_UNMET' });
  expect(await judged({ authors: [{ person: 'eli' }], by: [0, 1, 2] })).toMatchObject({ code: 'QUORUM_UNMET' });
});

test('one person with two keys is one person', async () => {
  const people = (repository: TinyRepository): readonly Person[] => {
    const [dee, eli, fay] = threePeople(repository);
    if (dee === undefined || eli === undefined || fay === undefined) throw new Error('three people');
    return [dee, { ...eli, keys: [...eli.keys, ...fay.keys] }];
  };
  expect(await judged({ people, authors: [DEE], by: [1, 2] })).toMatchObject({ code: 'QUORUM_UNMET' });
});

test('a key of the role that belongs to nobody on the list counts for nobody', async () => {
  const people = (repository: TinyRepository): readonly Person[] => threePeople(repository).slice(0, 2);
  expect(await judged({ people, authors: [DEE], by: [1, 2] })).toMatchObject({ code: 'QUORUM_UNMET' });
});

test('an author whom the list does not know is refused: somebody nameless could be anybody', async () => {
  const unknown = [{ person: 'gus' }, { ...CI, subject: 'repo:fork' }, { ...CI, issuer: 'https://evil.example' }];
  for (const author of unknown) {
    expect(await judged({ authors: [author], by: [1, 2] })).toMatchObject({ ok: false, code: 'AUTHOR_UNKNOWN' });
    expect(await judged({ authors: [DEE, author], by: [1, 2] })).toMatchObject({ ok: false, code: 'AUTHOR_UNKNOWN' });
  }
});

test('a channel that does not say who made it is refused as soon as people are listed', async () => {
  const repository = await makeTinyRepository();
  expect(verifyBundle(repository.bundle('1.0.0'), repository.device())).toMatchObject({ ok: true });
  await repository.publishTargets({ people: threePeople(repository) });
  expect(verifyBundle(repository.bundle('1.0.0'), repository.device())).toMatchObject({
    ok: false,
    code: 'EVENT_MISSING',
  });
});

test('an event that is changed after people signed breaks their signatures', async () => {
  const repository = await makeTinyRepository();
  await repository.publishTargets({ people: threePeople(repository) });
  const event = { notAfter: TINY_NOW + 1000, authors: [DEE] };
  const { bundle } = await repository.publishRelease({ channels: ['stable'], draft: { event } });
  expect(verifyBundle(bundle, repository.device())).toMatchObject({ code: 'QUORUM_UNMET' });
  const signedFile = repository.newest('stable');
  const other = new Map<string, JsonValue>([
    ['notAfter', '2026-01-08T00:00:00Z'],
    ['authors', [new Map([['person', 'fay']])]],
  ]);
  const { signatures } = accepted(parseTargets(signedFile));
  const kept = signatures.map(({ keyid, sig = new Uint8Array() }) => ({ keyid, sig }));
  const channel = encodeMetadata(withPart(signedFile, { event: other }), kept);
  expect(verifyBundle(repository.bundle('2.0.0', { channel }), repository.device())).toMatchObject({
    code: 'METADATA_THRESHOLD_UNMET',
  });
});

test('one key under two ids, each of another person, counts for neither', async () => {
  const repository = await makeTinyRepository();
  const [dee, eli, fay] = managers(repository);
  await repository.publishTargets({ people: threePeople(repository) });
  const event = { notAfter: TINY_NOW + 1000, authors: [DEE] };
  await repository.publishRelease({ channels: ['stable'], draft: { event } });
  const targets = accepted(parseTargets(repository.newest('targets'))).signed;
  const { keys = new Map(), roles = [] } = targets.delegations ?? {};
  // Fay's id stands for Eli's key: whoever writes the delegation could try to make one person two.
  const delegations = { keys: new Map([...keys, [keyIdOf(fay.key), eli.key] as const]), roles };
  const aliased = await repository.sign('targets', targetsToJson({ ...targets, delegations }));
  const byEliAsFay = { ...fay, sign: eli.sign };
  const channel = await signMetadata(signedOf(repository.newest('stable')), [dee, eli, byEliAsFay]);
  expect(verifyBundle(repository.bundle('2.0.0', { targets: aliased, channel }), repository.device())).toMatchObject({
    ok: false,
    code: 'QUORUM_UNMET',
  });
});
