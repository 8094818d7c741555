/**
 * The signer's part in rollouts: opening waves, renewing leases, hearing devices.
 *
 * - Nothing is taken from a caller's word: plan, step and halts are read from what is published, votes from the signer's own book,
 *   devices from what factories signed (R6, R7).
 * - The expected set is frozen before its wave is shown. What is published is judged by the device's own code, as ever.
 * - Running again after a cut does what was left to do, and nothing twice.
 */
import type { Instant } from '../../formats/instant.ts';
import { sideRole } from '../../formats/names.ts';
import type { DONE } from '../../formats/rollout-status.ts';
import { TARGETS_BYTES_MAX } from '../../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import type { OpenWave, WaveStep } from '../../formats/wave-step.ts';
import { signMetadata } from '../add-signature.ts';
import type { DeviceRegister, RegisterTrust } from '../identity/device-register.ts';
import type { ManifestsCode } from '../identity/verify-manifests.ts';
import type { BookStore } from '../book-store.ts';
import type { Published } from '../publication.ts';
import { isShown, type PublishCode, type PublishOptions } from '../publish-changes.ts';
import type { PublishQueue } from '../publish-queue.ts';
import { readCurrent } from '../read-published.ts';
import { roleObject } from '../repository-layout.ts';
import { nextVersion, stepContent } from './draft-step.ts';
import { expectedDevices, expectedRoot } from './expected-devices.ts';
import type { LiveDevice } from './live-devices.ts';
import { nextStep, type RolloutView, type Votes, type Waiting } from './next-step.ts';
import { readFactories, readRoleKeys, readRollouts, repositoryIn, type PublishedRollout } from './read-rollout.ts';
import { openRolloutBook, type RolloutBook } from './rollout-book.ts';
import { isReceipt } from './spoken-word.ts';
import { signingTime } from '../signing-time.ts';
import { verifyWord, type SpokenCode } from './verify-word.ts';
import { checkSignature } from '../signature-check-node.ts';
import { nextOnlineVersion } from '../signer-state.ts';

/** How many interrupted runs may have left a step that no snapshot names. */
const ORPHANS_MAX = 64;

export type RolloutSigner = {
  readonly publishing: Omit<PublishOptions, 'now'>;
  /** Where its publications go, in turn with all others of the product. */
  readonly publish: PublishQueue;
  /** What the signer keeps of rollouts, outside of the published store. */
  readonly books: BookStore;
  readonly register: DeviceRegister;
  /** Books that are open, so that a word costs one entry and not a reading of all; kept by `bookOf` alone. */
  readonly open: Map<string, RolloutBook>;
};
export type RolloutCode = PublishCode | ManifestsCode | 'KEY_NOT_OF_ROLE';
/** How a rollout stands after one look at it. */
export type RolloutNow = {
  readonly channel: string;
  readonly release: string;
  readonly plan: string;
  readonly waves: number;
  readonly open: number;
  readonly did: (typeof DONE)[number];
  /** Why nothing was done. */
  readonly because: Waiting | undefined;
  readonly leaseEnds: Instant | undefined;
  /** By open wave. */
  readonly votes: readonly Votes[];
};

/**
 * Does what is due in every rollout, and first finishes a publication that was cut, for a step that nobody sees is none.
 * `isLooking` changes nothing and says how they stand.
 */
export async function stepRollouts(
  signer: RolloutSigner,
  clock: Instant,
  isLooking = false,
): Promise<Verdict<readonly RolloutNow[], RolloutCode>> {
  const scene = await readScene(signer, clock);
  if (!scene.ok) return scene;
  const time = signingTime(scene.value.published.state, { ...signer.publishing, now: clock });
  if (!time.ok && !isLooking) return time;
  const now = time.ok ? time.value : clock;
  const isDue = !isLooking && !isShown(scene.value.published);
  const finished = isDue ? await signer.publish({ onlyFinish: true }, now) : accept(undefined);
  if (!finished.ok) return finished;
  const done: RolloutNow[] = [];
  for (const rollout of readRollouts(scene.value.published)) {
    const stepped = await stepRollout(signer, { ...scene.value, rollout, now }, isLooking);
    if (!stepped.ok) return stepped;
    done.push(stepped.value);
  }
  return accept(done);
}

/** Takes a device's word in the envelope `bytes`: a confirmation, or a receipt. @returns whether it says something new. */
export async function hearConfirmation(
  signer: RolloutSigner,
  bytes: Uint8Array,
  now: Instant,
): Promise<Verdict<{ readonly isNew: boolean }, RolloutCode | SpokenCode>> {
  const scene = await readScene(signer, now);
  if (!scene.ok) return scene;
  const { published, devices } = scene.value;
  if (published.state === undefined) return reject('CONFIRMATION_REFUSED', 'nothing is published yet');
  const repository = repositoryIn(published.state);
  const keyOf = (deviceId: string): LiveDevice['key'] | undefined => devices.get(deviceId)?.key;
  const word = verifyWord(bytes, { repository, keyOf }, checkSignature);
  if (!word.ok) return word;
  const { plan, release, deviceId } = word.value;
  const rollout = readRollouts(published).find((each) => each.planSha256 === plan && each.plan.release === release);
  if (rollout?.current === undefined) return reject('CONFIRMATION_REFUSED', 'no wave of this plan is open');
  const book = await bookOf(signer, rollout);
  const isExpected = await isExpectedIn(book, rollout.current.step.open.length, deviceId);
  if (!isExpected) return reject('CONFIRMATION_REFUSED', `device ${deviceId.slice(0, 12)} has no vote in an open wave`);
  try {
    return accept({ isNew: await book.hear({ word: word.value, envelope: bytes }, now) });
  } catch (fault) {
    // What was kept is known again once it is read again.
    signer.open.clear();
    throw fault;
  }
}

/** Takes a receipt that was carried here: it counts as its device's confirmation, once. */
export async function hearReceipt(
  signer: RolloutSigner,
  bytes: Uint8Array,
  now: Instant,
): Promise<Verdict<{ readonly counts: true }, RolloutCode | SpokenCode | 'RECEIPT_STALE'>> {
  if (!isReceipt(bytes)) return reject('RECEIPT_MALFORMED', 'the file is no receipt');
  const heard = await hearConfirmation(signer, bytes, now);
  if (!heard.ok) return heard;
  return heard.value.isNew
    ? accept({ counts: true })
    : reject('RECEIPT_STALE', 'it was handed in before, or the device has said more since');
}

/** The book of `rollout`, read once. */
async function bookOf({ books, open }: RolloutSigner, rollout: PublishedRollout): Promise<RolloutBook> {
  const name = nameOf(rollout);
  const key = `${name.channel} ${name.planSha256} ${name.anchor}`;
  const book = open.get(key) ?? (await openRolloutBook(books, name));
  open.set(key, book);
  return book;
}

type Scene = { readonly published: Published; readonly devices: ReadonlyMap<string, LiveDevice> };
type Step = Scene & { readonly rollout: PublishedRollout; readonly now: Instant };

async function readScene(signer: RolloutSigner, now: Instant): Promise<Verdict<Scene, RolloutCode>> {
  const published = await readCurrent(signer.publishing);
  if (!published.ok) return published;
  const trust = registerTrust(published.value, now);
  const devices = trust === undefined ? accept(new Map<string, LiveDevice>()) : await signer.register.read(trust);
  return devices.ok ? accept({ published: published.value, devices: devices.value }) : devices;
}

/** By whose word devices are listed now; undefined before the first publication. */
export function registerTrust(published: Published, now: Instant): RegisterTrust | undefined {
  if (published.state === undefined) return undefined;
  const factories = readFactories(published);
  return { repository: repositoryIn(published.state), factories, now, check: checkSignature };
}

async function stepRollout(
  signer: RolloutSigner,
  step: Step,
  isLooking: boolean,
): Promise<Verdict<RolloutNow, RolloutCode>> {
  const { rollout, now } = step;
  const book = await bookOf(signer, rollout);
  const view = await viewOf(step, book);
  const next = nextStep(view, now);
  const before = describe(rollout, view);
  if (next.kind === 'wait') return accept({ ...before, because: next.because });
  if (isLooking) return accept(before);
  const content = await nextContent(step, book, next.kind);
  const published = await publishStep(signer, step, content);
  if (!published.ok) return published;
  const did = ({ open: 'opened', renew: 'renewed', complete: 'completed' } as const)[next.kind];
  const votes = await votesOf(rollout, content.open, book);
  return accept({ ...before, did, open: content.open.length, leaseEnds: leaseOf(step), votes });
}

async function viewOf({ rollout, devices }: Step, book: RolloutBook): Promise<RolloutView> {
  const { plan, current, halt } = rollout;
  const open = current?.step.open ?? [];
  return {
    plan,
    current,
    isHalted: halt !== undefined,
    isBookWhole: await isBookWhole(rollout, devices, book),
    votes: await votesOf(rollout, open, book),
    expectedNext: expectedDevices(devices.values(), plan, { ...nameOf(rollout), wave: open.length }).length,
  };
}

/** Whether the book knows who is expected in each open wave, as the published step commits to it. */
async function isBookWhole(rollout: PublishedRollout, devices: Step['devices'], book: RolloutBook): Promise<boolean> {
  for (const [wave, { expected }] of (rollout.current?.step.open ?? []).entries()) {
    const again = (): readonly string[] =>
      expectedDevices(devices.values(), rollout.plan, { ...nameOf(rollout), wave });
    if (!(await book.holds(wave, expected, again))) return false;
  }
  return true;
}

function votesOf({ plan }: PublishedRollout, open: readonly OpenWave[], book: RolloutBook): Promise<readonly Votes[]> {
  return Promise.all(
    open.map(({ openedAt }, wave) =>
      book.votes(wave, { deadline: openedAt + (plan.waves[wave]?.gate.deadlineSeconds ?? 0) * 1000 }),
    ),
  );
}

/** What the next step says. A wave that opens has its expected set frozen first. */
async function nextContent(
  { rollout, devices, now }: Step,
  book: RolloutBook,
  kind: 'open' | 'renew' | 'complete',
): Promise<Omit<WaveStep, 'former'>> {
  const { plan, planSha256, anchor, current } = rollout;
  // Written in whole seconds: what is shown must not lie before what was decided.
  const at = Math.ceil(now / 1000) * 1000;
  const base = current?.step ?? { plan: planSha256, anchor, joinsLast: at, open: [], completedAt: undefined };
  if (kind === 'renew') return base;
  if (kind === 'complete') return { ...base, completedAt: at };
  const wave = base.open.length;
  const ids = await book.freeze(wave, expectedDevices(devices.values(), plan, { ...nameOf(rollout), wave }));
  const expected = { count: ids.length, merkleRoot: expectedRoot(ids) };
  return { ...base, open: [...base.open, { openedAt: at, expected }] };
}

async function publishStep(
  { publishing, publish }: RolloutSigner,
  step: Step,
  content: Omit<WaveStep, 'former'>,
): Promise<Verdict<void, RolloutCode>> {
  const { rollout, published, now } = step;
  const { channel } = rollout.place;
  const role = sideRole(channel, 'rollout');
  const keyids = readRoleKeys(published, role);
  const signers = publishing.onlineSigners.filter(({ keyid }) => keyids.includes(keyid));
  if (signers.length === 0) return reject('KEY_NOT_OF_ROLE', `no key at hand may open waves of ${channel}`);
  const former = published.roles.get(role);
  const version = await freeVersion(publishing, role, nextOnlineVersion(nextVersion(former) - 1, published.state));
  if (version === undefined) return reject('REPOSITORY_CONFLICT', `too many steps of ${role} stand there unnamed`);
  const draft = { repository: rollout.place, channel, former, expires: leaseOf(step), version };
  const file = await signMetadata(stepContent(draft, content), signers.slice(0, 1));
  const done = await publish({ channels: new Map([[role, file]]) }, now);
  return done.ok ? accept(undefined) : done;
}

/** The next version under which nothing stands: an interrupted run may have left a step that no snapshot names. */
async function freeVersion(
  { store, product }: RolloutSigner['publishing'],
  role: string,
  first: number,
): Promise<number | undefined> {
  for (let version = first; version <= first + ORPHANS_MAX; version++) {
    if ((await store.get(roleObject(product, role, version), TARGETS_BYTES_MAX)) === undefined) return version;
  }
  return undefined;
}

function leaseOf({ rollout, now }: Step): Instant {
  return now + rollout.plan.leaseSeconds * 1000;
}

async function isExpectedIn(book: RolloutBook, open: number, deviceId: string): Promise<boolean> {
  for (let wave = 0; wave < open; wave++) {
    if ((await book.expected(wave))?.includes(deviceId) === true) return true;
  }
  return false;
}

function nameOf({ place, planSha256, anchor }: PublishedRollout): {
  readonly channel: string;
  readonly planSha256: string;
  readonly anchor: string;
} {
  return { channel: place.channel, planSha256, anchor };
}

function describe({ place, plan, planSha256, current }: PublishedRollout, { votes }: RolloutView): RolloutNow {
  return {
    channel: place.channel,
    release: plan.release,
    plan: planSha256,
    waves: plan.waves.length,
    open: current?.step.open.length ?? 0,
    did: 'nothing',
    because: undefined,
    leaseEnds: current?.expires,
    votes,
  };
}
