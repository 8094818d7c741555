/** R1: each signed part names its repository and its role, and none is taken for a part of another. */
import { expect, test } from 'vitest';
import { bindingToJson, verifyBinding, type BindingCode, type RepositoryId } from '../../formats/binding.ts';
import type { JsonObject, JsonValue } from '../../formats/json.ts';
import type { Verdict } from '../../formats/verdict.ts';

const HERE: RepositoryId = { product: 'gateway', rootOneSha256: 'ab'.repeat(32) };

/** How the part `firmament` is judged where `stable` of the repository is expected. */
function judge(firmament: JsonObject | undefined, isRootOne?: boolean): Verdict<void, BindingCode> {
  const expected = { repository: HERE, role: 'stable' };
  return verifyBinding(firmament, isRootOne === undefined ? expected : { ...expected, isRootOne });
}

/** The binding of the repository with other members; undefined leaves one out. */
function part(change: Readonly<Record<string, JsonValue | undefined>> = {}): JsonObject {
  const whole: Record<string, JsonValue | undefined> = {
    version: 1,
    product: 'gateway',
    role: 'stable',
    root: 'ab'.repeat(32),
    ...change,
  };
  return new Map(
    Object.entries(whole).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}

test('what is written of a binding is accepted where it belongs, with whatever its role adds', () => {
  expect(judge(bindingToJson({ ...HERE, role: 'stable' }))).toEqual({ ok: true, value: undefined });
  expect(judge(bindingToJson({ ...HERE, role: 'stable' }, [['release', '1.0.0']]))).toEqual({
    ok: true,
    value: undefined,
  });
  expect([...bindingToJson({ ...HERE, role: 'stable' }, [['release', '1.0.0']]).keys()]).toEqual([
    ...['version', 'product', 'role', 'root', 'release'],
  ]);
});

test('a part that names no repository is refused, though its signatures are good', () => {
  expect(judge(undefined)).toMatchObject({ ok: false, code: 'REPOSITORY_UNBOUND' });
  for (const change of [
    { version: undefined },
    { version: 2 },
    { version: '1' },
    { product: undefined },
    { product: 'Gateway' },
    { product: ['gateway'] },
    { role: undefined },
    { role: '' },
    { role: 'stable\n' },
    { root: 'AB'.repeat(32) },
    { root: 'ab'.repeat(31) },
    { root: null },
  ]) {
    expect(judge(part(change)), JSON.stringify(change)).toMatchObject({ ok: false, code: 'REPOSITORY_UNBOUND' });
  }
});

test('a part of another product, or of a product of the same name with another first root, is refused', () => {
  expect(judge(part({ product: 'gateway-2' }))).toMatchObject({ ok: false, code: 'REPOSITORY_MISMATCH' });
  expect(judge(part({ root: 'cd'.repeat(32) }))).toMatchObject({ ok: false, code: 'REPOSITORY_MISMATCH' });
});

test('a part that leaves out the first root is refused, unless it is the first root', () => {
  expect(judge(part({ root: undefined }))).toMatchObject({ ok: false, code: 'REPOSITORY_MISMATCH' });
  expect(judge(part({ root: undefined }), false)).toMatchObject({ ok: false, code: 'REPOSITORY_MISMATCH' });
  expect(judge(part({ root: undefined }), true).ok).toBe(true);
});

test('the first root may not name another first root', () => {
  expect(judge(part({ root: 'cd'.repeat(32) }), true)).toMatchObject({ ok: false, code: 'REPOSITORY_MISMATCH' });
  expect(judge(part({ root: undefined, product: 'gateway-2' }), true)).toMatchObject({ code: 'REPOSITORY_MISMATCH' });
});

test('the metadata of one role are refused where those of another belong', () => {
  for (const role of ['beta', 'targets', 'root', 'stable-2']) {
    expect(judge(part({ role })), role).toMatchObject({ ok: false, code: 'ROLE_MISMATCH' });
  }
});

test('a refusal shows what was signed and what was expected', () => {
  expect(judge(part({ root: 'cd'.repeat(32) }))).toMatchObject({
    detail: 'stable: signed for root 1 cdcdcdcdcdcd, this one is abababababab',
  });
  expect(judge(part({ root: undefined }))).toMatchObject({ detail: expect.stringContaining('root 1 none') as string });
  expect(judge(part({ role: 'beta' }))).toMatchObject({ detail: 'signed as beta, served as stable' });
});
