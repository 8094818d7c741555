/**
 * Has a restored memory go on, product by product: all is looked at first, a person confirms it by one digest, then it is written.
 *
 * - What would be taken as the newest stands in lines, one a product; their digest is what is confirmed. Something that was published
 *   meanwhile, by whomever, changes it.
 * - A product that lies in the store and that nobody names is a refusal: it may have been founded after the backup, and founding it
 *   once more would fork its log.
 * - A mirror in which nothing lies is a refusal: whoever names it believes that it was looked at.
 * - The log is written before the state, which alone releases a product: a cut leaves a product held, and running again goes on.
 */
import type { RepositoryId } from '../../formats/binding.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';
import type { Instant } from '../../formats/instant.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { ROOT_BYTES_MAX } from '../../formats/tuf-root.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { checkRepository } from '../care/check-repository.ts';
import { readObject, type ObjectList, type PublishedSource } from '../care/published-source.ts';
import { isSameLogMemory, type LogMemory } from '../log-memory.ts';
import { productOfObject, roleObject } from '../repository-layout.ts';
import { repositoryIn } from '../rollout/read-rollout.ts';
import type { SignerMemory, SignerState } from '../signer-state.ts';
import { demandSound, floorAt, planResume, seenBy, type ResumedState, type Seen } from './resume-state.ts';

/** A repository, or a copy of one, as somebody outside reads it. */
export type SeenStore = { readonly by: string; readonly source: PublishedSource; readonly list: ObjectList };
export type ResumeMemory = {
  readonly products: readonly string[];
  readonly memoryOf: (product: string) => SignerMemory;
  /** Of a deployment: ends that products which it does not know are refused. */
  readonly release?: (versionFloor: number) => void;
};
export type ResumeScene = {
  readonly store: SeenStore;
  readonly mirrors: readonly SeenStore[];
  readonly checkpoints: readonly Uint8Array[];
  /** Products that were founded after the backup. */
  readonly founded: readonly RepositoryId[];
  /** Products in the store that another signer serves. */
  readonly elsewhere: ReadonlySet<string>;
  readonly check: SignatureCheck;
  readonly now: Instant;
};
export type ResumePlan = { readonly lines: readonly string[]; readonly digest: string };
type Planned = ResumedState & {
  readonly memory: SignerMemory;
  readonly formerState: SignerState | undefined;
  readonly formerLog: LogMemory | undefined;
};

/**
 * Resumes every product that is held.
 * @param confirmed the digest of the lines that a person has confirmed; without it nothing is written, and `show` gets the lines.
 */
export async function resumeProducts(
  memory: ResumeMemory,
  scene: ResumeScene,
  { confirmed, show }: { readonly confirmed: string | undefined; readonly show: (plan: ResumePlan) => void },
): Promise<Verdict<{ readonly resumed: number }>> {
  const empty = await firstEmpty(scene.mirrors);
  if (empty !== undefined) return empty;
  const planned = await planAll(memory, scene);
  if (!planned.ok) return planned;
  if (planned.value.length === 0 && memory.release === undefined) return accept({ resumed: 0 });
  const lines = planned.value.map(({ line }) => line).sort();
  const digest = sha256Hex(encodeUtf8(lines.join('\n')));
  if (confirmed !== digest) {
    show({ lines, digest });
    const detail = confirmed === undefined ? 'nothing was written' : 'something else was confirmed than stands now';
    return reject('RESUME_UNCONFIRMED', `${detail}: ${lines.length} products, digest ${digest}`);
  }
  for (const each of planned.value) {
    const written = await each.memory.exclusively(() => writeResumed(each));
    if (!written.ok) return written;
  }
  const versions = planned.value.map(({ state }) => state.timestampVersion);
  memory.release?.(
    floorAt(
      scene.now,
      versions.reduce((a, b) => Math.max(a, b), 0),
    ),
  );
  return accept({ resumed: planned.value.length });
}

async function planAll(memory: ResumeMemory, scene: ResumeScene): Promise<Verdict<readonly Planned[]>> {
  const planned: Planned[] = [];
  for (const product of memory.products) {
    const standing = memory.memoryOf(product);
    const state = await standing.read();
    if (state?.held === 'arriving')
      return reject('SIGNER_STATE_MOVED', `${product} is on its way here: finish that first`);
    if (state?.held !== 'restored') continue;
    const next = await planOne({ repository: repositoryIn(state), memory: standing, state }, scene);
    if (!next.ok) return reject(next.code, `${product}: ${next.detail}`);
    planned.push(next.value);
  }
  const known = new Set(memory.products);
  const founded = scene.founded.filter(({ product }) => !known.has(product));
  for (const repository of founded) {
    const next = await planOne({ repository, memory: memory.memoryOf(repository.product), state: undefined }, scene);
    if (!next.ok) return reject(next.code, `${repository.product}: ${next.detail}`);
    planned.push(next.value);
  }
  if (memory.release === undefined) return accept(planned);
  const named = new Set([...known, ...scene.elsewhere, ...founded.map(({ product }) => product)]);
  const stranger = await firstStranger(named, [scene.store, ...scene.mirrors]);
  return stranger === undefined ? accept(planned) : stranger;
}

type Resumable = {
  readonly repository: RepositoryId;
  readonly memory: SignerMemory;
  readonly state: SignerState | undefined;
};

async function planOne({ repository, memory, state }: Resumable, scene: ResumeScene): Promise<Verdict<Planned>> {
  const { store, checkpoints, check, now } = scene;
  const others: Seen[] = [];
  for (const mirror of scene.mirrors) {
    const copy = await lookAt(mirror, { repository, state }, scene);
    if (!copy.ok) return copy;
    if (copy.value !== undefined) others.push(copy.value);
  }
  const log = state === undefined ? undefined : await memory.readLog();
  const place = { source: store.source, list: store.list, repository, check, now };
  const resumed = await planResume({ ...place, state, log, others, checkpoints });
  return resumed.ok ? accept({ ...resumed.value, memory, formerState: state, formerLog: log }) : resumed;
}

/** What a mirror has of the product; nothing where it does not carry it. */
async function lookAt(
  { by, source, list }: SeenStore,
  { repository, state }: Omit<Resumable, 'memory'>,
  { check, now }: ResumeScene,
): Promise<Verdict<Seen | undefined>> {
  const rootOne = await readObject(source, roleObject(repository.product, 'root', 1), ROOT_BYTES_MAX);
  if (rootOne.ok && rootOne.value === undefined) return accept(undefined);
  const limits = { peopleMs: 0, onlineMs: 0 };
  const checked = await checkRepository({ source, list, repository, check, now, limits, memory: undefined });
  const sound = demandSound(checked, state);
  return sound.ok ? accept(seenBy(by, checked)) : reject(sound.code, `${by}: ${sound.detail}`);
}

/** A mirror with no repository in it has seen nothing: its folder is not mounted, or another one was meant. */
async function firstEmpty(mirrors: readonly SeenStore[]): Promise<Verdict<never, 'NOT_FOUND'> | undefined> {
  for (const { by, list } of mirrors) {
    if (!(await holdsAny(list)))
      return reject('NOT_FOUND', `${by} holds no repository: name the folder above PRODUCT/`);
  }
  return undefined;
}

async function holdsAny(list: ObjectList): Promise<boolean> {
  for await (const { name } of list.list('')) {
    const product = productOfObject(name);
    if (product !== undefined && name === roleObject(product, 'root', 1)) return true;
  }
  return false;
}

async function firstStranger(
  named: ReadonlySet<string>,
  stores: readonly SeenStore[],
): Promise<Verdict<never, 'SIGNER_STATE_MISSING'> | undefined> {
  for (const { by, list } of stores) {
    for await (const { name } of list.list('')) {
      const product = productOfObject(name);
      if (product === undefined || named.has(product)) continue;
      const todo = 'name its root 1 with --root-one if it was founded since, or the product with --elsewhere';
      return reject('SIGNER_STATE_MISSING', `${by} holds ${product}, which the backup does not know: ${todo}`);
    }
  }
  return undefined;
}

async function writeResumed(planned: Planned): Promise<Verdict<void, 'REPOSITORY_CONFLICT'>> {
  const { memory, state, log, formerState, formerLog } = planned;
  const logged =
    log === undefined || isSameLogMemory(log, formerLog) ? accept(undefined) : await memory.writeLog(log, formerLog);
  const written = logged.ok ? await memory.write(state, formerState) : logged;
  return written.ok ? accept(undefined) : reject('REPOSITORY_CONFLICT', `${state.product}: ${written.detail}`);
}
