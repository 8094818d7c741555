/**
 * Addresses over HTTP and HTTPS.
 *
 * - Redirects are followed, at most `REDIRECTS_MAX`, and never from HTTPS to HTTP: metadata and targets verify themselves, wherever
 *   they come from, but whoever chose HTTPS keeps it.
 * - An answer may take long, but not stand still: see `silence.ts`.
 * - What is asked for is the file itself: no content coding, for lengths and digests are those of the file.
 */
import type { IncomingMessage } from 'node:http';
import { OperationError } from '../../../formats/operation-error.ts';
import { startSilence, type Silence, type SilenceLimits } from '../silence.ts';
import type { Answer, Fetcher } from './fetcher.ts';

const REDIRECTS_MAX = 5;
const REDIRECTS: readonly (number | undefined)[] = [301, 302, 303, 307, 308];
/** What counts as progress of a body. */
const PROGRESS_BYTES = 4_096;

/** A fetcher that holds connections open from call to call; they end with the process. */
export function fetcherHttp(limits: SilenceLimits): Fetcher {
  return async (url) => {
    let address = parseAddress(url);
    for (let followed = 0; followed <= REDIRECTS_MAX; followed++) {
      const silence = startSilence(limits);
      const response = await request(address, silence);
      silence.progress();
      const { location } = response.headers;
      if (!REDIRECTS.includes(response.statusCode) || location === undefined) return answerOf(response, url, silence);
      silence.end();
      address = redirected(address, location);
    }
    throw new OperationError('RESPONSE_UNEXPECTED', `${url}: more than ${REDIRECTS_MAX} redirects`, {
      retriable: false,
    });
  };
}

function parseAddress(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address?.protocol === 'http:' || address?.protocol === 'https:') return address;
  throw new OperationError('USAGE', `${url} is no address of HTTP or HTTPS`, { retriable: false });
}

function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const isSafe = to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:');
  if (to !== undefined && isSafe) return to;
  throw new OperationError('RESPONSE_UNEXPECTED', `${from.href}: a redirect that is not followed`, {
    retriable: false,
  });
}

async function request(address: URL, silence: Silence): Promise<IncomingMessage> {
  // Loaded when used: `init` needs neither.
  const client = address.protocol === 'https:' ? await import('node:https') : await import('node:http');
  try {
    return await new Promise((resolve, reject) => {
      const headers = { 'accept-encoding': 'identity', 'user-agent': 'firmament-tuf-client' };
      client.get(address, { headers, signal: silence.signal }, resolve).on('error', reject);
    });
  } catch (cause) {
    silence.end();
    throw broken(`${address.host} does not answer`, { cause, silence });
  }
}

function answerOf(response: IncomingMessage, url: string, silence: Silence): Answer {
  const coding = response.headers['content-encoding'] ?? 'identity';
  if (!/^(identity)?$/i.test(coding)) {
    silence.end();
    throw new OperationError('RESPONSE_UNEXPECTED', `${url}: content coding ${coding}`, { retriable: false });
  }
  return { status: response.statusCode ?? 0, body: bodyOf(response, url, silence) };
}

async function* bodyOf(response: IncomingMessage, url: string, silence: Silence): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  let progressAt = 0;
  let isWhole = false;
  try {
    for await (const chunk of response) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('a body is bytes');
      sizeBytes += chunk.length;
      if (sizeBytes - progressAt >= PROGRESS_BYTES) {
        progressAt = sizeBytes;
        silence.progress();
      }
      yield chunk;
    }
    isWhole = true;
  } catch (cause) {
    throw broken(`${url}: the answer broke off`, { cause, silence });
  } finally {
    if (isWhole) silence.rest();
    else silence.end();
  }
}

function broken(detail: string, fault: { readonly cause: unknown; readonly silence: Silence }): OperationError {
  const reason: unknown = fault.silence.signal.reason;
  const isTimeout = reason instanceof Error && reason.name === 'TimeoutError';
  const { cause } = fault;
  return new OperationError(isTimeout ? 'NETWORK_TIMEOUT' : 'NETWORK_UNREACHABLE', detail, { retriable: true, cause });
}
