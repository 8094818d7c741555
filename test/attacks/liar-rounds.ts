/**
 * Rounds of the liar's moves against a chain, and the end, when it stops and everything that it held up is finished.
 *
 * - The kinds of moves are dealt like cards: each is played as often as every other, in an order that the seed draws.
 * - People go on meanwhile: now and then they approve a release, some with a plan, some that fail, some on a way; what the signer does
 *   not publish now, they hand in again.
 */
import { sha256Hex } from '../../formats/sha256.ts';
import { seededRandom, type Random } from '../../simulation/seed.ts';
import type { Ends } from '../temporary-folder.ts';
import type { TinyRepository } from '../tiny-repository.ts';
import { CARRIER_MOVES } from './liar-carrier-moves.ts';
import { approve, bring, expectWorld, haltPlan, makeChain, publishBody, type Chain } from './liar-chain.ts';
import { IDENTITY_MOVES } from './liar-identity-moves.ts';
import { assertInvariants, assertWhole, startWatch, type Watch } from './liar-invariants.ts';
import { BUCKET_MOVES, CHECK_IN_MOVES, NETWORK_MOVES } from './liar-network-moves.ts';
import { PEOPLE_MOVES } from './liar-people-moves.ts';
import { PRODUCT_MOVES } from './liar-product-moves.ts';
import { SIGNER_MOVES } from './liar-signer-moves.ts';
import { endRound, live, makeLiar, packNewest } from './liar-victim.ts';
import { collect, restoreBucket, type Liar, type Move } from './liar.ts';

export const MOVES: readonly Move[] = [
  ...NETWORK_MOVES,
  ...BUCKET_MOVES,
  ...CHECK_IN_MOVES,
  ...SIGNER_MOVES,
  ...IDENTITY_MOVES,
  ...PEOPLE_MOVES,
  ...CARRIER_MOVES,
  ...PRODUCT_MOVES,
];
export type Played = {
  readonly liar: Liar;
  /** How often each kind of move was played. */
  readonly moves: ReadonlyMap<string, number>;
  readonly rounds: number;
};

const ROUND_MS = 600_000;
const SEEDS = 1_000_000;
const MOVES_A_ROUND_MAX = 20;
/** A release every so many rounds. */
const RELEASE_ROUNDS = 4;
/** How many rounds without the liar a rollout of two waves may take, with its soak and the waypoint before it. */
const HONEST_ROUNDS_MAX = 14;
/** What devices allow a counter to rise by, less than which lies between two releases here. */
const RELEASES_MAX = 13;
/** Releases whose image fails its self-test; none of them is to become a waypoint. */
const UNHEALTHY: readonly number[] = [4, 8];
/** How many releases back nothing is to be run any more. */
const OLD = 6;

/** The kinds of `dealt` that were played less than `times` times. */
export function tooFew(dealt: readonly Move[], { moves }: Pick<Played, 'moves'>, times: number): readonly string[] {
  return dealt.map(({ kind }) => kind).filter((kind) => (moves.get(kind) ?? 0) < times);
}

/** A chain with a liar who has seen it begin. */
async function startLiar(random: Random, ends: Ends): Promise<Liar> {
  // What the signer draws is its own: the liar's next draw never depends on who was faster.
  const secret = seededRandom(random(SEEDS));
  const chain = await makeChain((count) => Uint8Array.from({ length: count }, () => secret(256)), ends);
  const liar = await makeLiar(chain, random, ends);
  collect(liar);
  await packNewest(liar);
  return liar;
}

/** Plays every kind of move `times` times, asserts after every round, and lets the chain finish without the liar. */
export async function playLiar(random: Random, times: number, ends: Ends): Promise<Played> {
  const liar = await startLiar(random, ends);
  const { repository, neighbour } = liar.chain;
  const watch = startWatch();
  const moves = new Map<string, number>();
  const people: readonly [People, People] = [
    { repository, release: 1, files: [] },
    { repository: neighbour, release: 3, files: [] },
  ];
  const deck = dealt(random, times);
  let rounds = 0;
  for (; deck.length > 0; rounds++) {
    const hand = deck.splice(0, 1 + random(MOVES_A_ROUND_MAX));
    await round(liar, watch, { hand, people, number: rounds });
    for (const { kind } of hand) moves.set(kind, (moves.get(kind) ?? 0) + 1);
  }
  await finish(liar, watch, people);
  return { liar, moves, rounds };
}

/** Those who approve the releases of one product. */
type People = {
  readonly repository: TinyRepository;
  release: number;
  /** What they have approved and the signer has not published yet. */
  files: readonly Uint8Array[];
  /** The release whose plan one of them has halted, and the halt, until the signer has published that. */
  halted?: string;
  halt?: Uint8Array | undefined;
};

async function round(
  liar: Liar,
  watch: Watch,
  {
    hand,
    people,
    number,
  }: { readonly hand: readonly Move[]; readonly people: readonly [People, People]; readonly number: number },
): Promise<void> {
  const { chain, random } = liar;
  chain.now += ROUND_MS;
  // Now and then the neighbour has a release, too.
  const [own, other] = people;
  const next = number % RELEASE_ROUNDS === 2 ? own : number % (2 * RELEASE_ROUNDS) === 5 ? other : undefined;
  if (next !== undefined && next.files.length === 0 && next.release < RELEASES_MAX) await approveNext(chain, next);
  for (const move of hand) await move.play(liar);
  await chain.due().catch(expectWorld);
  if (number % RELEASE_ROUNDS === 0) await haltFailing(chain, own);
  for (const each of people) await handIn(chain, each);
  await packNewest(liar);
  for (const victim of liar.victims) await live(liar, victim);
  await assertInvariants(liar, watch);
  collect(liar);
  endRound(liar);
  if (random(2) === 0) restoreBucket(chain);
}

/**
 * Every second release of the first product has a plan, some of those fail their self-test; every third is a waypoint from the next one
 * on; what is very old is given up: by counter, by digest, and as a waypoint.
 */
async function approveNext(chain: Chain, people: People, isLast = false): Promise<void> {
  const { repository } = people;
  const before = `${people.release}.0.0`;
  people.release++;
  const { release: number } = people;
  const isUnhealthy = UNHEALTHY.includes(number) && !isLast;
  const old = `${number - OLD}.0.0`;
  const revoked = repository.releases.get(old)?.image;
  const waypoints = number % 3 === 1 ? [before] : [];
  people.files = await approve(chain, repository, {
    ...{ channel: 'stable', release: `${number}.0.0`, image: isUnhealthy ? 'unhealthy' : 'healthy' },
    isPlanned: number % 2 === 0 && repository === chain.repository,
    draft: {
      graph: { waypoints, without: revoked === undefined ? [] : [old] },
      ...(revoked && { minSecurityCounter: number - OLD, revokedDigests: [sha256Hex(revoked)] }),
    },
  });
}

/** A manager halts the plan of a release that fails, once it is published, and before there is another. */
async function haltFailing(chain: Chain, people: People): Promise<void> {
  const release = `${people.release}.0.0`;
  const isFailing = UNHEALTHY.includes(people.release) && people.files.length === 0;
  if (!isFailing || people.halted === release) return;
  people.halted = release;
  people.halt = await haltPlan(chain, people.repository);
}

/** The people hand in what they have approved, and what they have halted, until the signer has published it. */
async function handIn(chain: Chain, people: People): Promise<void> {
  if (people.halt !== undefined && (await chain.ask('halt', people.halt)).status === 200) people.halt = undefined;
  if (people.files.length === 0) return;
  const { repository } = people;
  const channels = new Map([['stable', repository.newest('stable')]]);
  const body = publishBody({ channels, targetFiles: people.files });
  const { status } = await chain.ask(`r/${repository.id.product}/publish`, body);
  if (status === 200) people.files = [];
}

/** Without the liar, on what the signer wrote: all that was held up is done, on every device. */
async function finish(liar: Liar, watch: Watch, all: readonly [People, People]): Promise<void> {
  const { chain } = liar;
  endRound(liar);
  restoreBucket(chain);
  for (const people of all) {
    await bring(chain, people.repository, { targetFiles: people.files });
    do {
      await approveNext(chain, people, true);
      await bring(chain, people.repository, { targetFiles: people.files });
    } while (people.release % 2 !== 0);
    people.files = [];
  }
  await settle(liar, watch);
  await assertWhole(liar);
}

/** Honest rounds, until every device runs what its people have approved last, and its word of it has been counted. */
async function settle(liar: Liar, watch: Watch): Promise<void> {
  const { chain, victims } = liar;
  await packNewest(liar);
  const isDone = (): boolean =>
    victims.every(({ device, repository }) => {
      const image = [...repository.releases.values()].at(-1)?.image ?? new Uint8Array();
      return device.runs.at(-1)?.sha256 === sha256Hex(image);
    });
  for (let left = HONEST_ROUNDS_MAX; !isDone() || left > HONEST_ROUNDS_MAX - 2; left--) {
    if (left === 0) throw new Error('the liar has stopped, and the chain does not finish');
    chain.now += ROUND_MS;
    const due = await chain.due();
    if (due !== 'done') throw new Error(`the liar has stopped, and the signer refuses: ${due}`);
    for (const victim of victims) await live(liar, victim);
    await assertInvariants(liar, watch);
  }
}

/** A chain that has settled on a planned release, with a liar who has seen it all, and what was looked at. */
export async function settledLiar(random: Random, ends: Ends): Promise<{ readonly liar: Liar; readonly watch: Watch }> {
  const liar = await startLiar(random, ends);
  const watch = startWatch();
  for (const victim of liar.victims) await live(liar, victim);
  const { repository } = liar.chain;
  const people: People = { repository, release: 1, files: [] };
  await approveNext(liar.chain, people);
  await bring(liar.chain, repository, { targetFiles: people.files });
  await settle(liar, watch);
  collect(liar);
  return { liar, watch };
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
