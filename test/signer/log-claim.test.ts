/**
 * Who owns the next positions of a log: the memory that all publishers share, and, among signers that share none, the first file that
 * stands in the store. Claims of earlier versions, objects of the store, are finished as ever.
 */
import { describe, expect, test } from 'vitest';
import { encodeHex, parseUtf8 } from '../../formats/bytes.ts';
import { parseCheckpoint } from '../../formats/checkpoint.ts';
import { encodeLogLeaf, releaseLeaf } from '../../formats/log-leaf.ts';
import { parseLogProof } from '../../formats/log-proof.ts';
import { parseEntryBundle } from '../../formats/log-tiles.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { APPEND_ENTRIES_MAX, encodeLogMemory, LOG_MEMORY_BYTES_MAX, parseLogMemory } from '../../signer/log-memory.ts';
import { draftLogAppend } from '../../signer/draft-log-append.ts';
import { appendToLog } from '../../signer/publish.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { readLog } from '../../signer/read-log.ts';
import { verifyLogAppend } from '../../signer/verify-log-append.ts';
import { makeFaultStore, type FaultKind, type FaultStore } from '../../simulation/fault-store.ts';
import { seededRandom, type Random } from '../../simulation/seed.ts';
import { SEED } from '../simulation/seed.ts';
import { accepted } from '../accepted.ts';
import { LOGGED } from '../logged-repository.ts';
import { LOG_ORIGIN, LOG_POLICY, LOG_SIGNER, tinyLog } from '../tiny-log.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';
import { checkOnce } from './care/published.ts';
import { asEarlier, CLAIM, putEarlierClaim, treeOf } from './earlier-version.ts';
import { allChanges, deviceSees, optionsFor, publishAll, type Publisher } from './publishing.ts';

const CHECKPOINT = 'gateway/log/checkpoint';
const NOTHING = new Uint8Array();

type Scene = { readonly repository: TinyRepository; readonly faulty: FaultStore };

async function published(): Promise<Scene> {
  const repository = await makeTinyRepository({ log: LOGGED });
  const faulty = makeFaultStore();
  accepted(await publishAll(repository, faulty));
  return { repository, faulty };
}

/** An entry of the log of `repository` that names the release file of `version` with other content than any other `salt`. */
function entryOf({ id }: TinyRepository, version: number, salt: string): Uint8Array {
  const bytes = new TextEncoder().encode(salt);
  return encodeLogLeaf(releaseLeaf(id, { channel: 'stable', version, bytes, release: '1.0.0' }));
}

/** Appends `entries` through `publisher`, finishing first what its memory has claimed. @returns what was refused, or nothing. */
async function append(
  repository: TinyRepository,
  { store, memory }: Publisher,
  entries: readonly Uint8Array[],
): Promise<string | undefined> {
  const policies = [LOG_POLICY];
  const log = await readLog({ store, product: 'gateway', policies, check: checkOnce }, await memory.readLog());
  if (!log.ok) return log.code;
  const { unfinished } = log.value;
  const draft = await draftLogAppend(log.value, unfinished?.entries ?? entries, [LOG_SIGNER]);
  const verified = accepted(verifyLogAppend(draft, { repository: repository.id, policies, check: checkOnce }));
  const done = await appendToLog(verified, { store, memory });
  if (!done.ok) return done.code;
  return unfinished === undefined ? undefined : append(repository, { store, memory }, entries);
}

function entriesOf({ objects }: FaultStore): readonly string[] {
  const { size } = accepted(parseCheckpoint(objects.get(CHECKPOINT) ?? NOTHING));
  const all: string[] = [];
  for (let index = 0; index * 256 < size; index++) {
    const width = Math.min(256, size - index * 256);
    const name = `gateway/log/tile/entries/00${index}${width < 256 ? `.p/${width}` : ''}`;
    all.push(...accepted(parseEntryBundle(objects.get(name) ?? NOTHING, width)).map(sha256Hex));
  }
  return all;
}

describe('signers that share no memory', () => {
  /** What each checkpoint says that anybody could ever read, of the log itself or of a proof: its root by its size. */
  function watch(faulty: FaultStore): { readonly store: Publisher['store']; readonly roots: Map<number, Set<string>> } {
    const roots = new Map<number, Set<string>>();
    const put: Publisher['store']['put'] = async (name, bytes, condition) => {
      const done = await faulty.store.put(name, bytes, condition);
      const shown = !done.ok ? undefined : name === CHECKPOINT ? bytes : proofCheckpoint(name, bytes);
      if (shown !== undefined) {
        const { size, rootHash } = accepted(parseCheckpoint(shown));
        roots.set(size, (roots.get(size) ?? new Set()).add(encodeHex(rootHash)));
      }
      return done;
    };
    return { store: { get: faulty.store.get, put }, roots };
  }

  function proofCheckpoint(name: string, bytes: Uint8Array): Uint8Array | undefined {
    return name.includes('/log/proof/') ? accepted(parseLogProof(bytes)).checkpoint : undefined;
  }

  /** `store` as another process sees it: every read and write takes its own time. */
  function slowed({ get, put }: Publisher['store'], random: Random): Publisher['store'] {
    const turns = async (): Promise<void> => {
      for (let turn = random(6); turn > 0; turn--) await new Promise((go) => setImmediate(go));
    };
    return {
      get: async (...args) => turns().then(() => get(...args)),
      put: async (...args) => turns().then(() => put(...args)),
    };
  }

  test(`never show two logs over an honest store, also where they begin with the same entry (seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const { repository, faulty } = await published();
    let refused = 0;
    for (let round = 0; round < 60; round++) {
      const scene = faulty.copy();
      const { store, roots } = watch(scene);
      const signers = [scene.memory, scene.copy().memory];
      const common = entryOf(repository, 100, 'both of them');
      const live = async (memory: Publisher['memory'], who: number): Promise<void> => {
        for (let step = 0; step < 3; step++) {
          const own = Array.from({ length: random(4) }, (_, i) => entryOf(repository, 100 + i, `${who} ${step}`));
          const entries = step === 0 && random(2) === 0 ? [common, ...own] : own;
          if (entries.length === 0) continue;
          if ((await append(repository, { store: slowed(store, random), memory }, entries)) !== undefined) refused++;
        }
      };
      await Promise.all(signers.map(live));
      // Whatever anybody has seen is a beginning of one log.
      const largest = Math.max(...roots.keys());
      const name = `gateway/log/tile/entries/000.p/${largest}`;
      const all = accepted(parseEntryBundle(scene.objects.get(name) ?? NOTHING, largest));
      for (const [size, shown] of roots) {
        const root = encodeHex(tinyLog(all.slice(0, size)).head.rootHash);
        expect([...shown], `round ${round}, ${size} entries`).toEqual([root]);
      }
    }
    expect(refused).toBeGreaterThan(10);
  });
});

test('an append that is cut, and cut again while it is finished, is one append: at any two writes, whatever becomes of them', async () => {
  const { repository, faulty } = await published();
  const entries = [entryOf(repository, 2, 'first'), entryOf(repository, 3, 'second')];
  const other = [entryOf(repository, 4, 'comes later')];
  const whole = faulty.copy();
  for (const next of [entries, other]) expect(await append(repository, whole, next)).toBeUndefined();
  const kinds: readonly FaultKind[] = ['cut', 'full', 'lost'];
  // Memory, bundle, two tiles, two proofs, checkpoint; and those of the one that comes later.
  for (let first = 2; first <= 7; first++) {
    for (let second = 1; second <= 8; second++) {
      const kind = kinds[(first + second) % 3] ?? 'cut';
      const store = faulty.copy();
      store.failAt(first, kind);
      await expect(append(repository, store, entries)).rejects.toMatchObject({ name: 'OperationError' });
      store.restore();
      store.failAt(second, kind);
      await append(repository, store, other).catch(() => undefined);
      store.restore();
      expect(await append(repository, store, other)).toBeUndefined();
      const all = entriesOf(store);
      // Asked again after its answer was lost, it logs the same once more; nothing else.
      expect(all.slice(0, 6), `${kind} at ${first} and ${second}`).toEqual(entriesOf(whole));
      expect(all.slice(6)).toEqual(all.length === 6 ? [] : other.map(sha256Hex));
    }
  }
});

describe('an append over the end of a tile', () => {
  /** A log of 250 entries, and ten more that are to come: the last six of a tile, and four of the next. */
  async function atTheEnd(): Promise<Scene & { readonly next: readonly Uint8Array[] }> {
    const { repository, faulty } = await published();
    const numbered = (from: number, to: number): readonly Uint8Array[] =>
      Array.from({ length: to - from }, (_, i) => entryOf(repository, from + i, 'numbered'));
    for (let size = 3; size < 250; size = Math.min(250, size + APPEND_ENTRIES_MAX)) {
      const entries = numbered(size, Math.min(250, size + APPEND_ENTRIES_MAX));
      expect(await append(repository, faulty, entries)).toBeUndefined();
    }
    return { repository, faulty, next: numbered(250, 260) };
  }

  test('is finished after a cut at every write, whatever is to be logged next, as one log', async () => {
    const { repository, faulty, next } = await atTheEnd();
    const whole = faulty.copy();
    expect(await append(repository, whole, next)).toBeUndefined();
    const other = [entryOf(repository, 900, 'comes later')];
    expect(await append(repository, whole, other)).toBeUndefined();
    // Memory, two bundles, ten tiles and one above them, ten proofs, checkpoint.
    for (let at = 2; at <= 25; at++) {
      const cut = faulty.copy();
      cut.cutAt(at);
      await expect(append(repository, cut, next)).rejects.toMatchObject({ code: 'POWER_CUT' });
      cut.restore();
      expect(await append(repository, cut, other)).toBeUndefined();
      expect(entriesOf(cut), `write ${at}`).toEqual(entriesOf(whole));
      expect(cut.objects, `write ${at}`).toEqual(whole.objects);
    }
  });
});

describe('a claim of an earlier version', () => {
  /** A deployment of an earlier version: its memory knows the tree alone. */
  async function earlier(): Promise<Scene> {
    const { repository, faulty } = await published();
    return { repository, faulty: await asEarlier(faulty) };
  }

  test('is finished, wherever that version was cut: before its memory, behind it, or behind some of its files', async () => {
    const { repository, faulty } = await earlier();
    const entries = [entryOf(repository, 2, 'claimed'), entryOf(repository, 3, 'claimed')];
    const claim = await putEarlierClaim(faulty, entries);
    const log = await faulty.memory.readLog();
    for (const cut of ['before its memory', 'behind its memory', 'behind its files'] as const) {
      const store = faulty.copy();
      if (cut !== 'before its memory') accepted(await store.memory.writeLog(treeOf(claim), log));
      if (cut === 'behind its files') {
        const whole = faulty.copy();
        expect(await append(repository, whole, [])).toBeUndefined();
        for (const name of ['entries/000.p/5', '0/000.p/5']) {
          store.objects.set(`gateway/log/tile/${name}`, whole.objects.get(`gateway/log/tile/${name}`) ?? NOTHING);
        }
      }
      await repository.publishRelease();
      accepted(await publishAll(repository, store));
      expect(entriesOf(store).slice(3, 5), cut).toEqual(entries.map(sha256Hex));
      expect(await deviceSees(store.objects, repository)).toMatchObject({ boots: true });
    }
  });

  test('by another hand is refused, whether it is of no key of the log or says something else', async () => {
    const { repository, faulty } = await earlier();
    await putEarlierClaim(faulty, [entryOf(repository, 2, 'claimed')]);
    const claim = parseUtf8(faulty.objects.get(CLAIM) ?? NOTHING) ?? '';
    const stranger = faulty.copy();
    const [signer] = repository.signers.get('timestamp') ?? [];
    await putEarlierClaim(stranger, [entryOf(repository, 2, 'forged')], signer);
    const forged = parseUtf8(stranger.objects.get(CLAIM) ?? NOTHING) ?? '';
    for (const bytes of [claim.replace(/\n[A-Za-z0-9+/=]+\n\n/, '\nAAAA\n\n'), forged, 'no claim']) {
      const liar = faulty.copy();
      liar.objects.set(CLAIM, new TextEncoder().encode(bytes));
      expect(await publishAll(repository, liar)).toMatchObject({ ok: false, code: 'REPOSITORY_CONFLICT' });
      expect(liar.writes()).toBe(0);
    }
  });

  test('is not looked at once the memory knows its last entries: whoever owns the store claims nothing with an old one', async () => {
    const { repository, faulty } = await earlier();
    await repository.publishRelease();
    accepted(await publishAll(repository, faulty));
    await putEarlierClaim(faulty, [entryOf(repository, 7, 'an old claim that is shown again')]);
    await repository.publishRelease();
    const reads: string[] = [];
    const get: Publisher['store']['get'] = (name, bytesMax) => {
      reads.push(name);
      return faulty.store.get(name, bytesMax);
    };
    const publisher = { store: { ...faulty.store, get }, memory: faulty.memory };
    accepted(await publishChanges(optionsFor(repository, publisher), allChanges(repository)));
    expect(reads).toContain(CHECKPOINT);
    expect(reads).not.toContain(CLAIM);
    expect(entriesOf(faulty)).toHaveLength(7);
  });
});

describe('the memory of a log', () => {
  const tree = { origin: LOG_ORIGIN, size: 100, rootHash: new Uint8Array(32).fill(7) };
  const entry = (length: number): Uint8Array => new Uint8Array(length).fill(65);

  test('without entries is what earlier versions wrote, to the byte', () => {
    const bytes = new TextEncoder().encode(
      `{"origin":"${LOG_ORIGIN}","rootHash":"${'07'.repeat(32)}","size":100,"version":1}`,
    );
    expect(encodeLogMemory(tree)).toEqual(bytes);
    expect(accepted(parseLogMemory(bytes))).toEqual(tree);
  });

  test('holds as many of the longest entries as an append may have, and no more', () => {
    const most = { ...tree, entries: Array.from({ length: APPEND_ENTRIES_MAX }, () => entry(1024)) };
    const bytes = encodeLogMemory(most);
    expect(bytes.length).toBeLessThanOrEqual(LOG_MEMORY_BYTES_MAX);
    expect(accepted(parseLogMemory(bytes))).toEqual(most);
    for (const entries of [[...most.entries, entry(1)], [entry(1025)], [], Array.from({ length: 3 }, () => entry(1))]) {
      const size = entries.length === 3 ? 2 : 100;
      expect(parseLogMemory(encodeLogMemory({ ...tree, size, entries })).ok, `${entries.length} entries`).toBe(false);
    }
  });

  test('of a version that is not known, or with entries under version 1, is no memory', () => {
    const text = parseUtf8(encodeLogMemory({ ...tree, entries: [entry(3)] })) ?? '';
    for (const other of [text.replace('"version":2', '"version":1'), text.replace('"version":2', '"version":3')]) {
      expect(parseLogMemory(new TextEncoder().encode(other)).ok).toBe(false);
    }
  });
});
