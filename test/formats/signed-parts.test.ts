/** What the targets role and a channel say beyond TUF: understood whole, or refused. */
import { expect, test } from 'vitest';
import { bindingToJson } from '../../formats/binding.ts';
import { channelPartToJson, parseChannelPart, REVOKED_MAX, type ChannelPart } from '../../formats/channel-part.ts';
import type { JsonObject, JsonValue } from '../../formats/json.ts';
import { judgingToJson, STILL_ACCEPTED_MAX, VERIFIERS_MAX } from '../../formats/judging.ts';
import { keyToJson } from '../../formats/tuf-key.ts';
import { BUILDERS_MAX, parseTrustPart, trustPartToJson, type Builder } from '../../formats/trust-part.ts';
import { seededSigner } from '../seeded-signer.ts';
import { tinyJudging } from '../tiny-vsa.ts';
import { bound, SAMPLE_ID } from './sample-repository.ts';

const BUILDER: Builder = {
  id: 'https://builder.example/two-runs',
  key: seededSigner('builder').key,
  source: 'git+https://source.example/gateway.git',
};
const APPROVAL: ChannelPart = { release: '1.0.0', minSecurityCounter: 3, revokedDigests: ['ab'.repeat(32)] };

/** `part` with other members; undefined removes one. */
function changed(part: JsonObject, change: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const members = new Map(part);
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) members.delete(name);
    else members.set(name, value);
  }
  return members;
}

const trust = (change: Readonly<Record<string, JsonValue | undefined>> = {}): JsonObject =>
  changed(bound('targets', trustPartToJson({ builders: [BUILDER] })), change);
const channel = (change: Readonly<Record<string, JsonValue | undefined>> = {}): JsonObject =>
  changed(bound('stable', channelPartToJson(APPROVAL)), change);

const builderJson = (change: Readonly<Record<string, JsonValue | undefined>>): JsonValue =>
  changed(
    new Map<string, JsonValue>([
      ['id', BUILDER.id],
      ['key', keyToJson(BUILDER.key)],
      ['source', BUILDER.source],
    ]),
    change,
  );

test('what is written of both parts is read as the same', () => {
  expect(parseTrustPart(trust())).toEqual({ ok: true, value: { builders: [BUILDER] } });
  expect(parseChannelPart(channel())).toEqual({ ok: true, value: APPROVAL });
  const first = bindingToJson({ ...SAMPLE_ID, rootOneSha256: undefined, role: 'stable' }, channelPartToJson(APPROVAL));
  expect(parseChannelPart(first)).toEqual({ ok: true, value: APPROVAL });
});

test('a targets role or a channel without a part of ours is refused', () => {
  expect(parseTrustPart(undefined)).toEqual({
    ok: false,
    code: 'RELEASE_MALFORMED',
    detail: 'targets: .firmament: it is missing',
  });
  expect(parseChannelPart(undefined)).toEqual({
    ok: false,
    code: 'RELEASE_MALFORMED',
    detail: 'channel: .firmament: it is missing',
  });
});

test('the part of one role is never read as that of another', () => {
  expect(parseTrustPart(channel())).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  expect(parseChannelPart(trust())).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  expect(parseTrustPart(trust({ role: 'stable' }))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
});

test('a member that is not known is refused at every depth, because it may narrow what people signed', () => {
  expect(parseTrustPart(trust({ 'x-unknown': 1 }))).toEqual({
    ok: false,
    code: 'RELEASE_MALFORMED',
    detail: 'targets: .firmament: member x-unknown is not known',
  });
  expect(parseChannelPart(channel({ waves: [] }))).toMatchObject({
    detail: 'channel: .firmament: member waves is not known',
  });
  const key = new Map([...(keyToJson(BUILDER.key) as JsonObject), ['notAfter', '2030-01-01T00:00:00Z'] as const]);
  for (const builder of [builderJson({ days: 3 }), builderJson({ key })]) {
    expect(parseTrustPart(trust({ builders: [builder] }))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  }
});

test('a newer version of either part is refused: it may say what this reader does not know', () => {
  for (const version of [0, 2, '1', undefined]) {
    expect(parseTrustPart(trust({ version }))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
    expect(parseChannelPart(channel({ version }))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  }
});

test('a targets role without a builder, or with one that lacks key, identity or source, is refused', () => {
  expect(parseTrustPart(trust({ builders: [] }))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  expect(parseTrustPart(trust({ builders: undefined }))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  for (const change of [
    { id: undefined },
    { id: '' },
    { key: undefined },
    { key: 'ab' },
    { source: undefined },
    { source: '' },
  ]) {
    expect(parseTrustPart(trust({ builders: [builderJson(change)] })), JSON.stringify(change)).toMatchObject({
      ok: false,
      code: 'RELEASE_MALFORMED',
      detail: expect.stringMatching(/^targets: \.firmament\.builders\[0\]/) as string,
    });
  }
});

test('a channel without a release, counter or list of revoked digests is refused: nothing has a default', () => {
  for (const change of [
    { release: undefined },
    { release: '../1.0.0' },
    { release: '' },
    { minSecurityCounter: undefined },
    { minSecurityCounter: -1 },
    { minSecurityCounter: '3' },
    { revokedDigests: undefined },
    { revokedDigests: ['AB'.repeat(32)] },
    { revokedDigests: ['ab'.repeat(31)] },
    { revokedDigests: 'ab'.repeat(32) },
  ]) {
    expect(parseChannelPart(channel(change)), JSON.stringify(change)).toMatchObject({
      ok: false,
      code: 'RELEASE_MALFORMED',
    });
  }
});

test('verifiers and a policy go together, each whole', () => {
  const judging = new Map(judgingToJson(tinyJudging()));
  const verifiers = judging.get('verifiers') ?? null;
  const policy = judging.get('policy') ?? null;
  expect(parseTrustPart(trust({ verifiers, policy }))).toMatchObject({ ok: true, value: { judging: tinyJudging() } });
  const digest = '11'.repeat(32);
  for (const change of [
    { verifiers },
    { policy },
    { verifiers: [], policy },
    { verifiers, policy: new Map() },
    { verifiers, policy: new Map([['sha256', 'no digest']]) },
    {
      verifiers,
      policy: new Map<string, JsonValue>([
        ['sha256', digest],
        ['stillAccepted', []],
      ]),
    },
    {
      verifiers,
      policy: new Map<string, JsonValue>([
        ['sha256', digest],
        ['text', 'permit'],
      ]),
    },
    { verifiers: [new Map<string, JsonValue>([['id', 'https://verifier.example']])], policy },
  ]) {
    expect(parseTrustPart(trust(change))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  }
});

test('at most 8 verifiers and 16 former policies are read', () => {
  expect([VERIFIERS_MAX, STILL_ACCEPTED_MAX]).toEqual([8, 16]);
  const listed = (verifiers: number, policies: number): JsonObject => {
    const {
      verifiers: [one],
      policy,
    } = tinyJudging();
    if (one === undefined) throw new Error('a verifier is listed');
    const stillAccepted = Array.from({ length: policies }, () => '11'.repeat(32));
    const many = Array.from({ length: verifiers }, () => one);
    return trust(Object.fromEntries(judgingToJson({ verifiers: many, policy: { ...policy, stillAccepted } })));
  };
  expect(parseTrustPart(listed(VERIFIERS_MAX, STILL_ACCEPTED_MAX)).ok).toBe(true);
  expect(parseTrustPart(listed(VERIFIERS_MAX + 1, 0))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  expect(parseTrustPart(listed(1, STILL_ACCEPTED_MAX + 1))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
});

test('at most 16 builders and 1024 revoked digests are read', () => {
  expect([BUILDERS_MAX, REVOKED_MAX]).toEqual([16, 1024]);
  const builders = (count: number): JsonObject =>
    trust({ builders: Array.from({ length: count }, () => builderJson({})) });
  const revoked = (count: number): JsonObject =>
    channel({ revokedDigests: Array.from({ length: count }, () => 'ab'.repeat(32)) });
  expect(parseTrustPart(builders(BUILDERS_MAX)).ok).toBe(true);
  expect(parseTrustPart(builders(BUILDERS_MAX + 1))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  expect(parseChannelPart(revoked(REVOKED_MAX)).ok).toBe(true);
  expect(parseChannelPart(revoked(REVOKED_MAX + 1))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
});

test('an identity or a source has at most 512 characters', () => {
  for (const member of ['id', 'source']) {
    const long = (length: number): JsonObject => trust({ builders: [builderJson({ [member]: 'a'.repeat(length) })] });
    expect(parseTrustPart(long(512)).ok).toBe(true);
    expect(parseTrustPart(long(513))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  }
});
