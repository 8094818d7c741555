/**
 * The chain that the liar lies to: people, a real signer behind its socket, devices with secrets. Everything between them is the liar's.
 *
 * - People: the quorums of a tiny repository with two channels, a list of people, a factory, a CA and a log. What they approve is told
 *   here and nowhere else; the liar has every file that they ever signed, and none of their keys.
 * - The signer: the daemon's own door and verbs over a unix socket, with its memory and books where no liar comes; and the issuing of
 *   identities. Each of its keys writes down what it signs.
 * - The store, what devices are answered, and what is said to the signer are the liar's.
 */
import { createPrivateKey } from 'node:crypto';
import { request } from 'node:http';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatBytes, equalBytes } from '../../formats/bytes.ts';
import { deviceIdOf } from '../../formats/device-id.ts';
import { deriveKeySeed } from '../../formats/dice.ts';
import { ed25519PublicKey } from '../../formats/ed25519-key.ts';
import type { Person } from '../../formats/people.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { encodePublishRequest, type RequestPart } from '../../formats/publish-request.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { checkSignature } from '../../signer/signature-check-node.ts';
import { parseSignerAnswer } from '../../formats/signer-answer.ts';
import { ed25519Signer } from '../../signer/ed25519-signer.ts';
import { serveVerbs, type RunningDaemon } from '../../signer/daemon/serve-verbs-http.ts';
import { doDue, signerVerbs } from '../../signer/daemon/signer-verbs.ts';
import { identityLedgerFolder } from '../../signer/identity/identity-ledger.ts';
import { deviceRegister } from '../../signer/identity/device-register.ts';
import type { Issuing, IssuingView } from '../../signer/identity/issue-identity.ts';
import { openViewReader } from '../../signer/identity/read-approved-releases.ts';
import { openNonces } from '../../signer/identity/nonces.ts';
import type { Changes } from '../../signer/publication.ts';
import { publishQueue } from '../../signer/publish-queue.ts';
import type { RolloutSigner } from '../../signer/rollout/run-rollout.ts';
import type { Signer } from '../../signer/signer.ts';
import { makeFaultBooks, type FaultBooks } from '../../simulation/fault-books.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import { simulatedImage } from '../../simulation/simulated-device.ts';
import { LOGGED } from '../logged-repository.ts';
import { seededSigner } from '../seeded-signer.ts';
import { filesOf, optionsFor } from '../signer/publishing.ts';
import { HOUR_MS, WORKFLOW } from '../tiny-event.ts';
import { manifestOf, publishFactory, type FleetDevice } from '../tiny-fleet.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';
import { tinyPlan } from '../tiny-rollout.ts';

/** What a key of the signer signed. */
export type Signed = { readonly by: string; readonly message: Uint8Array };
export type Answered = {
  readonly status: number;
  readonly code: string;
  /** Whether the signer says that it keeps a word. */
  readonly isNew: boolean;
};
export type Chain = {
  readonly repository: TinyRepository;
  readonly store: FaultStore;
  readonly books: FaultBooks;
  readonly issuing: Issuing;
  readonly fleet: readonly ChainDevice[];
  /** All that a key of the signer ever signed. */
  readonly signed: readonly Signed[];
  /** What the signer wrote to its store, whatever became of it. */
  readonly written: ReadonlyMap<string, Uint8Array>;
  /** SHA-256 of the files that people have approved by quorum. */
  readonly approved: Set<string>;
  now: number;
  readonly socketPath: string;
  /** Says `body` to the verb `verb` at the socket, as whoever owns a plane can. */
  readonly ask: (verb: string, body: Uint8Array) => Promise<Answered>;
  /** What the daemon does by itself at this time. */
  readonly due: () => Promise<string>;
  /** What is believed when somebody asks for an identity; undefined where the store does not let it be read. */
  readonly view: () => Promise<IssuingView | undefined>;
  /** The manifest of the fleet, as the factory signed it. */
  readonly manifest: Uint8Array;
  readonly close: () => Promise<void>;
};
/** A device of the fleet: its secret, and the id that follows from it. */
export type ChainDevice = FleetDevice & { readonly secret: Uint8Array };

export const CHANNELS = ['stable', 'beta'] as const;
/** How long an approval may wait to be published: the liar may hold it up for all of its rounds. */
const APPROVED_MS = 1_000 * HOUR_MS;
const SOCKET_MS_MAX = 20_000;
const IDENTITY_LIFETIME_MS = HOUR_MS;
const WAVE_SECONDS = 600;
/** RFC 8410: what stands before the 32 private bytes in PKCS#8. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The chain, with its first release in force and its fleet listed. @param random bytes that nobody else knows. */
export async function makeChain(random: (count: number) => Uint8Array): Promise<Chain> {
  const repository = await makeTinyRepository({
    channels: CHANNELS,
    log: LOGGED,
    first: { image: simulatedImage('1.0.0', 'healthy') },
  });
  const fleet = [7, 8, 9].map(deviceOf);
  const signed: Signed[] = [];
  const written = new Map<string, Uint8Array>();
  const store = makeFaultStore();
  const books = makeFaultBooks();
  const signer = signerOf(repository, { store, books, signed, written });
  const folder = await mkdtemp(join(tmpdir(), 'firmament-liar-'));
  const socketPath = join(folder, 'signer.sock');
  const time = { now: repository.now };
  const daemon = await serveVerbs({
    socketPath,
    verbs: signerVerbs(signer),
    now: () => time.now,
    log: (line) => process.stderr.write(`${line}\n`),
  });
  const issuing: Issuing = {
    repository: repository.id,
    caSigner: recorded(seededSigner('ca 1'), 'ca', signed),
    ledger: identityLedgerFolder(join(folder, 'identities')),
    nonces: openNonces(random(32)),
    check: checkSignature,
    lifetimeMs: IDENTITY_LIFETIME_MS,
    random,
  };
  const read = openViewReader({ ...signer.publishing, ...issuing, register: signer.register });
  const chain: Chain = {
    repository,
    store,
    books,
    issuing,
    fleet,
    signed,
    written,
    approved: new Set(),
    socketPath,
    get now() {
      return time.now;
    },
    set now(at) {
      time.now = at;
    },
    ask: (verb, body) => post(socketPath, verb, body),
    due: () => dueOf(daemon, signer, time.now),
    view: async () => {
      // A store that the liar has spoilt is a fault of the world, which the daemon answers with 503.
      const view = await read(time.now).catch(expectWorld);
      return view?.ok === true ? view.value : undefined;
    },
    manifest: await manifestOf(repository, fleet),
    close: () => daemon.close(),
  };
  await begin(chain);
  return chain;
}

/** People list each other, a factory and a CA; the first releases are approved again under that list. */
async function begin(chain: Chain): Promise<void> {
  const { repository } = chain;
  noteApproved(chain);
  const first = [...repository.releases.values()].flatMap(filesOf);
  await bring(chain, { roots: repository.roots(), targets: repository.newest('targets'), targetFiles: first });
  await publishFactory(repository);
  const { caSigner } = chain.issuing;
  const rollouts = CHANNELS.map((channel) => ({ channel, keys: keysOf(repository, `${channel}-rollout`) }));
  await repository.publishTargets({
    people: peopleOf(repository),
    rollouts,
    identityAnchors: [{ name: 'ca-1', key: caSigner.key }],
  });
  const targets = repository.newest('targets');
  for (const channel of CHANNELS)
    await approve(chain, channel, { release: '1.0.0', image: 'healthy', isPlanned: false });
  await bring(chain, { targets });
  const listed = await chain.ask('manifest', chain.manifest);
  if (listed.status !== 200) throw new Error(`the fleet is not listed: ${listed.code}`);
}

/** People approve `release` in `channel`. @returns the files that it consists of. */
export async function approve(
  { repository, approved, now }: Chain,
  channel: string,
  said: { readonly release: string; readonly image: 'healthy' | 'unhealthy'; readonly isPlanned: boolean },
): Promise<readonly Uint8Array[]> {
  const { release } = said;
  const counter = Number.parseInt(release);
  const [, ...others] = repository.signers.get(channel) ?? [];
  const plan = said.isPlanned ? { plan: planAt(now) } : {};
  const published = await repository.publishRelease({
    release,
    image: simulatedImage(release, said.image),
    securityCounter: counter,
    channels: [channel],
    signers: others,
    now,
    draft: { event: { notAfter: now + APPROVED_MS, authors: [WORKFLOW] }, ...plan },
  });
  noteApproved({ repository, approved });
  return filesOf(published);
}

/** Writes down that people stand behind what they signed last. */
function noteApproved({ repository, approved }: Pick<Chain, 'repository' | 'approved'>): void {
  for (const role of ['targets', ...CHANNELS]) approved.add(sha256Hex(repository.newest(role)));
  for (const root of repository.roots()) approved.add(sha256Hex(root));
}

/** Hands to the signer what people have signed: the newest files of the channels, and `more`. */
export async function bring(chain: Chain, more: Changes): Promise<void> {
  const channels = CHANNELS.map((channel) => [channel, chain.repository.newest(channel)] as const);
  const answer = await chain.ask('publish', publishBody({ channels: new Map(channels), ...more }));
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

/** Half of the fleet for ten minutes, if all of it confirms, then everybody. */
function planAt(now: number): ReturnType<typeof tinyPlan> {
  const gate = { expectedMin: 0, confirmedBp: 10_000, deadlineSeconds: 86_400 };
  const waves = [
    { cohortBp: 5000, soakSeconds: WAVE_SECONDS, gate },
    { cohortBp: 10_000, soakSeconds: 0, gate },
  ];
  return tinyPlan(now, { waves, leaseSeconds: 7200, haltSeconds: 7200 });
}

function deviceOf(seed: number): ChainDevice {
  const secret = new Uint8Array(32).fill(seed);
  const key = deriveKeySeed(secret);
  const pkcs8 = Buffer.concat([PKCS8_HEAD, key]);
  const signer = ed25519Signer(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
  return { secret, signer, deviceId: deviceIdOf(ed25519PublicKey(key)) };
}

/** `signer`, writing down what it signs. */
function recorded(signer: Signer, by: string, signed: Signed[]): Signer {
  return {
    ...signer,
    sign: (message) => {
      signed.push({ by, message: message.slice() });
      return signer.sign(message);
    },
  };
}

function signerOf(
  repository: TinyRepository,
  to: {
    readonly store: FaultStore;
    readonly books: FaultBooks;
    readonly signed: Signed[];
    readonly written: Map<string, Uint8Array>;
  },
): RolloutSigner {
  const { now: _, ...publishing } = optionsFor(repository, to.store);
  const rollouts = CHANNELS.flatMap((channel) => repository.signers.get(`${channel}-rollout`) ?? []);
  const onlineSigners = [...publishing.onlineSigners, ...rollouts].map((signer) => {
    const role = [...repository.signers].find(([, signers]) => signers.some(({ keyid }) => keyid === signer.keyid));
    return recorded(signer, role?.[0] ?? 'log', to.signed);
  });
  const store = {
    ...to.store.store,
    put: async (...put: Parameters<FaultStore['store']['put']>) => {
      const done = await to.store.store.put(...put);
      const standing = to.store.objects.get(put[0]);
      if (done.ok || (standing !== undefined && equalBytes(standing, put[1]))) to.written.set(put[0], put[1].slice());
      return done;
    },
  };
  const whole = { ...publishing, store, onlineSigners };
  return {
    publishing: whole,
    publish: publishQueue(whole),
    books: to.books,
    register: deviceRegister(to.books),
    open: new Map(),
  };
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

async function dueOf(daemon: RunningDaemon, signer: RolloutSigner, now: number): Promise<string> {
  const done = await daemon.inTurn(() => doDue(signer, now));
  return done.ok ? 'done' : done.code;
}

async function post(socketPath: string, verb: string, body: Uint8Array): Promise<Answered> {
  return new Promise((resolve, refuse) => {
    const asked = request(
      { socketPath, path: `/${verb}`, method: 'POST', headers: { 'content-length': body.length } },
      (response) => {
        const chunks: Uint8Array[] = [];
        response.on('data', (chunk: Uint8Array) => chunks.push(chunk));
        response.on('error', refuse);
        response.on('end', () => {
          const answer = parseSignerAnswer(concatBytes(...chunks));
          const code = answer.ok ? (answer.value.code ?? '') : 'no answer';
          const isNew = answer.ok && answer.value.facts.get('isNew') === true;
          const detail = answer.ok ? answer.value.detail : undefined;
          resolve({ status: response.statusCode ?? 0, code: inner(code, detail), isNew });
        });
      },
    );
    asked.setTimeout(SOCKET_MS_MAX, () => asked.destroy(new Error(`${verb}: the signer hangs`)));
    // What is refused unread is answered before it was sent.
    asked.on('error', (fault) => refuse(fault));
    asked.end(body);
  });
}

/** The code that a device would give, where the publisher's own stands around it. */
function inner(code: string, detail: string | undefined): string {
  const within = /^([A-Z][A-Z0-9_]+): /.exec(detail ?? '')?.[1];
  return code === 'PUBLICATION_REFUSED' && within !== undefined ? within : code;
}

/** What the liar does to the store may fail what the signer does: as a fault of the world, and as nothing else. */
export function expectWorld(fault: unknown): undefined {
  if (!(fault instanceof OperationError)) throw fault;
  return undefined;
}
