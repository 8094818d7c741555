/**
 * The liar's moves on the way to a device, and in the bucket: any bytes under any name, from all that was ever published.
 *
 * - A lie on the network holds for one device and one round; a change in the bucket until an operator restores it.
 */
import { concatBytes } from '../../formats/bytes.ts';
import type { Lie, Victim } from './liar-victim.ts';
import { FILE_GAMES, type Game } from './liar-wire.ts';
import { anyFile, mutated, oneOf, passOn, type Liar, type Move } from './liar.ts';

/** A lie to the devices of `product`. */
type LieOf = (liar: Liar, product: string) => (name: string, honest: Uint8Array | undefined) => Lie;

/** A move that lies to one device, for names that match. */
function network(kind: string, lie: LieOf): Move {
  return {
    kind,
    at: 'network',
    play: (liar) => {
      const victim = anyVictim(liar);
      const before = victim.lies.file;
      const now = lie(liar, victim.repository.id.product);
      const file = (name: string, honest: Uint8Array | undefined): Lie => {
        const told = now(name, honest);
        return told === 'honest' ? (before?.(name, honest) ?? 'honest') : told;
      };
      victim.lies = { ...victim.lies, file };
    },
  };
}

/** A game with HTTP, for one device. */
function wire(game: Game): Move {
  return {
    kind: `HTTP: ${game.kind}`,
    at: 'network',
    play: (liar) => {
      const victim = anyVictim(liar);
      victim.lies = { ...victim.lies, fileGame: { game, seed: liar.random(1_000_000) } };
    },
  };
}

function bucket(kind: string, change: (liar: Liar, objects: Map<string, Uint8Array>) => void): Move {
  return { kind, at: 'bucket', play: (liar) => change(liar, liar.chain.store.objects) };
}

/** A device that has a network. */
function anyVictim({ victims, random }: Liar): Victim {
  return oneOf(
    random,
    victims.filter(({ isOffline }) => !isOffline),
  );
}

/** The role or kind of file that `name` is of: what stands behind its last version, digest or place. */
function kindOf(name: string): RegExp {
  const role = /\.([a-z-]+)\.json$/.exec(name)?.[1];
  if (role !== undefined) return new RegExp(`\\d\\.${role}\\.json$`);
  if (name.includes('/log/') || name.startsWith('log/'))
    return name.includes('proof') ? /log\/proof/ : /log\/(tile|checkpoint)/;
  return name.includes('targets/') ? /targets\// : /timestamp/;
}

const AT: readonly RegExp[] = [
  /timestamp/,
  /snapshot/,
  /root\.json/,
  /targets\.json/,
  /stable\.json/,
  /rollout/,
  /log\//,
  /image/,
  /./,
];

export const NETWORK_MOVES: readonly Move[] = [
  network('an older file of the same kind', (liar) => (name, honest) => {
    const old = anyFile(liar, kindOf(name));
    return old.length === 0 || honest === undefined ? 'honest' : old;
  }),
  network('any file under any name', (liar) => {
    const at = oneOf(liar.random, AT);
    return (name) => (at.test(name) ? anyFile(liar) : 'honest');
  }),
  network("another channel's files", ({ chain }, product) => (name) => {
    const bytes = chain.store.objects.get(`${product}/${name.replace('stable', 'beta')}`);
    return name.includes('stable') ? (bytes ?? 'absent') : 'honest';
  }),
  network('a file changed or cut', (liar) => {
    const at = oneOf(liar.random, AT);
    return (name, honest) => (at.test(name) && honest !== undefined ? mutated(honest, liar.random) : 'honest');
  }),
  network('two files spliced', (liar) => {
    const at = oneOf(liar.random, AT);
    return (name, honest = new Uint8Array()) => {
      const other = anyFile(liar, kindOf(name));
      const cut = liar.random(honest.length + 1);
      return at.test(name) ? concatBytes(honest.slice(0, cut), other.slice(Math.min(cut, other.length))) : 'honest';
    };
  }),
  network('an answer without end', ({ random }) => {
    const at = oneOf(random, AT);
    return (name) => (at.test(name) ? 'endless' : 'honest');
  }),
  network('nothing there', ({ random }) => {
    const at = oneOf(random, AT);
    return (name) => (at.test(name) ? 'absent' : 'honest');
  }),
  network('no answer', ({ random }) => {
    const at = oneOf(random, AT);
    return (name) => (at.test(name) ? 'refuse' : 'honest');
  }),
  network('the world as it was', ({ archive, random }, product) => {
    const then = random(1_000);
    return (name) => {
      const contents = archive.get(`${product}/${name}`) ?? [];
      return contents[then % Math.max(1, contents.length)] ?? 'absent';
    };
  }),
  network('each file at a time of its own', ({ archive, random }, product) => (name) => {
    const contents = archive.get(`${product}/${name}`) ?? [];
    return contents.length === 0 ? 'absent' : oneOf(random, contents);
  }),
  ...FILE_GAMES.map(wire),
];

export const BUCKET_MOVES: readonly Move[] = [
  bucket('an object deleted', ({ random }, objects) => {
    for (let i = 0; i <= random(3); i++) objects.delete(oneOf(random, [...objects.keys(), 'none']));
  }),
  bucket('an object replaced by any other', (liar, objects) => {
    objects.set(oneOf(liar.random, [...objects.keys(), 'gateway/metadata/timestamp.json']), anyFile(liar));
  }),
  bucket('an object changed', ({ random }, objects) => {
    const [name, bytes] = oneOf(random, [...objects]);
    objects.set(name, mutated(bytes, random));
  }),
  bucket('the next names taken beforehand', (liar, objects) => {
    for (const role of ['root', 'targets', 'stable', 'beta', 'snapshot', 'stable-rollout', 'stable-halt']) {
      const versions = [...objects.keys()].map((name) =>
        Number(new RegExp(`/(\\d+)\\.${role}\\.json$`).exec(name)?.[1] ?? 0),
      );
      const next = Math.max(0, ...versions) + 1 + liar.random(2);
      objects.set(`gateway/metadata/${next}.${role}.json`, anyFile(liar, new RegExp(`\\d\\.${role}\\.json$`)));
    }
  }),
  bucket('the whole bucket as it was', ({ archive, random }, objects) => {
    const then = random(1_000);
    for (const name of objects.keys()) {
      const contents = archive.get(name) ?? [];
      const old = contents[then % Math.max(1, contents.length)];
      if (old !== undefined && contents.length > 1) objects.set(name, old);
      else if (random(4) === 0) objects.delete(name);
    }
  }),
  bucket('log tiles, proofs and checkpoints forged', (liar, objects) => {
    for (const [name, bytes] of [...objects].filter(([each]) => each.includes('/log/'))) {
      if (liar.random(2) === 0)
        objects.set(name, liar.random(2) === 0 ? mutated(bytes, liar.random) : anyFile(liar, /\/log\//));
    }
  }),
  bucket('names that climb, and names of nobody', (liar, objects) => {
    for (const name of [
      'gateway/../other',
      'gateway/metadata/0.root.json',
      'gateway/log/tile/0/x999',
      '',
      'gateway/metadata/9007199254740993.stable.json',
    ]) {
      objects.set(name, anyFile(liar));
    }
  }),
];

function hears(liar: Liar, word: (said: Uint8Array) => Promise<boolean>): void {
  const victim = anyVictim(liar);
  victim.lies = { ...victim.lies, word };
}

export const CHECK_IN_MOVES: readonly Move[] = [
  {
    kind: 'a word dropped, and acknowledged to its device',
    at: 'check-in',
    play: (liar) => {
      hears(liar, (word) => Promise.resolve(word.length > 0));
    },
  },
  {
    kind: 'a word held back',
    at: 'check-in',
    play: (liar) => {
      hears(liar, (word) => Promise.resolve(word.length === 0));
    },
  },
  {
    kind: 'a word changed, or another in its place',
    at: 'check-in',
    play: (liar) => {
      const { random, heard } = liar;
      hears(liar, (word) =>
        passOn(liar, random(2) === 0 ? mutated(word, random) : oneOf(random, [...heard.words, word])),
      );
    },
  },
];
