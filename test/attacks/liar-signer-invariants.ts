/**
 * What must hold of whatever the signer let out: it is what people approved, for the very product, or a narrowing of that by the signer
 * itself, which keeps to plan and fleet; and what it shows as newest only ever grows.
 */
import { encodeHex, equalBytes } from '../../formats/bytes.ts';
import { parseCheckpoint } from '../../formats/checkpoint.ts';
import { cohortOf } from '../../formats/cohort.ts';
import { soakedAt } from '../../formats/decide-wave.ts';
import { parseHaltPart } from '../../formats/halt.ts';
import { parseLogLeaf } from '../../formats/log-leaf.ts';
import { parseEntryBundle } from '../../formats/log-tiles.ts';
import type { Plan } from '../../formats/plan.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseSnapshot, parseTimestamp } from '../../formats/tuf-snapshot.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { parseWaveStep, type WaveStep } from '../../formats/wave-step.ts';
import { expectedRoot } from '../../signer/rollout/expected-devices.ts';
import { accepted } from '../accepted.ts';
import { filesOf } from '../signer/publishing.ts';
import type { TinyRepository } from '../tiny-repository.ts';
import { approvalOf, type Chain } from './liar-chain.ts';
import { demand, planOf } from './liar-invariant.ts';
import type { Written } from './liar-signer.ts';
import type { Victim } from './liar-victim.ts';

/** A version of a role, and the digest of its file. */
type Edition = { readonly version: number; readonly sha256: string };
/** What was seen of one product, so that only what is new is looked at. */
export type Shown = {
  /** The digest of each file that must not change, by name. */
  readonly files: Map<string, string>;
  /** Version and content of what is newest, by role; the roles that a snapshot names among them. */
  readonly newest: Map<string, Edition>;
  /** What each snapshot names, by its own name. */
  readonly snapshots: Map<string, ReadonlyMap<string, Edition>>;
  /** The plans that each halt file stops, by its digest; and those that a snapshot which was shown stops. */
  readonly halts: Map<string, readonly string[]>;
  readonly halted: Set<string>;
  /** The root of the log at each size that was ever shown. */
  readonly logRoots: Map<number, string>;
};
export type Scene = {
  readonly chain: Chain;
  readonly victims: readonly Victim[];
  /** What was seen, by product. */
  readonly shown: Map<string, Shown>;
};

const ROLE = /^metadata\/(?:\d+\.)?([a-z-]+)\.json$/;
const REWRITTEN = /^(metadata\/timestamp\.json|log\/checkpoint)$/;
const DIGEST_NAME = /\/([0-9a-f]{64})\.[^/]+$/;

/** Looks at one file that the signer let out. */
export function assertWritten(scene: Scene, written: Written): void {
  const { repository, neighbour } = scene.chain;
  const [product, ...rest] = written.name.split('/');
  const owner = [repository, neighbour].find(({ id }) => id.product === product);
  demand(owner !== undefined, 'WRITTEN_ELSEWHERE', written.name);
  const empty = (): Shown => ({
    files: new Map(),
    newest: new Map(),
    snapshots: new Map(),
    halts: new Map(),
    halted: new Set(),
    logRoots: new Map(),
  });
  const shown = scene.shown.get(owner.id.product) ?? empty();
  scene.shown.set(owner.id.product, shown);
  const place = { scene, owner, shown, name: rest.join('/'), bytes: written.bytes };
  assertName(place);
  const role = ROLE.exec(place.name)?.[1];
  if (role === 'timestamp') assertTimestamp(place);
  else if (role === 'snapshot') assertSnapshot(place);
  else if (role === 'stable-rollout') assertStep(place);
  else if (role !== undefined) {
    demand(isApproved(place, place.bytes), 'ROLE_OF_NOBODY', written.name);
    if (role === 'stable-halt') noteHalts(place);
  } else if (place.name.startsWith('targets/')) assertTarget(place);
  else if (place.name.startsWith('log/')) assertLog(place);
  else demand(false, 'WRITTEN_ELSEWHERE', written.name);
}

type Place = Written & { readonly scene: Scene; readonly owner: TinyRepository; readonly shown: Shown };

function isApproved({ scene, owner }: Pick<Place, 'scene' | 'owner'>, bytes: Uint8Array): boolean {
  return scene.chain.approved.has(approvalOf(owner.id.product, bytes));
}

function assertName({ name, bytes, shown }: Place): void {
  if (REWRITTEN.test(name)) return;
  const sha256 = sha256Hex(bytes);
  demand((shown.files.get(name) ?? sha256) === sha256, 'NAME_REWRITTEN', name);
  shown.files.set(name, sha256);
}

/** The `version` of `role` is above all that were shown, or it is the very same file. */
function assertGrows(shown: Shown, role: string, now: Edition): void {
  const before = shown.newest.get(role);
  const isSame = now.version === before?.version && now.sha256 === before.sha256;
  const grows = before === undefined || isSame || now.version > before.version;
  demand(grows, 'VERSION_FELL', `${role} ${now.version} after ${before?.version ?? 0}`);
  shown.newest.set(role, now);
}

function assertTimestamp({ bytes, shown }: Place): void {
  const { version, snapshot } = accepted(parseTimestamp(bytes)).signed;
  assertGrows(shown, 'timestamp', { version, sha256: sha256Hex(bytes) });
  assertNamed(shown, `metadata/${snapshot.version}.snapshot.json`, snapshot.sha256);
  assertGrows(shown, 'snapshot', { version: snapshot.version, sha256: snapshot.sha256 ?? '' });
  // What is in force is what the newest timestamp leads to: roles of a snapshot that no timestamp names are shown to nobody.
  for (const [file, edition] of shown.snapshots.get(`metadata/${snapshot.version}.snapshot.json`) ?? []) {
    assertGrows(shown, file, edition);
    for (const plan of shown.halts.get(edition.sha256) ?? []) shown.halted.add(plan);
  }
}

function assertNamed({ files }: Shown, name: string, sha256: string | undefined): void {
  demand(sha256 !== undefined && files.get(name) === sha256, 'NAMED_OF_NOBODY', name);
}

function assertSnapshot(place: Place): void {
  const { shown, bytes, name, scene, owner } = place;
  const { meta } = accepted(parseSnapshot(bytes)).signed;
  const named = new Map([...meta].map(([file, { version, sha256 = '' }]) => [file, { version, sha256 }] as const));
  shown.snapshots.set(name, named);
  for (const [file, { version, sha256 }] of named) {
    assertNamed(shown, `metadata/${version}.${file}`, sha256);
    const isOwn = file.endsWith('-rollout.json');
    demand(isOwn || scene.chain.approved.has(`${owner.id.product} ${sha256}`), 'ROLE_OF_NOBODY', file);
  }
}

function noteHalts({ shown, bytes }: Place): void {
  const { halts } = accepted(parseHaltPart(accepted(parseTargets(bytes)).signed.firmament));
  shown.halts.set(
    sha256Hex(bytes),
    halts.map(({ plan }) => plan),
  );
}

function assertTarget({ name, bytes, owner }: Place): void {
  const sha256 = sha256Hex(bytes);
  demand(DIGEST_NAME.exec(name)?.[1] === sha256, 'TARGET_OF_NOBODY', name);
  const released = [...owner.releases.values()].flatMap(filesOf);
  demand(
    released.some((file) => equalBytes(file, bytes)),
    'TARGET_OF_NOBODY',
    name,
  );
}

function assertLog({ name, bytes, owner, shown, scene }: Place): void {
  const { product, rootOneSha256: root } = owner.id;
  if (name.startsWith('log/tile/entries/')) {
    const width = Number(/\.p\/(\d+)$/.exec(name)?.[1] ?? 256);
    for (const entry of accepted(parseEntryBundle(bytes, width))) {
      const leaf = accepted(parseLogLeaf(entry));
      const isOurs = leaf.product === product && leaf.root === root;
      demand(isOurs && scene.chain.approved.has(`${product} ${leaf.sha256}`), 'LOG_OF_NOBODY', leaf.sha256);
    }
  } else if (name === 'log/checkpoint') {
    const { size, rootHash } = accepted(parseCheckpoint(bytes));
    const [now, before] = [encodeHex(rootHash), shown.logRoots.get(size)];
    demand((before ?? now) === now, 'LOG_TWO_FACES', `size ${size}`);
    demand(size >= Math.max(0, ...shown.logRoots.keys()), 'LOG_TWO_FACES', `size ${size} after a larger one`);
    shown.logRoots.set(size, now);
  }
}

/** A step keeps to an approved plan, expects nobody but the fleet, and went on only over what was confirmed. */
function assertStep(place: Place): void {
  const { bytes, owner } = place;
  const step = accepted(parseWaveStep(accepted(parseTargets(bytes)).signed.firmament));
  const plan = planOf(owner, step.plan);
  demand(plan !== undefined, 'STEP_UNPLANNED', step.plan);
  demand(!place.shown.halted.has(step.plan), 'STEP_HALTED', plan.release);
  for (const [wave, { openedAt }] of step.open.entries()) {
    demand(openedAt >= soakedAt(plan, step.open.slice(0, wave)), 'STEP_EARLY', `wave ${wave + 1}`);
    assertExpected(place, plan, { step, wave });
  }
  const isOver = step.completedAt !== undefined;
  demand(!isOver || (step.completedAt ?? 0) >= soakedAt(plan, step.open), 'STEP_EARLY', 'completed');
  demand(!isOver || step.open.length === plan.waves.length, 'STEP_EARLY', 'completed without its last wave');
}

function assertExpected(
  { scene, owner }: Place,
  plan: Plan,
  { step, wave }: { readonly step: WaveStep; readonly wave: number },
): void {
  const from = plan.waves[wave - 1]?.cohortBp ?? 0;
  const to = plan.waves[wave]?.cohortBp ?? 0;
  const members = scene.victims.filter(({ member, repository }) => {
    if (member === undefined || repository !== owner) return false;
    const cohort = cohortOf({ planSha256: step.plan, anchor: step.anchor, deviceId: member.deviceId });
    return cohort >= from && cohort < to;
  });
  const ids = members.map(({ member }) => member?.deviceId ?? '').sort();
  const { expected } = step.open[wave] ?? {};
  const isFleet = expected?.count === ids.length && expected.merkleRoot === expectedRoot(ids);
  demand(isFleet, 'STEP_OF_OTHERS', `wave ${wave + 1}`);
  if (wave === step.open.length - 1 && step.completedAt === undefined) return;
  // The plans here want all of a wave: whoever was in it has confirmed before the next step.
  for (const { index, device } of members) {
    const hasConfirmed = device.events.some(
      (event) => event.step === 'confirm' && event.detail['release'] === plan.release,
    );
    demand(hasConfirmed, 'STEP_UNCONFIRMED', `device ${index}`);
  }
}
