/** What the tests of keeping a repository whole share: a repository with a history, published in memory, and how it is looked at. */
import type { ExpiryLimits } from '../../../signer/care/check-scene.ts';
import { checkRepository, type CheckedRepository } from '../../../signer/care/check-repository.ts';
import type { MirrorPlace } from '../../../signer/care/mirror-place.ts';
import type { Finding } from '../../../signer/care/finding.ts';
import type { ObjectList, PublishedSource } from '../../../signer/care/published-source.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import { concatBytes, encodeHex } from '../../../formats/bytes.ts';
import { OperationError } from '../../../formats/operation-error.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { checkSignaturePortable, type SignatureCheck } from '../../../formats/signature-check.ts';
import { makeFaultStore, type FaultStore } from '../../../simulation/fault-store.ts';
import { accepted } from '../../accepted.ts';
import { LOGGED } from '../../logged-repository.ts';
import { publishPlanned, publishStep, publishHalt } from '../../tiny-rollout.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../../tiny-repository.ts';
import { allChanges, optionsFor, publishAll } from '../publishing.ts';

export type History = {
  readonly repository: TinyRepository;
  readonly store: FaultStore;
  /** What objects that are replaced held before, the newest last. */
  readonly former: ReadonlyMap<string, readonly Uint8Array[]>;
};

const DAY_MS = 86_400_000;
export const LIMITS: ExpiryLimits = { peopleMs: 21 * DAY_MS, onlineMs: 6 * 3_600_000 };

/** Publishes a release of higher counter and, if asked, first a root that hands every role of people to other keys. */
export async function publishNext(
  { repository, store }: Pick<History, 'repository' | 'store'>,
  rotate = false,
): Promise<void> {
  if (rotate) {
    const next = [1, 2].map((i) => seededSigner(`rotated ${i}`));
    const quorum = { keys: next.map(({ key }) => key), threshold: 2 };
    await repository.publishRoot({ quorums: { root: quorum, targets: quorum }, signers: next });
    await repository.publishTargets();
    const both = [...(repository.signers.get('targets') ?? []).slice(0, 2), ...next];
    repository.put('targets', await repository.sign('targets', signedOf(repository.newest('targets')), both));
  }
  await repository.publishRelease();
  accepted(await publishAll(repository, store));
}

/** Releases and a history of them, a renewed root, a plan with an open wave and a halt, and refreshes of the online roles, all published one after the other. */
export async function publishedHistory(isLogged = true): Promise<History> {
  const repository = await makeTinyRepository(isLogged ? { log: LOGGED } : {});
  const store = makeFaultStore();
  const former = new Map<string, Uint8Array[]>();
  store.beforeWrite(async (objects) => {
    for (const name of ['gateway/metadata/timestamp.json', 'gateway/log/checkpoint']) {
      const bytes = objects.get(name);
      const known = former.get(name) ?? [];
      if (bytes !== undefined && known.at(-1) !== bytes) former.set(name, [...known, bytes]);
    }
    await Promise.resolve();
  });
  accepted(await publishAll(repository, store));
  await repository.publishRelease();
  accepted(await publishAll(repository, store));
  for (let i = 0; i < 2; i++) await repository.publishRelease();
  await repository.publishRelease({ isShort: true });
  await repository.publishRoot();
  const changes = allChanges(repository);
  const histories = ['stable-history', 'beta-history'].map((name) => [name, repository.newest(name)] as const);
  const channels = new Map([...(changes.channels ?? []), ...histories]);
  accepted(await publishChanges(optionsFor(repository, store), { ...changes, channels }));
  accepted(await publishChanges(optionsFor(repository, store), {}));
  await publishPlanned(repository, '6.0.0');
  accepted(await publishAll(repository, store));
  const publishSide = async (name: string): Promise<void> =>
    void accepted(
      await publishChanges(optionsFor(repository, store), { channels: new Map([[name, repository.newest(name)]]) }),
    );
  await publishStep(repository, [repository.now]);
  await publishSide('stable-rollout');
  await publishHalt(repository, repository.now);
  await publishSide('stable-halt');
  return { repository, store, former };
}

/** Objects in memory, as somebody outside reads and lists them. */
export function sourceOver(objects: ReadonlyMap<string, Uint8Array>): {
  readonly source: PublishedSource;
  readonly list: ObjectList;
} {
  return {
    source: {
      open: (name) => {
        const bytes = objects.get(name);
        return Promise.resolve(bytes && chunksOf(bytes));
      },
    },
    list: {
      list: async function* (prefix) {
        for (const [name, { length }] of objects) {
          if (name.startsWith(prefix)) yield await Promise.resolve({ name, sizeBytes: length, modifiedAt: 0 });
        }
      },
    },
  };
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield await Promise.resolve(bytes.slice(at, at + 1000));
}

const checks = new Map<string, boolean>();
/** The portable check, which looks at one signature once: most of what a test damages leaves most signatures as they were. */
export const checkOnce: SignatureCheck = (key, message, signature) => {
  const name = `${key.scheme} ${key.public} ${encodeHex(signature)} ${sha256Hex(message)}`;
  const known = checks.get(name) ?? checkSignaturePortable(key, message, signature);
  checks.set(name, known);
  return known;
};

type Look = {
  readonly now?: number;
  readonly isBlind?: boolean;
  /** Happens before the object of this name is opened. */
  readonly whileLooking?: (name: string) => Promise<void>;
};

/** Checks `objects`, against what the signer of `history` remembers unless `isBlind`. */
export async function checked(
  { repository, store }: History,
  objects: ReadonlyMap<string, Uint8Array>,
  { now, isBlind = false, whileLooking }: Look = {},
): Promise<CheckedRepository> {
  const { source, list } = sourceOver(objects);
  return checkRepository({
    source: {
      open: async (name) => {
        await whileLooking?.(name);
        return source.open(name);
      },
    },
    list,
    repository: repository.id,
    check: checkOnce,
    now: now ?? repository.now,
    limits: LIMITS,
    memory: isBlind ? undefined : { state: store.memory.read, log: await store.memory.readLog() },
  });
}

/** What is found in `objects`. */
export async function found(...args: Parameters<typeof checked>): Promise<readonly Finding[]> {
  return (await checked(...args)).findings.all();
}

export type Medium = { readonly place: MirrorPlace; writes: () => number };

/** A mirror in memory; at write number `cutAt` the power goes. @param look called before each write. */
export function mediumOver(
  objects: Map<string, Uint8Array>,
  cutAt: number = Infinity,
  look = (): Promise<void> => Promise.resolve(),
): Medium {
  let writes = 0;
  const write = async (name: string, bytes: Uint8Array): Promise<void> => {
    await look();
    if (++writes >= cutAt) throw new OperationError('POWER_CUT', 'for a test', { retriable: true });
    objects.set(name, bytes.slice());
  };
  return {
    writes: () => writes,
    place: {
      source: sourceOver(objects).source,
      keep: write,
      keepStream: async (name, fill) => {
        const chunks: Uint8Array[] = [];
        const filled = await fill(async (chunk) => Promise.resolve(void chunks.push(chunk)));
        if (filled.ok) await write(name, concatBytes(...chunks));
        return filled;
      },
    },
  };
}
