/**
 * The signer of a whole deployment: many products, each a repository of its own, over one memory and one set of online keys.
 *
 * - A product's verbs are asked for at `/r/PRODUCT/VERB`; whatever they are given is held against that product's own bindings (R1),
 *   so a file of another product is refused there.
 * - What a product needs in this process is made when it is first asked for; ten thousand products that nobody asks for cost nothing.
 * - Timestamps are renewed beside each other, long before they end, and share the commits of the memory; rollouts are stepped for
 *   products that have a plan.
 * - A product whose renewal or step is refused, or fails, holds up no other.
 * - What was cut between the memory and the timestamp is finished: by the next look where a fault of the world cut it, by the first
 *   look of a process for what was signed around the end of the one before. Else the memory would say that it was renewed.
 */
import type { Instant } from '../../formats/instant.ts';
import { nameDecoder } from '../../formats/names.ts';
import { REQUEST_BYTES_MAX } from '../../formats/publish-request.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { TIMESTAMP_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { TIMESTAMP_LIFETIME_MS } from '../lifetimes.ts';
import { isShown } from '../publish-changes.ts';
import { renewTimestamp } from '../renew-timestamp.ts';
import { timestampObject } from '../repository-layout.ts';
import { WORD_BYTES_MAX } from '../rollout/heard-word.ts';
import { productOfWord } from '../rollout/spoken-word.ts';
import { stepRollouts, type RolloutSigner } from '../rollout/run-rollout.ts';
import type { StateDatabase } from '../signer-state-database.ts';
import { BEHIND_MS_MAX, clockBehind } from '../signing-time.ts';
import { signerVerbs } from './signer-verbs.ts';
import type { SignerVerb, VerbFacts, VerbTable } from './verb-table.ts';

export type Deployment = {
  /** The verbs that are of no single product, or find theirs in the bytes. */
  readonly verbs: VerbTable;
  /** The verbs of a product; undefined where that cannot be one's name. */
  readonly verbsOf: (product: string) => VerbTable | undefined;
  readonly productBodyBytesMax: number;
  /** Renews what ends soon and steps what has a plan. @returns what was refused or failed, by product. */
  readonly doDue: (now: Instant, inTurn: InTurn) => Promise<Due>;
};
/** Does `work` alone among the verbs of `product`. */
export type InTurn = <T>(work: () => Promise<T>, product: string) => Promise<T>;
export type Due = { readonly renewed: number; readonly stepped: number; readonly faults: readonly DueFault[] };
export type DueFault = { readonly product: string; readonly code: string; readonly detail: string };

export type DeploymentParts = {
  readonly database: StateDatabase;
  /** The signer of one product, made once. */
  readonly signerOf: (product: string) => RolloutSigner;
};

/** Products whose queue and books are kept at hand. */
const KNOWN_MAX = 1024;
/** Timestamps under way at a time, and looked for at a time. */
const RENEWALS_MAX = 64;
const ENDING_MAX = 4096;

/** No publication is under way for longer. */
const UNDER_WAY_MS_MAX = 3_600_000;

/** The signer of the products in `parts.database`, and of those to come. */
export function openDeployment({ database, ...parts }: DeploymentParts): Deployment {
  const known = new Map<string, RolloutSigner>();
  /** Products that may show less than is remembered of them; unknown before the first look. */
  let unsure: Set<string> | undefined;
  const signerOf = (product: string): RolloutSigner => {
    const signer = known.get(product) ?? watched(parts.signerOf(product), () => unsure?.add(product));
    // The one asked for last goes to the end. One that is forgotten at work is no harm: the memory orders both.
    known.delete(product);
    known.set(product, signer);
    const [longest] = known.keys();
    if (known.size > KNOWN_MAX && longest !== undefined) known.delete(longest);
    return signer;
  };
  // One that somebody asks for is looked at in the turn of its queue, or a look would finish what is still under way; of all others
  // nothing is kept for a look.
  const lookedAt = (product: string): RolloutSigner => known.get(product) ?? parts.signerOf(product);
  const verbsOf = (product: string): VerbTable | undefined =>
    nameDecoder(product).ok ? signerVerbs(signerOf(product)) : undefined;
  return {
    verbs: new Map<string, SignerVerb>([
      ['confirm', { bodyBytesMax: WORD_BYTES_MAX, run: (body, now) => routeWord(verbsOf, body, now) }],
      ['due', { bodyBytesMax: 0, run: async (_, now) => accept(await doDue(now, atOnce)) }],
      ['products', { bodyBytesMax: 0, run: () => Promise.resolve(accept(productFacts(database))) }],
    ]),
    verbsOf,
    productBodyBytesMax: REQUEST_BYTES_MAX,
    doDue,
  };

  async function doDue(now: Instant, inTurn: InTurn): Promise<Due> {
    const faults: DueFault[] = [];
    const told = async (product: string, work: () => Promise<Verdict<unknown>>): Promise<boolean> => {
      const fault = await faultOf(product, work);
      if (fault === undefined) return true;
      faults.push(fault);
      unsure?.add(product);
      return false;
    };
    // What cannot be finished is not renewed either, and told once.
    const tried = new Set<string>();
    // Signed after all that is signed now: by a clock that was ahead then, or is behind now.
    for (const product of database.endingAfter(now + TIMESTAMP_LIFETIME_MS + BEHIND_MS_MAX, ENDING_MAX)) {
      tried.add(product);
      await told(product, () => mend(lookedAt(product), now));
    }
    const toFinish = [...(unsure ?? database.signedLast(UNDER_WAY_MS_MAX))];
    unsure = new Set();
    await sideBySide(toFinish, async (product) => {
      if (!(await told(product, () => finish(lookedAt(product), now)))) tried.add(product);
    });
    let stepped = 0;
    for (const product of database.planned()) {
      if (await told(product, () => inTurn(() => stepRollouts(signerOf(product), now), product))) stepped++;
    }
    // Looked for after every round: what was renewed ends later, and what cannot be renewed is not tried twice.
    let renewed = 0;
    for (;;) {
      const ending = database.endingUntil(now + TIMESTAMP_LIFETIME_MS / 2, ENDING_MAX + tried.size);
      const round = ending.filter((product) => !tried.has(product));
      if (round.length === 0) return { renewed, stepped, faults };
      await sideBySide(round, async (product) => {
        tried.add(product);
        if (await told(product, () => renew(lookedAt(product), now))) renewed++;
      });
    }
  }
}

/** `signer`, with `onFault` told of each publication that a fault of the world has ended. */
function watched(signer: RolloutSigner, onFault: () => void): RolloutSigner {
  const publish: RolloutSigner['publish'] = async (...asked) => {
    try {
      return await signer.publish(...asked);
    } catch (fault) {
      onFault();
      throw fault;
    }
  };
  return { ...signer, publish };
}

/** Shows what the memory says, where less is shown. */
async function finish({ publishing, publish }: RolloutSigner, now: Instant): Promise<Verdict<unknown>> {
  const { store, memory, product } = publishing;
  const shown = await store.get(timestampObject(product), TIMESTAMP_BYTES_MAX);
  const state = await memory.read();
  return isShown({ state, timestamp: shown }) ? accept(undefined) : publish({ onlyFinish: true }, now);
}

/** Makes online roles anew that a clock ahead has made, where a person says so; else tells of the clock. */
async function mend({ publishing, publish }: RolloutSigner, now: Instant): Promise<Verdict<unknown>> {
  const behind = clockBehind(await publishing.memory.read(), { ...publishing, now });
  return behind.ok ? publish({}, now) : behind;
}

/** A verb that does what is due waits for nobody. */
const atOnce: InTurn = (work) => work();

/** Renews the online roles of one product, the cheap way where that is safe. */
async function renew(signer: RolloutSigner, now: Instant): Promise<Verdict<unknown>> {
  return (await renewTimestamp({ ...signer.publishing, now })) ? accept(undefined) : signer.publish({}, now);
}

async function faultOf(product: string, work: () => Promise<Verdict<unknown>>): Promise<DueFault | undefined> {
  try {
    const done = await work();
    return done.ok ? undefined : { product, code: done.code, detail: done.detail };
  } catch (fault) {
    if (!(fault instanceof OperationError)) throw fault;
    return { product, code: fault.code, detail: fault.message };
  }
}

/** Does `work` for each of `items`, several at a time. */
async function sideBySide<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const lane = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(RENEWALS_MAX, items.length) }, lane));
}

/** Hands a device's word to the product that it names. It is believed there, or not. */
function routeWord(verbsOf: Deployment['verbsOf'], body: Uint8Array, now: Instant): Promise<Verdict<VerbFacts>> {
  const product = productOfWord(body);
  if (!product.ok) return Promise.resolve(product);
  const verb = verbsOf(product.value)?.get('confirm');
  return verb?.run(body, now) ?? Promise.resolve(reject('NOT_FOUND', 'the word names no product'));
}

function productFacts(database: StateDatabase): VerbFacts {
  return { products: database.products(), ...database.counts() };
}
