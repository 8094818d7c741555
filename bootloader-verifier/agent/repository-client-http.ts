/**
 * The repository over HTTP, for devices whose host has `fetch`.
 *
 * - Redirects are not followed: the address is the one that was configured.
 * - Each answer has a limit in bytes, held while it streams.
 * - An answer may take long, but not stand still: within the limit of silence its head must come, then each further
 *   `PROGRESS_BYTES` or the end. So a slow line is served, and a server that drips is given up.
 * - The last timestamp is asked for by its ETag, so that an idle poll costs one request answered by 304.
 */
import assert from 'node:assert/strict';
import { concatBytes } from '../../formats/bytes.ts';
import { OperationError } from '../../formats/operation-error.ts';
import type { RepositoryClient } from './repository-client.ts';
import { startSilence, type Silence, type SilenceLimits } from './silence.ts';

/** What the pilot's devices allow. */
export const SILENCE_MS_MAX = 15_000;
/** What counts as progress of a body. */
const PROGRESS_BYTES = 4_096;
const REMEMBERED = 'metadata/timestamp.json';

type Remembered = { readonly etag: string; readonly bytes: Uint8Array };

export const PRODUCT_ADDRESS_EXPECTED = 'an http or https address that ends in a slash is expected';

/** The address of a product, or undefined unless it is one to which names can be added, without credentials or query. */
export function productAddress(value: string): URL | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const good = url !== undefined && /^https?:$/.test(url.protocol) && url.pathname.endsWith('/');
  return good && url.username === '' && url.search === '' ? url : undefined;
}

/** A client for the product at `base`, an address that ends in `/r/PRODUCT/`. */
export function repositoryClientHttp(base: URL, limits: SilenceLimits): RepositoryClient {
  let remembered: Remembered | undefined;
  return {
    get: async (name, bytesMax) => {
      const known = name === REMEMBERED ? remembered : undefined;
      const silence = startSilence(limits);
      try {
        const answer = await request(new URL(encodePath(name), base), known?.etag, silence);
        silence.progress();
        if (answer.status === 304 && known !== undefined) {
          if (known.bytes.length > bytesMax) throw tooLarge(name, bytesMax);
          return known.bytes.slice();
        }
        if (answer.status === 404) return undefined;
        if (answer.status !== 200) throw unexpected(name, answer.status);
        const bytes = await readBody(answer, { name, bytesMax }, silence);
        const etag = answer.headers.get('etag');
        if (name === REMEMBERED) remembered = etag === null ? undefined : { etag, bytes: bytes.slice() };
        return bytes;
      } finally {
        silence.end();
      }
    },
  };
}

/** Each segment as data: it can carry no query, and never climbs. Our own names have no dot segments. */
function encodePath(name: string): string {
  const segments = name.split('/');
  assert(
    segments.every((segment) => !['', '.', '..'].includes(segment)),
    'a name of plain segments',
  );
  return segments.map(encodeURIComponent).join('/');
}

async function request(url: URL, etag: string | undefined, silence: Silence): Promise<Response> {
  try {
    const headers = etag === undefined ? undefined : { 'if-none-match': etag };
    return await fetch(url, { redirect: 'manual', signal: silence.signal, ...(headers && { headers }) });
  } catch (cause) {
    throw broken(`${url.host} does not answer`, cause);
  }
}

async function readBody(
  answer: Response,
  file: { readonly name: string; readonly bytesMax: number },
  silence: Silence,
): Promise<Uint8Array> {
  const { name, bytesMax } = file;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  let progressAt = 0;
  const reader = answer.body?.getReader();
  for (;;) {
    const chunk = reader === undefined ? undefined : await readChunk(reader, name);
    if (chunk === undefined) return concatBytes(...chunks);
    sizeBytes += chunk.length;
    if (sizeBytes > bytesMax) throw tooLarge(name, bytesMax);
    chunks.push(chunk);
    if (sizeBytes - progressAt < PROGRESS_BYTES) continue;
    progressAt = sizeBytes;
    silence.progress();
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
    throw broken(`${name}: the answer broke off`, cause);
  }
}

function broken(detail: string, cause: unknown): OperationError {
  const isTimeout = cause instanceof Error && cause.name === 'TimeoutError';
  return new OperationError(isTimeout ? 'NETWORK_TIMEOUT' : 'NETWORK_UNREACHABLE', detail, { retriable: true, cause });
}

function tooLarge(name: string, bytesMax: number): OperationError {
  return new OperationError('RESPONSE_TOO_LARGE', `${name}: more than ${bytesMax} bytes`, { retriable: true });
}

function unexpected(name: string, status: number): OperationError {
  return new OperationError('RESPONSE_UNEXPECTED', `${name}: status ${status}`, { retriable: status >= 500 });
}
