/**
 * A repository over a network that an adversary owns: each request may be refused, cut short, changed, answered with something
 * else, flooded or held back.
 *
 * - The faults are chosen by the number of the request, from 0, and by its name; what is not chosen passes unchanged.
 * - The client's limit holds as it does over a real network: more than `bytesMax` bytes are `RESPONSE_TOO_LARGE`, never kept.
 * - Every request is recorded with its limit.
 */
import { OperationError } from '../formats/operation-error.ts';
import type { RepositoryClient } from '../bootloader-verifier/agent/repository-client.ts';
import type { Random } from './seed.ts';

export type NetworkFault =
  /** Nobody answers. */
  | { readonly kind: 'refuse' }
  /** The name is said not to exist. */
  | { readonly kind: 'absent' }
  /** The answer ends early, at a random byte, and does not say so. */
  | { readonly kind: 'truncate' }
  /** One random bit is another. */
  | { readonly kind: 'corrupt' }
  /** The answer is these bytes. */
  | { readonly kind: 'replace'; readonly bytes: Uint8Array }
  /** The answer never ends. */
  | { readonly kind: 'endless' }
  /** The answer takes its time. */
  | { readonly kind: 'delay'; readonly ms: number };

export type Request = { readonly name: string; readonly bytesMax: number };
export type FaultNetwork = RepositoryClient & { readonly requests: readonly Request[] };
export type NetworkFaults = {
  /** The fault of a request, if it is to have one. */
  readonly choose: (request: Request, index: number) => NetworkFault | undefined;
  readonly random: Random;
  readonly sleep: (ms: number) => Promise<void>;
};

/** A network that does nothing wrong. */
export const NO_FAULTS: NetworkFaults = {
  choose: () => undefined,
  random: () => 0,
  sleep: () => Promise.resolve(),
};

/** The network between a device and the files of a server, by name; the files may change meanwhile. */
export function faultNetwork(files: Pick<ReadonlyMap<string, Uint8Array>, 'get'>, faults: NetworkFaults): FaultNetwork {
  const requests: Request[] = [];
  return {
    requests,
    get: async (name, bytesMax) => {
      const request = { name, bytesMax };
      const fault = faults.choose(request, requests.length);
      requests.push(request);
      const answer = await answerTo(files.get(name), fault, faults);
      if (answer === 'endless' || (answer !== undefined && answer.length > bytesMax)) {
        throw new OperationError('RESPONSE_TOO_LARGE', `${name}: more than ${bytesMax} bytes`, { retriable: true });
      }
      return answer?.slice();
    },
  };
}

async function answerTo(
  file: Uint8Array | undefined,
  fault: NetworkFault | undefined,
  { random, sleep }: NetworkFaults,
): Promise<Uint8Array | 'endless' | undefined> {
  switch (fault?.kind) {
    case undefined:
      return file;
    case 'refuse':
      throw new OperationError('NETWORK_UNREACHABLE', 'the server does not answer', { retriable: true });
    case 'absent':
      return undefined;
    case 'truncate':
      return file?.slice(0, random(file.length));
    case 'corrupt':
      return file && corrupted(file, random);
    case 'replace':
      return fault.bytes;
    case 'endless':
      return 'endless';
    case 'delay':
      await sleep(fault.ms);
      return file;
  }
}

function corrupted(file: Uint8Array, random: Random): Uint8Array {
  const bytes = file.slice();
  const at = random(bytes.length);
  bytes.set([(bytes[at] ?? 0) ^ (1 << random(8))], at);
  return bytes;
}
