/** A client with a past, against one without: over any history of a repository, good and bad steps mixed. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keysOf, roleOf } from '../../formats/sample-repository.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { SimulatedClient, simulate, type SimulatedRepository } from './simulated-repository.ts';

type Role = 'timestamp' | 'snapshot' | 'targets';
type Step = { readonly kind: keyof typeof STEPS; readonly role: Role };

const ALL = ['targets', 'snapshot', 'timestamp'] as const;

/** Publishes the next version of `role`, and whatever must name it. */
async function publish(repository: SimulatedRepository, role: Role): Promise<void> {
  await repository.publish(...ALL.slice(ALL.indexOf(role)));
}

/** Demands a further key of `role`, under the next root. */
async function raise(repository: SimulatedRepository, role: Role): Promise<void> {
  const before = repository.signersOf(role);
  const signers = [...before, seededSigner(`${role} ${before.length}`)];
  repository.signers.set(role, signers);
  repository.root.keys = new Map([...repository.root.keys, ...keysOf(signers)]);
  repository.root.roles = { ...repository.root.roles, [role]: roleOf(signers) };
  await repository.publish('root');
}

/** Says something of targets that is not so, until the next snapshot. */
async function misname(repository: SimulatedRepository, change: { version?: number; length?: number }): Promise<void> {
  const file = repository.meta.get('targets.json');
  if (file === undefined) return;
  repository.meta.set('targets.json', { ...file, ...change });
  await publish(repository, 'snapshot');
  repository.meta.set('targets.json', file);
}

const STEPS = {
  publish,
  raiseAndSign: async (repository, role) => {
    await raise(repository, role);
    await repository.publish(...ALL);
  },
  raiseAlone: raise,
  rotate: async (repository, role) => {
    repository.rotate(role, `${role} of root ${repository.versions.get('root') ?? 0}`);
    await repository.publish('root', ...ALL);
  },
  strangers: async (repository, role) => {
    const before = repository.signersOf(role);
    repository.signers.set(role, [seededSigner('stranger')]);
    await publish(repository, role);
    repository.signers.set(role, before);
  },
  timestampBack: async (repository) => {
    const version = repository.versions.get('timestamp') ?? 1;
    repository.versions.set('timestamp', Math.max(0, version - 3));
    await repository.publish('timestamp');
    repository.versions.set('timestamp', version);
  },
  targetsBack: (repository) => misname(repository, { version: 1 }),
  longer: (repository) => misname(repository, { length: 100_000 }),
  shorter: (repository) => misname(repository, { length: 10 }),
  named: (repository) => {
    repository.namesHashes = !repository.namesHashes;
    return publish(repository, 'targets');
  },
} as const satisfies Record<string, (repository: SimulatedRepository, role: Role) => Promise<void>>;

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[])),
  role: fc.constantFrom<Role>(...ALL),
});

/** The versions that `client` keeps, by role. */
function keptBy(client: SimulatedClient): ReadonlyMap<string, number> {
  const entries = client.versions().split(', ');
  return new Map(entries.map((entry) => [entry.split(' ')[0] ?? '', Number(entry.split(' ')[1])]));
}

test('what a client with a past takes, one without takes as well; and without new keys nothing falls or is deleted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const { repository, client } = await simulate();
      for (const { kind, role } of steps) {
        await STEPS[kind](repository, role);
        const before = keptBy(client);
        const outcome = await client.refresh();
        const after = keptBy(client);
        const fresh = new SimulatedClient(repository);
        await fresh.init();
        // Of the version that is kept already, the kept timestamp goes on: what is served then plays no part.
        const goesOn = before.get('timestamp') === after.get('timestamp');
        if (outcome.startsWith('root ') && !goesOn) expect(await fresh.refresh(), kind).toMatch(/^root /);
        for (const [name, version] of kind === 'rotate' ? [] : before) {
          expect(after.get(name) ?? 0, `${name} after ${kind} ${role}`).toBeGreaterThanOrEqual(version);
        }
      }
    }),
    { numRuns: 60 },
  );
});
