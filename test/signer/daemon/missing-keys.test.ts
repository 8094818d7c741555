/** A signer that was started without a key tells so at its first look, not when the role has half of its life behind it. */
import { expect, test } from 'vitest';
import { keyWarnings, missingKeys } from '../../../signer/daemon/missing-keys.ts';
import { signerMetrics } from '../../../signer/daemon/signer-metrics.ts';
import { readCurrent } from '../../../signer/read-published.ts';
import { makeFaultStore } from '../../../simulation/fault-store.ts';
import { accepted } from '../../accepted.ts';
import { LOGGED } from '../../logged-repository.ts';
import { makeTinyRepository } from '../../tiny-repository.ts';
import { optionsFor, publishAll } from '../publishing.ts';

test('each role whose key is not held is named, and none where all are', async () => {
  const repository = await makeTinyRepository({ log: LOGGED });
  const store = makeFaultStore();
  accepted(await publishAll(repository, store));
  const options = optionsFor(repository, store);
  const published = accepted(await readCurrent(options));
  const all = options.onlineSigners;
  expect(missingKeys(published, all)).toEqual([]);
  const without = all.map((left) =>
    missingKeys(
      published,
      all.filter((signer) => signer !== left),
    ),
  );
  expect(new Set(without.flat())).toEqual(new Set(['snapshot', 'timestamp', 'log']));
  expect(missingKeys(published, [])).toEqual(expect.arrayContaining(['snapshot', 'timestamp', 'log']));
});

test('it is told once a day, and shown as long as it lasts', async () => {
  const told = new Map<string, number>();
  const day = 86_400_000;
  const at = (now: number): number => keyWarnings('gateway', ['log'], { now, told }).length;
  expect([at(0), at(day - 1), at(day), at(day)]).toEqual([1, 0, 1, 0]);
  const metrics = signerMetrics(() => 0);
  metrics.keysMissing('gateway', ['log']);
  expect(await metrics.text()).toContain('firmament_signer_keys_missing{product="gateway",role="log"} 1');
  metrics.keysMissing('gateway', []);
  expect(await metrics.text()).not.toContain('role="log"');
});
