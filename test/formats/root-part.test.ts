/** What root demands beyond TUF: read whole or refused, and never given up by the next root. */
import { expect, test } from 'vitest';
import { bindingToJson } from '../../formats/binding.ts';
import type { JsonObject, JsonValue } from '../../formats/json.ts';
import {
  keepsDemands,
  LOG_KEYS_MAX,
  parseRootPart,
  rootPartToJson,
  WITNESSES_MAX,
  type LogKeyState,
  type LogPolicy,
  type RootPart,
  type Witness,
} from '../../formats/root-part.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { LOG_POLICY } from '../tiny-log.ts';
import { SAMPLE_ID } from './sample-repository.ts';

const NOTHING: RootPart = { log: undefined, pairs: [] };
const witness = (name: string, administration = name): Witness => ({
  name: `${name}.example`,
  key: seededSigner(name).key,
  administration,
});
const POLICY: LogPolicy = { ...LOG_POLICY, witnesses: [witness('w1'), witness('w2')], quorum: 2 };
const withLog = (log: LogPolicy): RootPart => ({ log, pairs: [] });
const member = (part: RootPart, more: readonly (readonly [string, JsonValue])[] = []): JsonObject =>
  bindingToJson({ ...SAMPLE_ID, role: 'root' }, [...rootPartToJson(part), ...more]);
const withKey = (state: LogKeyState): RootPart =>
  withLog({ ...POLICY, keys: [{ key: seededSigner('log').key, state }] });

test('what a root demands is read as it was written', () => {
  const states: readonly LogKeyState[] = ['active', 'distrusted', { frozen: 12 }];
  const keys = states.map((state, i) => ({ key: seededSigner(`log ${i}`).key, state }));
  for (const part of [NOTHING, withLog(LOG_POLICY), withLog({ ...POLICY, keys })]) {
    expect(accepted(parseRootPart(member(part)))).toEqual(part);
  }
});

test('a root without a part of ours demands nothing', () => {
  expect(accepted(parseRootPart(undefined))).toEqual(NOTHING);
});

test('a demand for pairs is refused while none can be checked, and an empty one is none', () => {
  const pairs = ['ml-dsa-44'];
  expect(parseRootPart(member({ ...NOTHING, pairs }))).toMatchObject({ ok: false, code: 'PAIR_MISSING' });
  expect(accepted(parseRootPart(member(NOTHING, [['pairs', []]])))).toEqual(NOTHING);
});

test('a demand that is not understood is refused, never passed over', () => {
  const bad: readonly JsonObject[] = [
    member(NOTHING, [['quorums', []]]),
    member(NOTHING, [['log', new Map()]]),
    member(withLog({ ...POLICY, origin: 'two words' })),
    member(withLog({ ...POLICY, origin: '' })),
    member(withLog({ ...POLICY, keys: [] })),
    member(withLog({ ...POLICY, quorum: -1 })),
    member(withKey({ frozen: -1 })),
  ];
  for (const part of bad) expect(parseRootPart(part)).toMatchObject({ ok: false, code: 'ROOT_PART_MALFORMED' });
});

test('a quorum that one administration could fill, or none, is refused when it is read', () => {
  const one = [witness('w1', 'one'), witness('w2', 'one')];
  expect(parseRootPart(member(withLog({ ...POLICY, witnesses: one })))).toMatchObject({ code: 'ROOT_PART_MALFORMED' });
  expect(parseRootPart(member(withLog({ ...POLICY, quorum: 3 })))).toMatchObject({ code: 'ROOT_PART_MALFORMED' });
  expect(parseRootPart(member(withLog({ ...POLICY, witnesses: one, quorum: 1 }))).ok).toBe(true);
});

test('no key counts twice: not as two keys of the log, as two witnesses, or as log and witness', () => {
  const log = POLICY.keys[0]?.key ?? seededSigner('log').key;
  const doubled: readonly LogPolicy[] = [
    { ...POLICY, keys: [...POLICY.keys, { key: log, state: 'active' }] },
    { ...POLICY, witnesses: [witness('w1'), { ...witness('w1', 'other'), name: 'other.example' }] },
    { ...POLICY, witnesses: [witness('w1'), { ...witness('w2'), name: 'w1.example' }] },
    { ...POLICY, witnesses: [witness('w1'), { ...witness('w2'), key: log }] },
    { ...POLICY, witnesses: [witness('w1'), { ...witness('w2'), name: POLICY.origin }] },
  ];
  for (const policy of doubled) {
    expect(parseRootPart(member(withLog(policy)))).toMatchObject({ ok: false, code: 'ROOT_PART_MALFORMED' });
  }
});

test('keys and witnesses stay within their limits', () => {
  const keys = (count: number): LogPolicy['keys'] =>
    Array.from({ length: count }, (_, i) => ({ key: seededSigner(`k${i}`).key, state: 'active' as const }));
  const witnesses = (count: number): readonly Witness[] => Array.from({ length: count }, (_, i) => witness(`w${i}`));
  const full = { ...POLICY, keys: keys(LOG_KEYS_MAX), witnesses: witnesses(WITNESSES_MAX), quorum: WITNESSES_MAX };
  expect(parseRootPart(member(withLog(full))).ok).toBe(true);
  const code = 'ROOT_PART_MALFORMED';
  expect(parseRootPart(member(withLog({ ...full, keys: keys(LOG_KEYS_MAX + 1) })))).toMatchObject({ code });
  expect(parseRootPart(member(withLog({ ...full, witnesses: witnesses(WITNESSES_MAX + 1) })))).toMatchObject({ code });
});

test('the next root gives up neither the log nor its origin, and asks for no smaller quorum', () => {
  const code = 'LOG_POLICY_WEAKENED';
  expect(keepsDemands(withLog(POLICY), NOTHING)).toMatchObject({ ok: false, code });
  expect(keepsDemands(withLog(POLICY), withLog({ ...POLICY, origin: 'other.example' }))).toMatchObject({ code });
  expect(keepsDemands(withLog(POLICY), withLog({ ...POLICY, quorum: 1 }))).toMatchObject({ code });
  expect(keepsDemands(withLog(POLICY), withLog(POLICY)).ok).toBe(true);
  expect(keepsDemands(withLog(LOG_POLICY), withLog(POLICY)).ok).toBe(true);
  expect(keepsDemands(NOTHING, withLog(POLICY)).ok).toBe(true);
});

test('a key of the log may be frozen or distrusted; it is never left out, thawed or revived', () => {
  const order: readonly LogKeyState[] = ['active', { frozen: 9 }, { frozen: 8 }, 'distrusted'];
  for (const [i, former] of order.entries()) {
    for (const [j, next] of order.entries()) {
      expect(keepsDemands(withKey(former), withKey(next)).ok, `${i} to ${j}`).toBe(j >= i);
    }
  }
  const key = { key: seededSigner('new').key, state: 'active' } as const;
  expect(keepsDemands(withLog(POLICY), withLog({ ...POLICY, keys: [key] }))).toMatchObject({
    code: 'LOG_POLICY_WEAKENED',
  });
  expect(keepsDemands(withLog(POLICY), withLog({ ...POLICY, keys: [...POLICY.keys, key] })).ok).toBe(true);
});
