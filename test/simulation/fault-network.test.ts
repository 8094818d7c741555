/** The simulated network: every fault that it can show, and the client's limit that holds through all of them. */
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { faultNetwork, NO_FAULTS, type NetworkFault } from '../../simulation/fault-network.ts';
import { seededRandom } from '../../simulation/seed.ts';
import { virtualClock } from '../../simulation/virtual-clock.ts';
import { testRepositoryClient } from '../bootloader-verifier/repository-client-contract.ts';
import { SEED } from './seed.ts';

const FILE = encodeUtf8('a file of some length');
const FILES = new Map([['metadata/timestamp.json', FILE]]);

function getWith(fault: NetworkFault | undefined, bytesMax = 100): Promise<Uint8Array | undefined> {
  const faults = { ...NO_FAULTS, random: seededRandom(SEED), choose: () => fault };
  return faultNetwork(FILES, faults).get('metadata/timestamp.json', bytesMax);
}

testRepositoryClient((files) => Promise.resolve(faultNetwork(files, NO_FAULTS)));

test('a network without faults hands out copies of the files, and nothing for a name that is not there', async () => {
  const network = faultNetwork(FILES, NO_FAULTS);
  const bytes = await network.get('metadata/timestamp.json', 100);
  expect(bytes).toEqual(FILE);
  expect(bytes).not.toBe(FILE);
  expect(await network.get('metadata/2.root.json', 7)).toBeUndefined();
  expect(network.requests).toEqual([
    { name: 'metadata/timestamp.json', bytesMax: 100 },
    { name: 'metadata/2.root.json', bytesMax: 7 },
  ]);
});

test('no answer is longer than the client allows, however it came about', async () => {
  expect(await getWith(undefined, FILE.length)).toEqual(FILE);
  const tooLarge = { code: 'RESPONSE_TOO_LARGE', retriable: true };
  await expect(getWith(undefined, FILE.length - 1)).rejects.toMatchObject(tooLarge);
  await expect(getWith({ kind: 'endless' })).rejects.toMatchObject(tooLarge);
  await expect(getWith({ kind: 'replace', bytes: new Uint8Array(101) })).rejects.toMatchObject(tooLarge);
});

test('each fault shows as what it is', async () => {
  await expect(getWith({ kind: 'refuse' })).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE', retriable: true });
  expect(await getWith({ kind: 'absent' })).toBeUndefined();
  const short = await getWith({ kind: 'truncate' });
  expect(short).toEqual(FILE.subarray(0, short?.length));
  expect(short?.length).toBeLessThan(FILE.length);
  const corrupt = (await getWith({ kind: 'corrupt' })) ?? FILE;
  expect(corrupt.filter((byte, i) => byte !== FILE[i])).toHaveLength(1);
  expect(await getWith({ kind: 'replace', bytes: Uint8Array.of(1) })).toEqual(Uint8Array.of(1));
});

test('a delayed answer comes when its time has passed', async () => {
  const clock = virtualClock(0);
  const choose = (): NetworkFault => ({ kind: 'delay', ms: 90_000 });
  const network = faultNetwork(FILES, { ...NO_FAULTS, sleep: clock.sleep, choose });
  expect(await clock.during(network.get('metadata/timestamp.json', 100))).toEqual(FILE);
  expect(clock.now()).toBe(90_000);
});
