/** Garbage is removed from under publishers that share one memory and take no turns: nothing that any of them shows is ever missing. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { planGarbage, removeGarbage } from '../../../signer/care/collect-garbage.ts';
import type { ObjectRemover } from '../../../signer/care/published-source.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import { openStateDatabase, type StateDatabase } from '../../../signer/signer-state-database.ts';
import { OperationError } from '../../../formats/operation-error.ts';
import { makeFaultStore, type FaultStore } from '../../../simulation/fault-store.ts';
import { seededRandom, type Random } from '../../../simulation/seed.ts';
import { SEED } from '../../simulation/seed.ts';
import { accepted } from '../../accepted.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';
import { allChanges, deviceSees, optionsFor, publishAll } from '../publishing.ts';
import { checkOnce, sourceOver } from './published.ts';

const ROUNDS = 12;
const NEVER = Infinity;

/** Lets others go on for a random while. */
async function pause(random: Random): Promise<void> {
  for (let turn = random(12); turn > 0; turn--) await new Promise((go) => setImmediate(go));
}

async function openDatabase(): Promise<() => Promise<StateDatabase>> {
  const folder = await mkdtemp(join(tmpdir(), 'firmament-sweep-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return async () => {
    const database = await openStateDatabase(join(folder, 'state.db'));
    onTestFinished(() => database.close());
    return database;
  };
}

/** A remover that takes its time, and that dies at removal number `diesAt` before or after it. */
function slowRemover(objects: Map<string, Uint8Array>, random: Random, diesAt: number): ObjectRemover {
  let removed = 0;
  return {
    remove: async (name) => {
      await pause(random);
      const dies = ++removed === diesAt;
      if (!dies || random(2) === 0) objects.delete(name);
      if (dies) throw new OperationError('POWER_CUT', 'for a test', { retriable: true });
      await pause(random);
    },
  };
}

/** A repository, and beside it the files of its next release, which a publication has left behind that was cut. */
async function withOrphans(
  repository: TinyRepository,
  store: FaultStore,
  memory: ReturnType<StateDatabase['memoryOf']>,
): Promise<void> {
  await repository.publishRelease();
  store.cutAt(3);
  await expect(publishAll(repository, { store: store.store, memory })).rejects.toMatchObject({ code: 'POWER_CUT' });
  store.restore();
}

test(`a publication that finds its files among the garbage is whole, whoever is faster, and whether the collector lives or dies (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const open = await openDatabase();
  const [ours, theirs] = [await open(), await open()];
  let removed = 0;
  let met = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const product = `product-${round}`;
    const repository = await makeTinyRepository({ product });
    const store = makeFaultStore();
    const memory = ours.memoryOf(product);
    accepted(await publishAll(repository, { store: store.store, memory }));
    await withOrphans(repository, store, memory);
    const input = {
      ...{ ...sourceOver(store.objects), repository: repository.id, check: checkOnce, now: repository.now },
      limits: { peopleMs: 0, onlineMs: 0 },
      rules: { versionsMin: 1, ageMs: 1, incomingAgeMs: 1 },
      memory: theirs.memoryOf(product),
    };
    const garbage = accepted(await planGarbage(input));
    expect(garbage.objects).toHaveLength(2);
    const diesAt = random(3) === 0 ? 1 + random(2) : NEVER;
    const wrote = Promise.withResolvers<undefined>();
    const publisher = {
      memory: {
        ...memory,
        write: async (...args: Parameters<typeof memory.write>) => {
          const written = await memory.write(...args);
          wrote.resolve(undefined);
          return written;
        },
      },
      store: {
        get: store.store.get,
        put: async (...args: Parameters<FaultStore['store']['put']>) => {
          await pause(random);
          return store.store.put(...args);
        },
      },
    };
    const [published, collected] = await Promise.all([
      publishChanges(optionsFor(repository, publisher), allChanges(repository)),
      // In every third round the publication surely comes first, in the others it is a race.
      (round % 3 === 0 ? wrote.promise : pause(random))
        .then(() => removeGarbage(input, garbage, slowRemover(store.objects, random, diesAt)))
        .catch((fault: unknown) =>
          fault instanceof OperationError ? ('died' as const) : Promise.reject(fault as Error),
        ),
    ]);
    accepted(published);
    if (collected !== 'died' && !collected.ok) met++;
    if (collected === 'died' || collected.ok) removed++;
    for (const release of repository.releases.values()) {
      for (const { draft } of release.components) {
        const shown = [...store.objects.keys()].some((name) => name.includes(draft.image.sha256));
        expect(shown, `round ${round}`).toBe(true);
      }
    }
    expect(await deviceSees(store.objects, repository)).toEqual({ channel: 2, boots: true });
    expect((await memory.read())?.sweeps ?? 0).toBeOneOf([0, 2, 4, 6]);
  }
  expect(removed, 'rounds in which something was removed').toBeGreaterThan(1);
  expect(met, 'rounds in which the publication came first').toBeGreaterThan(1);
});
