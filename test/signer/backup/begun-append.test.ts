/** A signer is lost in the middle of an append to the log: what stands of it is taken over by the restored one, or named and refused. */
import { beforeEach, expect, test } from 'vitest';
import { parseCheckpoint } from '../../../formats/checkpoint.ts';
import { encodeLogLeaf, releaseLeaf } from '../../../formats/log-leaf.ts';
import { encodeEntryBundle, parseEntryBundle } from '../../../formats/log-tiles.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { planResume, type ResumedState } from '../../../signer/backup/resume-state.ts';
import { APPEND_ENTRIES_MAX, type LogMemory } from '../../../signer/log-memory.ts';
import { draftLogAppend } from '../../../signer/draft-log-append.ts';
import { appendToLog } from '../../../signer/publish.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import { readLog } from '../../../signer/read-log.ts';
import { verifyLogAppend } from '../../../signer/verify-log-append.ts';
import type { SignerState } from '../../../signer/signer-state.ts';
import type { Verdict } from '../../../formats/verdict.ts';
import { makeFaultStore, type FaultStore } from '../../../simulation/fault-store.ts';
import { accepted } from '../../accepted.ts';
import { LOGGED } from '../../logged-repository.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';
import { LOG_POLICY, LOG_SIGNER } from '../../tiny-log.ts';
import { checked, checkOnce, sourceOver } from '../care/published.ts';
import { deviceSees, optionsFor, publishAll } from '../publishing.ts';

const BUNDLE = 'gateway/log/tile/entries/000.p/';
const TILE = 'gateway/log/tile/0/000.p/';
const NOTHING = new Uint8Array();

let repository: TinyRepository;
/** As the backup was made: three entries, and the memory of them. */
let before: FaultStore;
let backup: { readonly state: SignerState | undefined; readonly log: LogMemory | undefined };
beforeEach(async () => {
  repository = await makeTinyRepository({ log: LOGGED });
  before = makeFaultStore();
  accepted(await publishAll(repository, before));
  backup = { state: await before.memory.read(), log: await before.memory.readLog() };
  await repository.publishRelease({ securityCounter: 2 });
});

function planOver({ objects }: FaultStore): Promise<Verdict<ResumedState>> {
  const place = { ...sourceOver(objects), repository: repository.id, check: checkOnce, now: repository.now };
  return planResume({ ...place, ...backup, others: [], checkpoints: [] });
}

/** A signer with the memory that was resumed, over the same store. */
async function resumedOver({ objects }: FaultStore, { state, log }: ResumedState): Promise<FaultStore> {
  const store = makeFaultStore();
  for (const [name, bytes] of objects) store.objects.set(name, bytes);
  accepted(await store.memory.write(state, undefined));
  if (log !== undefined) accepted(await store.memory.writeLog(log, undefined));
  store.restore();
  return store;
}

function entriesOf({ objects }: FaultStore): readonly string[] {
  const { size } = accepted(parseCheckpoint(objects.get('gateway/log/checkpoint') ?? NOTHING));
  return accepted(parseEntryBundle(objects.get(`${BUNDLE}${size}`) ?? NOTHING, size)).map(sha256Hex);
}

test('at whatever write it was lost, the entries that stand are confirmed by a person, keep their positions, and are finished', async () => {
  const whole = before.copy();
  accepted(await publishAll(repository, whole));
  const begun = entriesOf(whole);
  const words = ['beta', 'stable'].map(
    (channel) => `${channel} 2.0.0 version 2 ${sha256Hex(repository.newest(channel))}`,
  );
  // Memory, bundle, two tiles, two proofs, checkpoint.
  for (let at = 2; at <= 8; at++) {
    const lost = before.copy();
    lost.cutAt(at);
    await expect(publishAll(repository, lost)).rejects.toMatchObject({ code: 'POWER_CUT' });
    const plan = accepted(await planOver(lost));
    const isBegun = at > 2 && at < 8;
    if (isBegun) expect(plan.line).toMatch(new RegExp(`, begun and not shown: ${words.join(', ')}$`));
    else expect(plan.line).not.toContain('begun');
    expect(plan.log?.size, `write ${at}`).toBe(at === 2 ? 3 : 5);
    const next = await resumedOver(lost, plan);
    accepted(await publishChanges(optionsFor(repository, next), {}));
    expect(entriesOf(next), `write ${at}`).toEqual(at === 2 ? begun.slice(0, 3) : begun);
    accepted(await publishAll(repository, next));
    expect(entriesOf(next), `write ${at}`).toEqual(begun);
    expect(await deviceSees(next.objects, repository)).toEqual({ channel: 2, boots: true });
  }
});

test('what stands beyond the log and was never begun by this signer is named, and nothing is gone on from', async () => {
  const { id } = repository;
  const entry = (root: string, version: number): Uint8Array =>
    encodeLogLeaf(
      releaseLeaf({ ...id, rootOneSha256: root }, { channel: 'stable', version, bytes: NOTHING, release: '6.6.6' }),
    );
  const standing = accepted(parseEntryBundle(before.objects.get(`${BUNDLE}3`) ?? NOTHING, 3));
  const behind = (...added: readonly Uint8Array[]): Uint8Array => encodeEntryBundle([...standing, ...added]);
  const ours = entry(id.rootOneSha256, 2);
  const many = Array.from({ length: APPEND_ENTRIES_MAX + 1 }, (_, i) => entry(id.rootOneSha256, 10 + i));
  const strangers: readonly (readonly [string, Uint8Array, string])[] = [
    [`${BUNDLE}4`, behind(entry('ab'.repeat(32), 2)), 'of another repository'],
    [`${BUNDLE}4`, behind(new TextEncoder().encode('{}')), 'no entry'],
    [`${BUNDLE}4`, encodeEntryBundle([ours, ours, ours, ours]), 'over what stands'],
    [`${BUNDLE}4`, behind(ours).slice(0, -1), 'cut short'],
    [`${BUNDLE}${3 + many.length}`, behind(...many), 'more than an append has'],
    [`${TILE}4`, new Uint8Array(4 * 32), 'a tile that nothing stands behind'],
  ];
  for (const [name, bytes, what] of strangers) {
    const planted = before.copy();
    planted.objects.set(name, bytes);
    expect(await planOver(planted), what).toMatchObject({ ok: false, code: 'REPOSITORY_CONFLICT' });
  }
  const twice = before.copy();
  twice.objects.set(`${BUNDLE}4`, behind(ours));
  expect(accepted(await planOver(twice)).line).toContain('begun and not shown: stable 6.6.6 version 2 ');
  twice.objects.set(`${TILE}4`, new Uint8Array(4 * 32));
  const refused = await planOver(twice);
  expect(refused).toMatchObject({ ok: false, code: 'REPOSITORY_CONFLICT' });
  expect(refused.ok ? '' : refused.detail).toContain('log/tile/0/000.p/4');
});

test('an append over the end of a tile is taken over as far as its entries stand', async () => {
  const policies = [LOG_POLICY];
  const entry = (version: number): Uint8Array =>
    encodeLogLeaf(releaseLeaf(repository.id, { channel: 'stable', version, bytes: NOTHING, release: '1.0.0' }));
  const append = async ({ store, memory }: FaultStore, from: number, to: number): Promise<void> => {
    const log = accepted(await readLog({ store, product: 'gateway', policies }, await memory.readLog()));
    const entries = log.unfinished?.entries ?? Array.from({ length: to - from }, (_, i) => entry(from + i));
    const draft = await draftLogAppend(log, entries, [LOG_SIGNER]);
    const verified = accepted(verifyLogAppend(draft, { repository: repository.id, policies, check: checkOnce }));
    accepted(await appendToLog(verified, { store, memory }));
  };
  for (let size = 3; size < 250; size = Math.min(250, size + 90)) await append(before, size, Math.min(250, size + 90));
  backup = { state: await before.memory.read(), log: await before.memory.readLog() };
  // Memory, two bundles, ten tiles of entries and one above them, ten proofs, checkpoint.
  for (let at = 2; at <= 25; at++) {
    const lost = before.copy();
    lost.cutAt(at);
    await expect(append(lost, 250, 260)).rejects.toMatchObject({ code: 'POWER_CUT' });
    const plan = accepted(await planOver(lost));
    expect(plan.log?.size, `write ${at}`).toBe(at === 2 ? 250 : at === 3 ? 256 : 260);
    const next = await resumedOver(lost, plan);
    if (at === 2) continue;
    await append(next, 0, 0);
    const { size } = accepted(parseCheckpoint(next.objects.get('gateway/log/checkpoint') ?? NOTHING));
    expect(size, `write ${at}`).toBe(plan.log?.size);
    const found = await checked({ repository, store: next, former: new Map() }, next.objects);
    expect(found.findings.all().filter(({ level }) => level === 'damage')).toEqual([]);
  }
});
