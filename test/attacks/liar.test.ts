/** P2: whoever owns every server credential can only delay. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seededRandom } from '../../simulation/seed.ts';
import { SEED } from '../simulation/seed.ts';
import { makeChain } from './liar-chain.ts';
import { foreignFiles, MOVES, playLiar } from './liar-rounds.ts';
import { DIRECTED } from './liar-table.ts';
import { collect, live, makeLiar, type Liar } from './liar.ts';

const TIMES = 5;

test('whoever owns server, store, planes and network, and holds every file but no key, can only delay', async () => {
  const { liar, moves, rounds } = await playLiar(seededRandom(SEED), TIMES).catch((fault: unknown) => {
    throw new Error(`seed ${SEED}: ${fault instanceof Error ? fault.message : String(fault)}`, { cause: fault });
  });
  const told = [...liar.refusals].map(([code, count]) => `${code} ${count}`).join(', ');
  console.log(`seed ${SEED}: ${rounds} rounds; ${[...moves].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
  console.log(`the signer answered the liar: ${told}; its keys have signed ${liar.chain.signed.length} times`);
  expect([...moves.values()].every((count) => count >= TIMES)).toBe(true);
  expect(moves.size).toBe(MOVES.length);
}, 600_000);

describe('the liar is refused', () => {
  let liar: Liar;
  beforeAll(async () => {
    const random = seededRandom(SEED);
    const chain = await makeChain((count) => Uint8Array.from({ length: count }, () => random(256)));
    liar = await makeLiar(chain, random, await foreignFiles());
    collect(liar);
    for (const victim of liar.victims) await live(liar, victim);
  });
  afterAll(() => liar.chain.close());

  describe.each([...Map.groupBy(DIRECTED, ({ link }) => link)])('at %s', (_, attacks) => {
    test.each(attacks.map((row) => [row.attack, row.code, row] as const))('%s: %s', async (_name, code, { mount }) => {
      const written = liar.chain.written.size;
      const issued = liar.issued.length;
      expect(await mount(liar)).toBe(code);
      expect([liar.chain.written.size, liar.issued.length]).toEqual([written, issued]);
    });
  });
});
