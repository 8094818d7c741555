/** Drafts: what people are handed to sign is what devices will accept, or it is not handed out. */
import { describe, expect, test } from 'vitest';
import { parseChannelPart } from '../../formats/channel-part.ts';
import { encodeInstant } from '../../formats/instant.ts';
import type { Judging, Verifier } from '../../formats/judging.ts';
import { parseTrustPart } from '../../formats/trust-part.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { draftChannel, type ChannelDraft, type ComponentDraft } from '../../signer/draft-channel.ts';
import { draftFirstRoot, draftNextRoot, type Quorums } from '../../signer/draft-root.ts';
import { draftTargets } from '../../signer/draft-targets.ts';
import { repositoryIdOf } from '../../signer/repository-id.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { tinyBuilder } from '../tiny-release.ts';
import { makeTinyRepository, TINY_NOW } from '../tiny-repository.ts';

const key = (name: string): Quorums['root']['keys'][number] => seededSigner(name).key;
const quorum = (threshold: number, ...names: readonly string[]): Quorums['root'] => ({
  keys: names.map(key),
  threshold,
});
const QUORUMS: Quorums = {
  root: quorum(2, 'a', 'b', 'c'),
  targets: quorum(2, 'a', 'b'),
  snapshot: quorum(1, 'online'),
  timestamp: quorum(1, 'online'),
};
const now = TINY_NOW;
const repository = { product: 'gateway', rootOneSha256: 'ab'.repeat(32) };

describe('roots', () => {
  test('the first root has version 1, consistent snapshots, a year to live, and names no digest of itself', () => {
    const { signed } = accepted(parseRoot(accepted(draftFirstRoot({ product: 'gateway', quorums: QUORUMS, now }))));
    expect(signed).toMatchObject({ version: 1, consistentSnapshot: true });
    expect(encodeInstant(signed.expires)).toBe('2027-01-01T00:00:00Z');
    expect([...(signed.firmament ?? [])]).toEqual([
      ['product', 'gateway'],
      ['role', 'root'],
      ['version', 1],
    ]);
    expect(signed.keys.size).toBe(4);
  });

  test('the next root keeps what is not replaced, drops keys that no role lists, and names root 1 by its signed file', async () => {
    const { factory, id } = await makeTinyRepository();
    const next = accepted(draftNextRoot({ former: factory.root, quorums: { targets: quorum(1, 'new') }, now }));
    const { signed } = accepted(parseRoot(next));
    const before = accepted(parseRoot(factory.root)).signed;
    expect(signed.version).toBe(2);
    expect(signed.roles.root).toEqual(before.roles.root);
    expect(signed.roles.targets.keyids).toEqual([seededSigner('new').keyid]);
    expect(signed.keys.has(before.roles.targets.keyids[0] ?? '')).toBe(false);
    expect(signed.firmament?.get('root')).toBe(id.rootOneSha256);
    const third = accepted(parseRoot(accepted(draftNextRoot({ former: next, quorums: {}, now }))));
    expect(third.signed.firmament?.get('root')).toBe(id.rootOneSha256);
  });

  test.each<[string, Partial<Quorums>]>([
    ['a threshold above the number of keys', { root: quorum(4, 'a', 'b', 'c') }],
    ['a threshold of zero', { timestamp: quorum(0, 'online') }],
    ['a role without keys', { snapshot: quorum(1) }],
    ['a key that stands twice', { targets: quorum(2, 'a', 'a') }],
  ])('%s is never drafted: nobody could sign it, or one key would count twice', (_, change) => {
    const draft = draftFirstRoot({ product: 'gateway', quorums: { ...QUORUMS, ...change }, now });
    expect(draft).toMatchObject({ ok: false, code: 'DRAFT_REFUSED' });
  });

  test('a product outside of the allowed names founds no repository', () => {
    expect(draftFirstRoot({ product: '../gateway', quorums: QUORUMS, now })).toMatchObject({
      ok: false,
      code: 'REPOSITORY_UNBOUND',
    });
  });

  test('only root 1 founds a repository', async () => {
    const tiny = await makeTinyRepository();
    expect(repositoryIdOf(await tiny.publishRoot())).toMatchObject({ ok: false, code: 'ROOT_VERSION_NOT_NEXT' });
  });
});

describe('targets', () => {
  const stable = { name: 'stable', quorum: quorum(2, 'a', 'b', 'c') };
  const builders = [tinyBuilder(seededSigner('builder'))];
  const first = accepted(draftTargets({ repository, former: undefined, channels: [stable], builders, now }));

  test('a channel is a delegation over names of ours, not terminating, with its quorum', () => {
    const { signed } = accepted(parseTargets(first));
    expect(signed.targets.size).toBe(0);
    expect(signed.delegations?.roles).toEqual([
      {
        name: 'stable',
        keyids: stable.quorum.keys.map((_, i) => seededSigner(['a', 'b', 'c'][i] ?? '').keyid),
        threshold: 2,
        terminating: false,
        paths: ['*/*/*'],
      },
    ]);
  });

  test('channels are replaced by name and builders by identity; what is not named stays', () => {
    const beta = { name: 'beta', quorum: quorum(1, 'd') };
    const second = accepted(draftTargets({ repository, former: first, channels: [beta], now }));
    const other = { ...tinyBuilder(seededSigner('other')), id: 'https://other.example' };
    const third = accepted(
      draftTargets({ repository, former: second, withoutChannels: ['stable'], builders: [other], now }),
    );
    const { signed } = accepted(parseTargets(third));
    expect(signed.version).toBe(3);
    expect(signed.delegations?.roles.map(({ name }) => name)).toEqual(['beta']);
    expect([...(signed.delegations?.keys.keys() ?? [])]).toEqual([seededSigner('d').keyid]);
    expect(signed.firmament?.get('builders')).toHaveLength(2);
  });

  test.each(['root', 'targets', 'snapshot', 'timestamp', 'Stable', '../stable'])('no channel is named %s', (name) => {
    const draft = draftTargets({ repository, former: first, channels: [{ ...stable, name }], now });
    expect(draft).toMatchObject({ ok: false });
  });

  test('a channel that is not there cannot be removed, and none is named twice', () => {
    const gone = draftTargets({ repository, former: first, withoutChannels: ['beta'], now });
    expect(gone).toMatchObject({ ok: false, code: 'DRAFT_REFUSED' });
    const twice = draftTargets({ repository, former: first, channels: [stable, stable], now });
    expect(twice).toMatchObject({ ok: false, code: 'DRAFT_REFUSED' });
  });

  test('targets of another repository are no base for a draft', () => {
    const other = { ...repository, product: 'other' };
    expect(draftTargets({ repository: other, former: first, now })).toMatchObject({
      ok: false,
      code: 'REPOSITORY_MISMATCH',
    });
  });

  test('targets without any builder are not drafted: no release could ever boot', () => {
    const withoutBuilders = builders.map(({ id }) => id);
    expect(draftTargets({ repository, former: first, withoutBuilders, now })).toMatchObject({
      ok: false,
      code: 'RELEASE_MALFORMED',
    });
  });
});

describe('verifiers and policy', () => {
  const base = { repository, now };
  const builders = [tinyBuilder(seededSigner('builder'))];
  const verifier = (name: string, id = name): Verifier => ({ id: `https://verifier.example/${id}`, key: key(name) });
  const [one, two, three] = ['11', '22', '33'].map((byte) => byte.repeat(32));
  const judgingOf = (file: Uint8Array): Judging | undefined =>
    accepted(parseTrustPart(accepted(parseTargets(file)).signed.firmament)).judging;
  const first = accepted(
    draftTargets({ ...base, former: undefined, builders, verifiers: [verifier('a')], policySha256: one }),
  );

  test('verifiers are replaced by identity, and what is not named stays', () => {
    const verifiers = [verifier('b', 'a'), verifier('c')];
    const next = accepted(draftTargets({ ...base, former: first, verifiers }));
    expect(judgingOf(next)).toEqual({ verifiers, policy: { sha256: one, stillAccepted: [] } });
    const last = accepted(draftTargets({ ...base, former: next, withoutVerifiers: ['https://verifier.example/a'] }));
    expect(judgingOf(last)?.verifiers).toEqual([verifier('c')]);
  });

  test('a former policy counts on until it is named to go, so that what runs keeps its trust', () => {
    const second = accepted(draftTargets({ ...base, former: first, policySha256: two }));
    const third = accepted(draftTargets({ ...base, former: second, policySha256: three }));
    expect(judgingOf(third)?.policy).toEqual({ sha256: three, stillAccepted: [two, one] });
    const last = accepted(draftTargets({ ...base, former: third, withoutPolicies: [one ?? '', two ?? ''] }));
    expect(judgingOf(last)?.policy).toEqual({ sha256: three, stillAccepted: [] });
  });

  test('neither stands without the other', () => {
    const policyAlone = { ...base, former: undefined, builders, policySha256: one };
    expect(draftTargets(policyAlone)).toMatchObject({ code: 'DRAFT_REFUSED' });
    const verifierAlone = { ...base, former: undefined, builders, verifiers: [verifier('a')] };
    expect(draftTargets(verifierAlone)).toMatchObject({ code: 'DRAFT_REFUSED' });
  });

  test('when the last verifier goes by name, nothing is judged any more', () => {
    const withoutVerifiers = ['https://verifier.example/a'];
    expect(judgingOf(accepted(draftTargets({ ...base, former: first, withoutVerifiers })))).toBeUndefined();
  });
});

describe('channels', () => {
  const component: ComponentDraft = {
    component: 'gateway',
    firmwareVersion: '1.0.0',
    securityCounter: 1,
    hardwareIds: ['gw-1'],
    installer: 'slot',
    image: { file: 'image.js', length: 10, sha256: '11'.repeat(32) },
    provenance: { file: 'provenance.json', length: 20, sha256: '22'.repeat(32) },
  };
  const base = { repository, channel: 'stable', now } as const;
  const release = { name: '1.0.0', components: [component] };
  const first = accepted(draftChannel({ ...base, former: undefined, release }));
  const next = (change: Partial<ChannelDraft>): ReturnType<typeof draftChannel> =>
    draftChannel({ ...base, former: first, ...change });

  test('a first channel lists its release, puts it in force and lives for 90 days', () => {
    const { signed } = accepted(parseTargets(first));
    expect([...signed.targets.keys()]).toEqual(['1.0.0/gateway/image.js', '1.0.0/gateway/provenance.json']);
    expect(accepted(parseChannelPart(signed.firmament))).toEqual({
      release: '1.0.0',
      minSecurityCounter: 0,
      revokedDigests: [],
    });
    expect(signed.expires - now).toBe(90 * 86_400_000);
  });

  test('an added release is in force, and the older one stays listed for the devices that run it', () => {
    const second = accepted(next({ release: { ...release, name: '2.0.0' } }));
    const { signed } = accepted(parseTargets(second));
    expect(signed.targets.size).toBe(4);
    expect(accepted(parseChannelPart(signed.firmament)).release).toBe('2.0.0');
    const recall = draftChannel({ ...base, former: second, inForce: '1.0.0' });
    expect(accepted(parseChannelPart(accepted(parseTargets(accepted(recall))).signed.firmament)).release).toBe('1.0.0');
  });

  test('a release name is given once: the same content passes, any other is refused', () => {
    expect(next({ release })).toMatchObject({ ok: true });
    const other = { ...component, image: { ...component.image, sha256: '33'.repeat(32) } };
    expect(next({ release: { ...release, components: [other] } })).toMatchObject({ ok: false, code: 'DRAFT_REFUSED' });
  });

  test('the least counter never falls, and what is revoked stays revoked', () => {
    const raised = accepted(next({ minSecurityCounter: 1, revokedDigests: ['44'.repeat(32)] }));
    const fallen = draftChannel({ ...base, former: raised, minSecurityCounter: 0 });
    expect(fallen).toMatchObject({ ok: false, code: 'DRAFT_REFUSED' });
    const kept = accepted(draftChannel({ ...base, former: raised, revokedDigests: ['55'.repeat(32)] }));
    expect(accepted(parseChannelPart(accepted(parseTargets(kept)).signed.firmament))).toMatchObject({
      minSecurityCounter: 1,
      revokedDigests: ['44'.repeat(32), '55'.repeat(32)],
    });
  });

  test.each<[string, string, Partial<ChannelDraft>]>([
    ['without a release', 'DRAFT_REFUSED', { former: undefined }],
    ['with a release in force that it does not list', 'RELEASE_MALFORMED', { inForce: '9.9.9' }],
    ['that drops the release in force', 'RELEASE_MALFORMED', { withoutReleases: ['1.0.0'] }],
    ['of another channel', 'ROLE_MISMATCH', { channel: 'beta' }],
    ['with a name that climbs out of its folder', 'DRAFT_REFUSED', { release: { ...release, name: '..' } }],
    [
      'with an image for no hardware',
      'RELEASE_MALFORMED',
      { release: { name: '2.0.0', components: [{ ...component, hardwareIds: [] }] } },
    ],
    [
      'with one name for image and provenance',
      'DRAFT_REFUSED',
      { release: { name: '2.0.0', components: [{ ...component, provenance: component.image }] } },
    ],
    ['with a release of no components', 'RELEASE_MALFORMED', { release: { name: '2.0.0', components: [] } }],
  ])('a channel %s is not drafted', (_, code, change) => {
    expect(next(change)).toMatchObject({ ok: false, code });
  });
});
