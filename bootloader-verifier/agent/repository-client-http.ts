/**
 * The repository over HTTP, for devices whose host has `fetch`.
 *
 * - Redirects are refused: the address is the one that was configured.
 * - Each answer has a limit in bytes, held while it streams, and a limit of silence, after which it is given up.
 * - The last timestamp is asked for by its ETag, so that an idle poll costs one request answered by 304.
 */
import { concatBytes } from '../../formats/bytes.ts';
import { OperationError } from '../../formats/operation-error.ts';
import type { RepositoryClient } from './repository-client.ts';

const SILENCE_MS_MAX = 15_000;
const REMEMBERED = 'metadata/timestamp.json';

type Remembered = { readonly etag: string; readonly bytes: Uint8Array };

/** A client for the product at `base`, an address that ends in `/r/PRODUCT/`. */
export function repositoryClientHttp(base: URL): RepositoryClient {
  let remembered: Remembered | undefined;
  return {
    get: async (name, bytesMax) => {
      const known = name === REMEMBERED ? remembered : undefined;
      const answer = await request(new URL(encodePath(name), base), known?.etag);
      try {
        if (answer.status === 304 && known !== undefined) return known.bytes;
        if (answer.status === 404) return undefined;
        if (answer.status !== 200) throw unexpected(name, answer.status);
        const bytes = await readBody(answer, name, bytesMax);
        const etag = answer.headers.get('etag');
        if (name === REMEMBERED && etag !== null) remembered = { etag, bytes };
        return bytes;
      } finally {
        await answer.body?.cancel().catch(() => undefined);
      }
    },
  };
}

/** Each segment as data: a name can never climb, nor carry a query. */
function encodePath(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}

async function request(url: URL, etag: string | undefined): Promise<Response> {
  try {
    return await fetch(url, {
      redirect: 'error',
      signal: AbortSignal.timeout(SILENCE_MS_MAX),
      ...(etag === undefined ? {} : { headers: { 'if-none-match': etag } }),
    });
  } catch (cause) {
    const timeout = cause instanceof Error && cause.name === 'TimeoutError';
    const code = timeout ? 'NETWORK_TIMEOUT' : 'NETWORK_UNREACHABLE';
    throw new OperationError(code, `${url.host} does not answer`, { retriable: true, cause });
  }
}

async function readBody(answer: Response, name: string, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const reader = answer.body?.getReader();
  for (;;) {
    const next = reader === undefined ? undefined : await readChunk(reader, name);
    if (next === undefined) return concatBytes(...chunks);
    sizeBytes += next.length;
    if (sizeBytes > bytesMax) {
      await reader?.cancel().catch(() => undefined);
      throw new OperationError('RESPONSE_TOO_LARGE', `${name}: more than ${bytesMax} bytes`, { retriable: true });
    }
    chunks.push(next);
  }
}

async function readChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  name: string,
): Promise<Uint8Array | undefined> {
  try {
    const { value, done } = await reader.read();
    return done ? undefined : value;
  } catch (cause) {
    throw new OperationError('NETWORK_UNREACHABLE', `${name}: the answer broke off`, { retriable: true, cause });
  }
}

function unexpected(name: string, status: number): OperationError {
  return new OperationError('RESPONSE_UNEXPECTED', `${name}: status ${status}`, { retriable: status >= 500 });
}
