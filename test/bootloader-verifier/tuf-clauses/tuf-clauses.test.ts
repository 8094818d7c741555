/** The TUF specification 1.0.34, clause by clause, before the client of the sources and before the committed executable. */
import { describe, expect, test } from 'vitest';
import { LoadedClient } from '../tuf-client/loaded-client.ts';
import { SimulatedClient, SimulatedRepository } from '../tuf-client/simulated-repository.ts';
import type { ClauseCase, ClauseClient } from './clause-case.ts';
import { CLAUSES, PEER_BUGS } from './clauses.ts';
import { DOWNLOAD_CASES } from './download-cases.ts';
import { FORMAT_CASES } from './format-cases.ts';
import { SEARCH_CASES } from './search-cases.ts';
import { WORKFLOW_CASES } from './workflow-cases.ts';

const CASES: readonly ClauseCase[] = [...FORMAT_CASES, ...WORKFLOW_CASES, ...SEARCH_CASES, ...DOWNLOAD_CASES];

async function play(
  one: ClauseCase,
  clientOf: (repository: SimulatedRepository) => Promise<ClauseClient>,
): Promise<void> {
  const repository = new SimulatedRepository();
  one.setup?.(repository);
  await repository.publishAll();
  const client = await clientOf(repository);
  await client.init();
  if (one.fresh !== true) await client.refresh();
  await one.change?.({ repository, client });
  const outcome = one.find === undefined ? await client.refresh() : (await client.find(one.find)).join();
  expect(outcome).toBe(one.outcome);
  if (one.kept !== undefined) expect(client.versions()).toBe(one.kept);
  if (one.asServed !== undefined) expect(client.kept.get(one.asServed)).toEqual(repository.newest(one.asServed));
  const isLoaded = client instanceof LoadedClient;
  const asked = one.asked?.filter((path) => isLoaded || !path.startsWith('targets/'));
  if (asked !== undefined) expect(repository.requests).toEqual(asked);
  if (isLoaded) expect(client.strays()).toEqual([]);
}

describe('the client of the sources', () => {
  test.each(CASES.filter(({ downloads }) => downloads !== true))('$clause: $says', (one) =>
    play(one, (repository) => Promise.resolve(new SimulatedClient(repository))),
  );
});

describe('the committed executable', () => {
  test.each(CASES)('$clause: $says', (one) => play(one, (repository) => LoadedClient.of(repository)));
});

test('every clause and every bug of a peer has a case, and no two cases say the same', () => {
  expect(new Set(CASES.map(({ clause }) => clause))).toEqual(new Set(Object.keys(CLAUSES)));
  expect(new Set(CASES.flatMap(({ bugs }) => bugs ?? []))).toEqual(new Set(Object.keys(PEER_BUGS)));
  const titles = CASES.map(({ clause, says }) => `${clause}: ${says}`);
  expect(titles.filter((title, i) => titles.indexOf(title) !== i)).toEqual([]);
});
