/**
 * The chain that the liar lies to: people of two products, a real signer behind its socket, devices with secrets. Everything between
 * them is the liar's.
 *
 * - People: the quorums of two tiny repositories with two channels each, a list of people, a factory, a CA and a log. The same people
 *   hold the keys of both products. What they approve is told here and nowhere else; the liar has every file that they ever signed,
 *   and none of their keys.
 * - The store, what devices are answered, what is carried to them, and what is said to the signer are the liar's.
 */
import { createPrivateKey } from 'node:crypto';
import { deviceIdOf } from '../../formats/device-id.ts';
import { deriveKeySeed } from '../../formats/dice.ts';
import { ed25519PublicKey } from '../../formats/ed25519-key.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { planDigest } from '../../formats/plan.ts';
import type { Person } from '../../formats/people.ts';
import { encodePublishRequest, type RequestPart } from '../../formats/publish-request.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { ed25519Signer } from '../../signer/ed25519-signer.ts';
import type { ChannelDraft } from '../../signer/draft-channel.ts';
import type { Changes } from '../../signer/publication.ts';
import { haltContent } from '../../signer/rollout/draft-step.ts';
import type { Signer } from '../../signer/signer.ts';
import { simulatedImage } from '../../simulation/simulated-device.ts';
import { LOGGED } from '../logged-repository.ts';
import { seededSigner } from '../seeded-signer.ts';
import { filesOf } from '../signer/publishing.ts';
import type { Ends } from '../temporary-folder.ts';
import { HOUR_MS, WORKFLOW } from '../tiny-event.ts';
import { manifestOf, publishFactory, type FleetDevice } from '../tiny-fleet.ts';
import { LOG_SIGNER } from '../tiny-log.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';
import { placeOf, planInForce, tinyPlan } from '../tiny-rollout.ts';
import { startLiarsSigner, type LiarsSigner } from './liar-signer.ts';

export type Chain = LiarsSigner & {
  readonly repository: TinyRepository;
  /** Another product of the same people, in the same bucket, by the same signer. */
  readonly neighbour: TinyRepository;
  readonly fleet: readonly ChainDevice[];
  /** What people have approved by quorum, as `approvalOf` names it. */
  readonly approved: Set<string>;
  now: number;
  /** The manifest of the fleet, as the factory signed it. */
  readonly manifest: Uint8Array;
};
/** A device of the fleet: its secret, and the id that follows from it. */
export type ChainDevice = FleetDevice & { readonly secret: Uint8Array };

const CHANNELS = ['stable', 'beta'] as const;
/** How long an approval may wait to be published: the liar may hold it up for all of its rounds. */
const APPROVED_MS = 1_000 * HOUR_MS;
const WAVE_SECONDS = 600;
/** RFC 8410: what stands before the 32 private bytes in PKCS#8. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The chain, with its first releases in force and its fleet listed. @param random bytes that nobody else knows. */
export async function makeChain(random: (count: number) => Uint8Array, ends?: Ends): Promise<Chain> {
  const first = { image: simulatedImage('1.0.0', 'healthy') };
  const repository = await makeTinyRepository({ channels: CHANNELS, log: LOGGED, first });
  const neighbour = await makeTinyRepository({ product: 'other', channels: CHANNELS, log: LOGGED, first });
  const fleet = [7, 8, 9].map(deviceOf);
  const time = { now: repository.now };
  const roles = ['snapshot', 'timestamp', ...CHANNELS.map((channel) => `${channel}-rollout`)];
  const online = roles.flatMap((role) => (repository.signers.get(role) ?? []).map((signer) => [role, signer] as const));
  const signer = await startLiarsSigner({
    ...{ product: repository.id.product, online: [...online, ['log', LOG_SIGNER]], ca: seededSigner('ca 1') },
    ...{ now: () => time.now, random, ends },
  });
  const chain: Chain = {
    ...signer,
    ...{ repository, neighbour, fleet, approved: new Set() },
    get now() {
      return time.now;
    },
    set now(at) {
      time.now = at;
    },
    manifest: await manifestOf(repository, fleet),
  };
  await begin(chain, repository);
  const listed = await chain.ask('manifest', chain.manifest);
  if (listed.status !== 200) throw new Error(`the fleet is not listed: ${listed.code}`);
  await begin(chain, neighbour);
  // A version ahead of this product: what is newer there must not be newer here.
  for (const release of ['2.0.0', '3.0.0']) {
    const files = await approve(chain, neighbour, { channel: 'stable', release, image: 'healthy' });
    await bring(chain, neighbour, { targetFiles: files });
  }
  return chain;
}

/** People list each other, a factory and a CA; the first releases are approved again under that list. */
async function begin(chain: Chain, repository: TinyRepository): Promise<void> {
  noteApproved(chain, repository);
  const first = [...repository.releases.values()].flatMap(filesOf);
  await bring(chain, repository, {
    ...{ roots: repository.roots(), targets: repository.newest('targets'), targetFiles: first },
  });
  await publishFactory(repository);
  const rollouts = CHANNELS.map((channel) => ({ channel, keys: keysOf(repository, `${channel}-rollout`) }));
  await repository.publishTargets({
    people: peopleOf(repository),
    rollouts,
    identityAnchors: [{ name: 'ca-1', key: chain.caKey }],
  });
  const targets = repository.newest('targets');
  for (const channel of CHANNELS) await approve(chain, repository, { channel, release: '1.0.0', image: 'healthy' });
  await bring(chain, repository, { targets });
}

export type Approval = {
  readonly channel: string;
  readonly release: string;
  readonly image: 'healthy' | 'unhealthy';
  readonly isPlanned?: boolean;
  readonly draft?: Partial<ChannelDraft>;
};

/** People approve a release of `repository`. @returns the files that it consists of. */
export async function approve(
  chain: Chain,
  repository: TinyRepository,
  said: Approval,
): Promise<readonly Uint8Array[]> {
  const { release, channel, image, isPlanned = false, draft } = said;
  const { now } = chain;
  const [, ...others] = repository.signers.get(channel) ?? [];
  const plan = isPlanned ? { plan: planAt(now) } : {};
  const published = await repository.publishRelease({
    release,
    image: simulatedImage(release, image),
    securityCounter: Number.parseInt(release),
    channels: [channel],
    signers: others,
    now,
    draft: { event: { notAfter: now + APPROVED_MS, authors: [WORKFLOW] }, ...plan, ...draft },
  });
  noteApproved(chain, repository);
  return filesOf(published);
}

/** A manager halts the plan in force in `stable`. @returns the halt, signed. */
export async function haltPlan(chain: Chain, repository: TinyRepository): Promise<Uint8Array> {
  const { now, approved } = chain;
  const plan = planDigest(planInForce(repository), placeOf(repository));
  const former = [...repository.files].findLast(([name]) => name.endsWith('.stable-halt.json'))?.[1];
  const draft = { repository: repository.id, channel: 'stable', former, expires: now + APPROVED_MS };
  const content = haltContent(draft, { plan, at: now, reason: 'its self-test fails' });
  const file = repository.put('stable-halt', await repository.sign('stable-halt', content));
  approved.add(approvalOf(repository.id.product, file));
  return file;
}

/** How an approval of `bytes` for `product` is named in the list of approvals. */
export function approvalOf(product: string, bytes: Uint8Array): string {
  return `${product} ${sha256Hex(bytes)}`;
}

/** Writes down that people stand behind what they signed last. */
function noteApproved({ approved }: Chain, repository: TinyRepository): void {
  const { product } = repository.id;
  for (const role of ['targets', ...CHANNELS]) approved.add(approvalOf(product, repository.newest(role)));
  for (const root of repository.roots()) approved.add(approvalOf(product, root));
}

/** Hands to the signer what people have signed: the newest files of the channels, and `more`. */
export async function bring(chain: Chain, repository: TinyRepository, more: Changes): Promise<void> {
  const channels = CHANNELS.map((channel) => [channel, repository.newest(channel)] as const);
  const body = publishBody({ channels: new Map(channels), ...more });
  const answer = await chain.ask(`r/${repository.id.product}/publish`, body);
  if (answer.status !== 200) throw new Error(`what people approve is not published: ${answer.code}`);
}

/** The body of a request to publish `changes`. */
export function publishBody({ roots = [], targets, channels = new Map(), targetFiles = [] }: Changes): Uint8Array {
  const part = (kind: RequestPart['kind'], bytes: Uint8Array, name?: string): RequestPart => ({ kind, name, bytes });
  return encodePublishRequest([
    ...roots.map((bytes) => part('root', bytes)),
    ...(targets === undefined ? [] : [part('targets', targets)]),
    ...[...channels].map(([name, bytes]) => part('channel', bytes, name)),
    ...targetFiles.map((bytes) => part('file', bytes)),
  ]);
}

/** Half of the fleet for ten minutes, if all of it confirms, then everybody; also from a file. */
function planAt(now: number): ReturnType<typeof tinyPlan> {
  const gate = { expectedMin: 0, confirmedBp: 10_000, deadlineSeconds: 86_400 };
  const waves = [
    { cohortBp: 5000, soakSeconds: WAVE_SECONDS, gate },
    { cohortBp: 10_000, soakSeconds: 0, gate },
  ];
  return tinyPlan(now, { waves, leaseSeconds: 7200, haltSeconds: 7200, offline: true });
}

function deviceOf(seed: number): ChainDevice {
  const secret = new Uint8Array(32).fill(seed);
  const key = deriveKeySeed(secret);
  const pkcs8 = Buffer.concat([PKCS8_HEAD, key]);
  const signer = ed25519Signer(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
  return { secret, signer, deviceId: deviceIdOf(ed25519PublicKey(key)) };
}

function keysOf(repository: TinyRepository, role: string): readonly Signer['key'][] {
  return (repository.signers.get(role) ?? []).map(({ key }) => key);
}

/** Three people, each with a key a channel; the workflow that proposes stands for the first. */
function peopleOf(repository: TinyRepository): readonly Person[] {
  return ['dee', 'eli', 'fay'].map((person, index) => ({
    person,
    keys: CHANNELS.flatMap((channel) => {
      const keyid = repository.signers.get(channel)?.[index]?.keyid;
      return keyid === undefined ? [] : [{ keyid, independent: true }];
    }),
    subjects: index === 0 && 'issuer' in WORKFLOW ? [WORKFLOW] : [],
  }));
}

/** What the liar does to the store may fail what the signer does: as a fault of the world, and as nothing else. */
export function expectWorld(fault: unknown): undefined {
  if (!(fault instanceof OperationError)) throw fault;
  return undefined;
}
