/**
 * The port to a repository's addresses, and how its answers are read.
 *
 * - A fault of the network throws `OperationError`; a status is for the caller to judge.
 * - The limit holds while streaming: at most `bytesMax` bytes, and one chunk, are ever held.
 */
import { concatBytes } from '../../../formats/bytes.ts';
import { OperationError } from '../../../formats/operation-error.ts';
import { accept, reject, type Verdict } from '../../../formats/verdict.ts';

export type Answer = { readonly status: number; readonly body: AsyncIterable<Uint8Array> };
/** Asks for an absolute address; redirects are followed by the adapter. The body must be read, or left by ending its iteration. */
export type Fetcher = (url: string) => Promise<Answer>;

/** How much of an answer may be read. */
type Limit = { readonly url: string; readonly bytesMax: number };

/** What a server answers where there is nothing; stores of objects say 403 to those who may not list them. */
const ABSENT: readonly number[] = [403, 404];

/** The file at `url`, or undefined where there is none. */
export async function fetchIfPresent(
  fetcher: Fetcher,
  { url, bytesMax }: Limit,
): Promise<Verdict<Uint8Array | undefined, 'METADATA_TOO_LARGE'>> {
  const answer = await fetcher(url);
  if (ABSENT.includes(answer.status)) {
    await discard(answer.body);
    return accept(undefined);
  }
  return readAnswer(answer, { url, bytesMax });
}

/** The file at `url`, which must be there. */
export async function fetchPresent(
  fetcher: Fetcher,
  limit: Limit,
): Promise<Verdict<Uint8Array, 'METADATA_TOO_LARGE' | 'NOT_FOUND'>> {
  const bytes = await fetchIfPresent(fetcher, limit);
  if (!bytes.ok) return bytes;
  return bytes.value === undefined ? reject('NOT_FOUND', `${limit.url} is not there`) : accept(bytes.value);
}

async function readAnswer({ status, body }: Answer, limit: Limit): Promise<Verdict<Uint8Array, 'METADATA_TOO_LARGE'>> {
  if (status !== 200) {
    await discard(body);
    throw unexpectedStatus(limit.url, status);
  }
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > limit.bytesMax) {
      return reject('METADATA_TOO_LARGE', `${limit.url}: more than ${limit.bytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return accept(concatBytes(...chunks));
}

/** Leaves a body that nobody wants at its first chunk. A generator that was never started would not clear up behind itself. */
export async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body) return;
}

/** The fault of an answer with a status that does not belong here. */
export function unexpectedStatus(url: string, status: number): OperationError {
  return new OperationError('RESPONSE_UNEXPECTED', `${url}: status ${status}`, { retriable: status >= 500 });
}
