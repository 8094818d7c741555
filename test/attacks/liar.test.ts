/** P2: whoever owns every server credential can only delay. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { sha256Hex } from '../../formats/sha256.ts';
import { seededRandom } from '../../simulation/seed.ts';
import { SEED } from '../simulation/seed.ts';
import { LOGGED } from '../logged-repository.ts';
import { allChanges } from '../signer/publishing.ts';
import { makeTinyRepository } from '../tiny-repository.ts';
import { BROKEN } from './liar-broken.ts';
import { publishBody } from './liar-chain.ts';
import { INVARIANTS } from './liar-invariant.ts';
import { assertInvariants, assertWhole, startWatch, type Watch } from './liar-invariants.ts';
import { MOVES, playLiar, settledLiar, tooFew } from './liar-rounds.ts';
import { DIRECTED } from './liar-table.ts';
import { issuedBy, say, type Liar } from './liar.ts';

const TIMES = 5;
/** More versions than the chain has shown when it has settled. */
const AHEAD = 9;

test('whoever owns server, store, planes and network, and holds every file but no key, can only delay', async () => {
  const played = await playLiar(seededRandom(SEED), TIMES, onTestFinished).catch((fault: unknown) => {
    throw new Error(`seed ${SEED}: ${fault instanceof Error ? fault.message : String(fault)}`, { cause: fault });
  });
  const { liar, moves, rounds } = played;
  const told = [...liar.refusals].map(([code, count]) => `${code} ${count}`).join(', ');
  console.log(`seed ${SEED}: ${rounds} rounds; ${[...moves].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
  console.log(`the signer answered the liar: ${told}; its keys have signed ${liar.chain.signed.length} times`);
  expect(tooFew(MOVES, played, TIMES)).toEqual([]);
}, 600_000);

describe('a chain that has settled', () => {
  let liar: Liar;
  let watch: Watch;
  const ended: (() => void | Promise<void>)[] = [];
  beforeAll(async () => {
    ({ liar, watch } = await settledLiar(seededRandom(SEED), (work) => ended.push(work)));
  });
  afterAll(async () => {
    for (const end of ended) await end();
  });

  /** What the signer has let out, issued and kept, by content. */
  function standing(): readonly string[] {
    const { writes, books } = liar.chain;
    const lines = [
      ...writes.map(({ name, bytes }) => `${name} ${sha256Hex(bytes)}`),
      ...issuedBy(liar.chain).map(({ deviceId, certificate }) => `${deviceId} ${sha256Hex(certificate)}`),
      ...[...books.entries].map(([name, bytes]) => `${name} ${sha256Hex(bytes)}`),
    ];
    return lines;
  }

  describe.each([...Map.groupBy(DIRECTED, ({ link }) => link)])('refuses the liar at %s', (_, attacks) => {
    test.each(attacks.map((row) => [row.attack, row.code, row] as const))('%s: %s', async (_name, code, { mount }) => {
      const before = standing();
      expect(await mount(liar)).toBe(code);
      expect(standing()).toEqual(before);
    });
  });

  test.each(BROKEN)('$invariant is seen to break with $product', async ({ invariant, isAnew, breaks }) => {
    const undone: (() => unknown)[] = [];
    try {
      const broken = await breaks(liar, (work) => undone.push(work));
      const looked = isAnew === true ? startWatch() : structuredClone(watch);
      const look = async (): Promise<void> => {
        await assertInvariants(broken, looked);
        await assertWhole(broken);
      };
      await expect(look()).rejects.toThrow(`INVARIANT ${invariant}: `);
    } finally {
      for (const undo of undone) await undo();
    }
    await assertInvariants(liar, structuredClone(watch));
    await assertWhole(liar);
  });

  test("a product of the liar's own is signed as what it is, and no device of another takes it", async () => {
    const { chain, victims } = liar;
    const [online] = chain.repository.signers.get('timestamp') ?? [];
    const [victim] = victims;
    if (online === undefined || victim === undefined) throw new Error('there is a key, and a device');
    const own = await makeTinyRepository({ product: 'third', seed: 'the liar', log: LOGGED, online });
    // It can count as high as it likes.
    for (let version = 1; version < AHEAD; version++) {
      expect(await say(liar, 'r/third/publish', publishBody(allChanges(own)))).toBe('taken');
      await own.publishRelease();
    }
    const { floors, runs } = { floors: await victim.device.floors(), runs: victim.device.runs.at(-1) };
    victim.lies = { file: (name) => chain.store.objects.get(`third/${name}`) ?? 'absent' };
    const told = await victim.device.live();
    victim.lies = {};
    expect(told.find(({ step }) => step === 'poll')).toMatchObject({ ok: false, code: 'REPOSITORY_MISMATCH' });
    expect([await victim.device.floors(), victim.device.runs.at(-1)]).toEqual([floors, runs]);
  });

  test('every invariant is seen to break', () => {
    expect(new Set(BROKEN.map(({ invariant }) => invariant))).toEqual(new Set(Object.keys(INVARIANTS)));
  });
});
