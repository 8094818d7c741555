/** What people decide about the log in a root: drafted without giving anything up, and shown to whoever signs it. */
import { expect, test } from 'vitest';
import { describeDraft } from '../../cli/describe-draft.ts';
import { parseRootPart, type LogPolicy } from '../../formats/root-part.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import { changeLogPolicy } from '../../signer/draft-log-policy.ts';
import { accepted } from '../accepted.ts';
import { LOGGED as FOUNDING, NO_CHANGE as NOTHING } from '../logged-repository.ts';
import { seededSigner } from '../seeded-signer.ts';
import { LOG_ORIGIN, LOG_POLICY, LOG_SIGNER } from '../tiny-log.ts';
import { makeTinyRepository } from '../tiny-repository.ts';

const NEXT = seededSigner('log 2');
const WITNESS = { name: 'w.example', key: seededSigner('w').key, administration: 'university' };

test('no log is demanded unless somebody names one, and a log without a name is refused', () => {
  expect(accepted(changeLogPolicy(undefined, NOTHING))).toBeUndefined();
  expect(accepted(changeLogPolicy(undefined, FOUNDING))).toEqual(LOG_POLICY);
  expect(changeLogPolicy(undefined, { ...FOUNDING, origin: undefined })).toMatchObject({ code: 'DRAFT_REFUSED' });
});

test('a key is added while another one is frozen or distrusted; the former one stays listed', () => {
  for (const state of [{ frozen: 7 }, 'distrusted'] as const) {
    const change = { ...NOTHING, keys: [NEXT.key], lessened: [{ key: LOG_SIGNER.key, state }] };
    expect(accepted(changeLogPolicy(LOG_POLICY, change))?.keys).toEqual([
      { key: LOG_SIGNER.key, state },
      { key: NEXT.key, state: 'active' },
    ]);
  }
});

test('what would give something up is refused when it is drafted, before anybody signs it', () => {
  const frozen: LogPolicy = {
    ...LOG_POLICY,
    keys: [{ key: LOG_SIGNER.key, state: { frozen: 7 } }],
    quorum: 1,
    witnesses: [WITNESS],
  };
  const thaw = { ...NOTHING, lessened: [{ key: LOG_SIGNER.key, state: { frozen: 8 } }] };
  expect(changeLogPolicy(frozen, thaw)).toMatchObject({ ok: false, code: 'DRAFT_REFUSED' });
  expect(changeLogPolicy(frozen, { ...NOTHING, quorum: 0 })).toMatchObject({ code: 'DRAFT_REFUSED' });
  expect(changeLogPolicy(frozen, { ...NOTHING, origin: 'other.example' })).toMatchObject({ code: 'DRAFT_REFUSED' });
  const stray = { ...NOTHING, lessened: [{ key: NEXT.key, state: 'distrusted' as const }] };
  expect(changeLogPolicy(frozen, stray)).toMatchObject({ code: 'DRAFT_REFUSED' });
});

test('a next root keeps the demand of the former one when nobody speaks of it, and takes witnesses in', async () => {
  const repository = await makeTinyRepository({ log: FOUNDING });
  const kept = accepted(parseRoot(await repository.publishRoot()));
  expect(accepted(parseRootPart(kept.signed.firmament)).log).toEqual(LOG_POLICY);
  const root = await repository.publishRoot({ log: { ...NOTHING, witnesses: [WITNESS], quorum: 1 } });
  const { log } = accepted(parseRootPart(accepted(parseRoot(root)).signed.firmament));
  expect(log).toEqual({ ...LOG_POLICY, witnesses: [WITNESS], quorum: 1 });
});

test('whoever signs a root reads from its bytes what it demands of the log', async () => {
  const repository = await makeTinyRepository({ log: FOUNDING });
  const root = await repository.publishRoot({
    log: {
      ...NOTHING,
      ...{ keys: [NEXT.key], lessened: [{ key: LOG_SIGNER.key, state: { frozen: 9 } }] },
      ...{ witnesses: [WITNESS], quorum: 1 },
    },
  });
  expect(accepted(describeDraft(root, 'root')).slice(-4)).toEqual([
    `  log: ${LOG_ORIGIN}`,
    `    key ${LOG_SIGNER.keyid.slice(0, 12)}: frozen at 9 entries`,
    `    key ${NEXT.keyid.slice(0, 12)}: active`,
    '    cosigned by 1 of these administrations: university (w.example)',
  ]);
  const without = await makeTinyRepository();
  expect(accepted(describeDraft(without.factory.root, 'root')).at(-1)).toBe('  log: none is demanded');
});
