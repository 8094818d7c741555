/**
 * Rounds of the liar's moves against a chain, and the end, when it stops and everything that it held up is finished.
 *
 * - The kinds of moves are dealt like cards: each is played as often as every other, in an order that the seed draws.
 * - People go on meanwhile: now and then they approve a release; what the signer does not publish now, they hand in again.
 */
import { approve, bring, expectWorld, makeChain, publishBody, CHANNELS, type Chain } from './liar-chain.ts';
import { IDENTITY_MOVES } from './liar-identity-moves.ts';
import { assertInvariants, assertWhole, startWatch, type Watch } from './liar-invariants.ts';
import { BUCKET_MOVES, CHECK_IN_MOVES, NETWORK_MOVES } from './liar-network-moves.ts';
import { PEOPLE_MOVES } from './liar-people-moves.ts';
import { SIGNER_MOVES } from './liar-signer-moves.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { Random } from '../../simulation/seed.ts';
import { makeTinyRepository } from '../tiny-repository.ts';
import { collect, endRound, live, makeLiar, restoreBucket, type Liar, type Move } from './liar.ts';

export const MOVES: readonly Move[] = [
  ...NETWORK_MOVES,
  ...BUCKET_MOVES,
  ...CHECK_IN_MOVES,
  ...SIGNER_MOVES,
  ...IDENTITY_MOVES,
  ...PEOPLE_MOVES,
];
export type Played = {
  readonly liar: Liar;
  /** How often each kind of move was played. */
  readonly moves: ReadonlyMap<string, number>;
  readonly rounds: number;
};

const ROUND_MS = 600_000;
const MOVES_A_ROUND_MAX = 8;
/** A release every so many rounds. */
const RELEASE_ROUNDS = 4;
/** How many rounds without the liar a rollout of two waves may take, with its soak. */
const HONEST_ROUNDS_MAX = 12;
/** What devices allow a counter to rise by, less than which lies between two releases here. */
const RELEASES_MAX = 14;

/** Plays every kind of move `times` times, asserts after every round, and lets the chain finish without the liar. */
export async function playLiar(random: Random, times: number): Promise<Played> {
  const chain = await makeChain((count) => Uint8Array.from({ length: count }, () => random(256)));
  const liar = await makeLiar(chain, random, await foreignFiles());
  const watch = startWatch();
  const moves = new Map<string, number>();
  const people: People = { release: 1, files: [] };
  try {
    const deck = dealt(random, times);
    let rounds = 0;
    for (; deck.length > 0; rounds++) {
      const hand = deck.splice(0, 1 + random(MOVES_A_ROUND_MAX));
      await round(liar, watch, { hand, people, isRelease: rounds % RELEASE_ROUNDS === 2 });
      for (const { kind } of hand) moves.set(kind, (moves.get(kind) ?? 0) + 1);
    }
    await finish(liar, watch, people);
    return { liar, moves, rounds };
  } finally {
    await chain.close();
  }
}

/** What the same people have signed for another product, a version ahead of this one. */
export async function foreignFiles(): Promise<ReadonlyMap<string, Uint8Array>> {
  const other = await makeTinyRepository({ product: 'other', channels: CHANNELS });
  for (let i = 0; i < 3; i++) await other.publishTargets();
  await other.publishRelease();
  await other.publishRelease();
  return other.files;
}

type People = {
  release: number;
  /** What people have approved and the signer has not published yet. */
  files: readonly Uint8Array[];
};

async function round(
  liar: Liar,
  watch: Watch,
  { hand, people, isRelease }: { readonly hand: readonly Move[]; readonly people: People; readonly isRelease: boolean },
): Promise<void> {
  const { chain, random } = liar;
  chain.now += ROUND_MS;
  if (isRelease && people.files.length === 0 && people.release < RELEASES_MAX) await approveNext(chain, people);
  for (const move of hand) await move.play(liar);
  await chain.due().catch(expectWorld);
  await handIn(chain, people);
  for (const victim of liar.victims) await live(liar, victim);
  await assertInvariants(liar, watch);
  collect(liar);
  endRound(liar);
  if (random(2) === 0) restoreBucket(chain);
}

async function approveNext(chain: Chain, people: People): Promise<void> {
  people.release++;
  people.files = await approve(chain, 'stable', {
    release: `${people.release}.0.0`,
    image: 'healthy',
    isPlanned: people.release % 2 === 0,
  });
}

/** The people hand in what they have approved, until the signer has published it. */
async function handIn(chain: Chain, people: People): Promise<void> {
  if (people.files.length === 0) return;
  const channels = new Map([['stable', chain.repository.newest('stable')]]);
  const { status } = await chain.ask('publish', publishBody({ channels, targetFiles: people.files }));
  if (status === 200) people.files = [];
  if (status === 500) throw new Error('the liar has found a bug of the signer');
}

/** Without the liar, on what the signer wrote: all that was held up is done, on every device. */
async function finish(liar: Liar, watch: Watch, people: People): Promise<void> {
  const { chain, victims } = liar;
  endRound(liar);
  restoreBucket(chain);
  await bring(chain, { targetFiles: people.files });
  people.files = [];
  await approveNext(chain, people);
  if (people.release % 2 !== 0) {
    await bring(chain, { targetFiles: people.files });
    await approveNext(chain, people);
  }
  await bring(chain, { targetFiles: people.files });
  const image = chain.repository.releases.get(`${people.release}.0.0`)?.image ?? new Uint8Array();
  const isDone = (): boolean => victims.every(({ device }) => device.runs.at(-1)?.sha256 === sha256Hex(image));
  for (let left = HONEST_ROUNDS_MAX; !isDone() || left > HONEST_ROUNDS_MAX - 2; left--) {
    if (left === 0) throw new Error('INVARIANT: the liar has stopped, and the chain does not finish');
    chain.now += ROUND_MS;
    const due = await chain.due();
    if (due !== 'done') throw new Error(`INVARIANT: the liar has stopped, and the signer refuses: ${due}`);
    for (const victim of victims) await live(liar, victim);
    await assertInvariants(liar, watch);
  }
  await assertWhole(liar);
}

function dealt(random: Random, times: number): Move[] {
  const deck = Array.from({ length: times }, () => MOVES).flat();
  for (let at = deck.length - 1; at > 0; at--) {
    const other = random(at + 1);
    const [one, two] = [deck[at], deck[other]];
    if (one !== undefined && two !== undefined) [deck[at], deck[other]] = [two, one];
  }
  return deck;
}
