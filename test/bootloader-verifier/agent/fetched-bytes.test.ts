/**
 * What a device fetches of a product with 100 releases, each byte of a body counted: cold, and at the poll after a publication.
 *
 * - Counted is one poll: a file once, though the polls of the same life, after the install and after the confirmation, ask again.
 * - Roots demand a log and every release is judged: all that a release brings along is counted, but the images themselves.
 */
import { beforeAll, expect, test } from 'vitest';
import { makeFaultStore } from '../../../simulation/fault-store.ts';
import { simulatedImage } from '../../../simulation/simulated-device.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import { accepted } from '../../accepted.ts';
import { LOGGED } from '../../logged-repository.ts';
import { filesOf, optionsFor } from '../../signer/publishing.ts';
import { makeTinyDevice } from '../../tiny-device.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';

const RELEASES = 100;
const COLD_BYTES_MAX = 20_000;
const POLL_BYTES_MAX = 10_000;

let repository: TinyRepository;
let log: () => Promise<void>;
beforeAll(async () => {
  const first = { image: simulatedImage('1.0.0', 'healthy') };
  repository = await makeTinyRepository({ channels: ['stable'], isJudged: true, log: LOGGED, first });
  const publisher = makeFaultStore();
  log = async () => {
    const channels = new Map(['stable', 'stable-history'].map((name) => [name, repository.newest(name)] as const));
    const changes = {
      roots: repository.roots(),
      targets: repository.newest('targets'),
      channels,
      targetFiles: [...repository.releases.values()].flatMap(filesOf),
    };
    accepted(await publishChanges(optionsFor(repository, publisher), changes));
    for (const [name, bytes] of publisher.objects) {
      if (name.startsWith('gateway/log/')) repository.files.set(name.slice('gateway/'.length), bytes);
    }
  };
  for (let version = 2; version < RELEASES; version++) await release(version);
  await log();
}, 300_000);

async function release(version: number): Promise<void> {
  const name = `${version}.0.0`;
  await repository.publishRelease({ release: name, image: simulatedImage(name, 'healthy'), isShort: true });
}

type Fetched = ReadonlyMap<string, number>;

/** A device that counts what it is sent. */
async function countingDevice(): Promise<{ readonly live: () => Promise<Fetched> }> {
  const fetched = new Map<string, number>();
  const client = {
    get: async (name: string, bytesMax: number) => {
      const bytes = await repository.client.get(name, bytesMax);
      if (!name.endsWith('.image.js')) fetched.set(name, bytes?.length ?? 0);
      return bytes;
    },
  };
  const device = await makeTinyDevice(repository, { source: { kind: 'server', client } });
  return {
    live: async () => {
      fetched.clear();
      await device.live();
      return new Map(fetched);
    },
  };
}

function sum(fetched: Fetched): number {
  return [...fetched.values()].reduce((total, bytes) => total + bytes, 0);
}

function shown(fetched: Fetched): string {
  return [...fetched].map(([name, bytes]) => `${bytes} ${name}`).join('\n');
}

test('cold, with 99 releases behind it, and at the poll after the hundredth: within the bounds, without the images', async () => {
  const device = await countingDevice();
  const cold = await device.live();

  await release(RELEASES);
  await log();
  const poll = await device.live();

  console.log(`fetched of ${RELEASES} releases: cold ${sum(cold)} bytes, at the poll after a publication ${sum(poll)}`);
  expect(sum(cold), shown(cold)).toBeLessThanOrEqual(COLD_BYTES_MAX);
  expect(sum(poll), shown(poll)).toBeLessThanOrEqual(POLL_BYTES_MAX);
});
