/**
 * The liar's moves between products: two of the same people lie in one bucket and are served by one signer; nothing of one is the other's.
 */
import { concatBytes } from '../../formats/bytes.ts';
import { publishBody } from './liar-chain.ts';
import { anyFile, mutated, oneOf, say, type Liar, type Move } from './liar.ts';

function product(kind: string, play: (liar: Liar) => Promise<unknown> | void): Move {
  return { kind, at: 'product', play: (liar) => Promise.resolve(play(liar)).then(() => undefined) };
}

function idsOf({ chain }: Liar): readonly [string, string] {
  return [chain.repository.id.product, chain.neighbour.id.product];
}

/** Puts, for names that match, what lies under the one product under the same name of the other. */
function exchange(liar: Liar, isExchanged: (name: string) => boolean): void {
  const { objects } = liar.chain.store;
  const [one, other] = idsOf(liar);
  for (const [name, bytes] of [...objects]) {
    const [owner, ...rest] = name.split('/');
    const path = rest.join('/');
    const under = owner === one ? other : one;
    if ((owner === one || owner === other) && isExchanged(path)) {
      objects.set(`${under}/${path}`, bytes);
    }
  }
}

export const PRODUCT_MOVES: readonly Move[] = [
  product("a product's files under the name of another, on the way to one device", (liar) => {
    const { chain, random, victims } = liar;
    const victim = oneOf(random, victims);
    const other = victim.repository === chain.repository ? chain.neighbour : chain.repository;
    const file = (name: string): Uint8Array | 'absent' =>
      chain.store.objects.get(`${other.id.product}/${name}`) ?? 'absent';
    victim.lies = { ...victim.lies, file };
  }),
  product('two products exchanged in the bucket', (liar) => exchange(liar, () => true)),
  product('a snapshot of one product beside the roles of another', (liar) => {
    const kinds = oneOf(liar.random, [
      /(snapshot|timestamp)\.json$/,
      /(targets|stable|beta)\.json$/,
      /log\//,
      /targets\//,
    ]);
    exchange(liar, (name) => kinds.test(name));
  }),
  product('what is of one product handed in for another', async (liar) => {
    const { chain, random } = liar;
    const [one, other] = [chain.repository, chain.neighbour];
    const [from, to] = random(2) === 0 ? [one, other] : [other, one];
    const role = oneOf(random, ['stable', 'beta']);
    const changes = oneOf(random, [
      { channels: new Map([[role, from.newest(role)]]) },
      { targets: from.newest('targets') },
      { roots: from.roots() },
      { roots: from.roots(), targets: from.newest('targets'), channels: new Map([[role, from.newest(role)]]) },
      { channels: new Map([[role, to.newest(role)]]), targets: from.newest('targets') },
    ]);
    await say(liar, `r/${to.id.product}/publish`, publishBody(changes));
  }),
  product('any verb of any product, with what was heard of another', async (liar) => {
    const { random, heard, chain } = liar;
    const [, other] = idsOf(liar);
    const verb = oneOf(random, ['confirm', 'receipt', 'manifest', 'halt', 'step', 'refresh', 'issue', 'use']);
    const bodies = [...heard.words, ...heard.receipts, ...heard.uses, chain.manifest, anyFile(liar, /halt|rollout/)];
    const body = oneOf(random, bodies);
    const name = oneOf(random, [other, 'third', 'a'.repeat(63)]);
    await say(liar, `r/${name}/${verb}`, random(2) === 0 ? body : new Uint8Array());
  }),
  product('a product that there is not, by the name of one that there is', async (liar) => {
    const { chain, random } = liar;
    const [one] = idsOf(liar);
    const names = [`${one}%00`, `../${one}`, `${one}/../other`, one.toUpperCase(), 'a'.repeat(64), `${one}-`, ''];
    const body = publishBody({ channels: new Map([['stable', chain.repository.newest('stable')]]) });
    await say(liar, `r/${oneOf(random, names)}/publish`, random(2) === 0 ? body : mutated(body, random));
  }),
  product('what waits in incoming/ of a neighbour, and what nobody proposed', (liar) => {
    const { store } = liar.chain;
    const { random } = liar;
    const [one, other] = idsOf(liar);
    const id = 'ab'.repeat(16);
    for (const name of [`incoming/${one}/${id}/gateway/image.js`, `incoming/${other}/${id}/gateway/image.js`]) {
      store.objects.set(name, random(2) === 0 ? anyFile(liar, /image/) : concatBytes(anyFile(liar), anyFile(liar)));
    }
    store.objects.set(`${one}/incoming/${id}`, anyFile(liar));
  }),
];
