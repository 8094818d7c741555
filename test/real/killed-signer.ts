/**
 * The real signer daemon, killed while it publishes: what it works on, how it is started, and what must hold after each kill.
 *
 * - People's files come from a tiny repository; the daemon opens the online keys from key files, as everywhere.
 * - A kill is `SIGKILL`. Afterwards the daemon is started anew and asked again; then a device refreshes and the store is checked.
 * - What is published before the daemon starts may be of an earlier time, so that something is due when it does.
 */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refresh } from '../../bootloader-verifier/agent/refresh.ts';
import type { Instant } from '../../formats/instant.ts';
import { encodePublishRequest, type RequestPart } from '../../formats/publish-request.ts';
import type { SignerAnswer } from '../../formats/signer-answer.ts';
import { signerClient } from '../../ota-server/signer-client.ts';
import { startVerb, type VerbProcess } from '../../pilot/verb-process.ts';
import type { ObjectList, PublishedSource } from '../../signer/care/published-source.ts';
import { checkRepository, type CheckedRepository } from '../../signer/care/check-repository.ts';
import { generateKey } from '../../signer/key-file.ts';
import type { ObjectStore } from '../../signer/object-store.ts';
import type { Changes } from '../../signer/publication.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { checkSignature } from '../../signer/signature-check-node.ts';
import { signerMemoryFile } from '../../signer/signer-memory-file.ts';
import { accepted } from '../accepted.ts';
import { NO_CHANGE, LOGGED } from '../logged-repository.ts';
import { allChanges } from '../signer/publishing.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';

export type KilledSigner = {
  readonly folder: string;
  readonly repository: TinyRepository;
  /** Starts the daemon over a store, and waits until it listens. @param by the command that starts it. */
  readonly start: (
    store: readonly string[],
    more?: readonly string[],
    by?: readonly string[],
  ) => Promise<RunningSigner>;
  /** Publishes all of the repository into `store` as the daemon would have at the time `now`. */
  readonly publishAt: (store: ObjectStore, now: Instant) => Promise<void>;
  /** The version of `stable` that a device sees now in `store`; fails where it does not get through. */
  readonly seenIn: (store: Pick<ObjectStore, 'get'>) => Promise<number>;
  /** Checks a store against the daemon's memory, at the time it is. */
  readonly check: (store: {
    readonly source: PublishedSource;
    readonly list: ObjectList;
  }) => Promise<CheckedRepository>;
};
export type RunningSigner = {
  /** Whether it has acknowledged the publication; undefined if it was killed over it. */
  readonly publish: (changes: Changes) => Promise<boolean | undefined>;
  /** Its answer; a fault of the world throws `OperationError`, whose cause says which. */
  readonly ask: (verb: string, changes?: Changes) => Promise<SignerAnswer>;
  readonly kill: () => Promise<void>;
};

const NOTHING = new Uint8Array();
const PASSPHRASE = 'three words together';
const ANSWER_MS_MAX = 120_000;
/** What a look for what is due waits here; nothing is due by itself in these tests. */
const LOOK_MS = '3600000';

export type KilledOptions = {
  /** When the repository is founded. */
  readonly now?: Instant;
  /** Whether the daemon serves any product, with a database for its memory. */
  readonly isDeployment?: boolean;
  /** A folder for its memory elsewhere. */
  readonly state?: string;
};

/** A repository whose online keys are in files. */
export async function makeKilledSigner(given: KilledOptions = {}): Promise<KilledSigner> {
  const { now = Date.now(), isDeployment = false } = given;
  const folder = await mkdtemp(join(tmpdir(), 'firmament-signer-'));
  const at = (name: string): string => join(folder, name);
  await writeFile(at('passphrase'), PASSPHRASE, { mode: 0o600 });
  const keys = await Promise.all(
    ['online', 'log'].map(async (name) => {
      const key = await generateKey(PASSPHRASE, 1);
      await writeFile(at(`${name}.age`), key.file);
      return key.signer;
    }),
  );
  const [online, log] = keys;
  if (online === undefined || log === undefined) throw new Error('two keys were made');
  const repository = await makeTinyRepository({
    now,
    log: { ...NO_CHANGE, ...LOGGED, keys: [log.key] },
    online,
  });
  await mkdir(at('state'));
  const options = [
    ...['--socket', at('sock'), '--state', given.state ?? at('state'), '--look-ms', LOOK_MS],
    ...(isDeployment ? [] : ['--product', 'gateway']),
    ...['--key', at('online.age'), at('log.age'), '--passphrase-file', at('passphrase'), at('passphrase')],
  ];
  const memory = signerMemoryFile(join(at('state'), 'state.json'));
  return {
    folder,
    repository,
    start: async (store, more = [], by = []) => {
      // What the first start has compiled serves all further ones.
      const env = { ...process.env, NODE_COMPILE_CACHE: at('compiled') };
      return running(await startVerb(['signer', ...options, ...store, ...more], env, by), at('sock'));
    },
    publishAt: async (store, then) => {
      const options = { store, memory, product: repository.id.product, onlineSigners: [online, log], now: then };
      accepted(await publishChanges(options, allChanges(repository)));
    },
    seenIn: async (store) => {
      const get = async (name: string, bytesMax: number): Promise<Uint8Array | undefined> =>
        (await store.get(`${repository.id.product}/${name}`, bytesMax))?.bytes;
      const rootsAtHand = [repository.factory.root];
      const asked = { client: { get }, rootsAtHand, seen: undefined, now: Date.now() };
      return accepted(await refresh({ device: repository.device(), ...asked })).channelRole.signed.version;
    },
    check: async (store) =>
      checkRepository({
        ...store,
        repository: repository.id,
        check: checkSignature,
        now: Date.now(),
        limits: { peopleMs: 0, onlineMs: 0 },
        memory: { state: memory.read, log: await memory.readLog() },
      }),
  };
}

function running({ end }: VerbProcess, socket: string): RunningSigner {
  const ask = signerClient(socket, ANSWER_MS_MAX, 'gateway');
  return {
    ask: (verb, changes) => ask(verb, changes === undefined ? NOTHING : encodePublishRequest(partsOf(changes))),
    publish: async (changes) => {
      const answer = await ask('publish', encodePublishRequest(partsOf(changes))).catch(() => undefined);
      if (answer !== undefined && !answer.ok) throw new Error(`${answer.code ?? ''}: ${answer.detail ?? ''}`);
      return answer?.ok;
    },
    kill: async () => void (await end('SIGKILL')),
  };
}

function partsOf({ roots = [], targets, channels = new Map(), targetFiles = [] }: Changes): readonly RequestPart[] {
  const part = (kind: RequestPart['kind'], bytes: Uint8Array, name?: string): RequestPart => ({ kind, bytes, name });
  return [
    ...roots.map((bytes) => part('root', bytes)),
    ...(targets === undefined ? [] : [part('targets', targets)]),
    ...[...channels].map(([name, bytes]) => part('channel', bytes, name)),
    ...targetFiles.map((bytes) => part('file', bytes)),
  ];
}
