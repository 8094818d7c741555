/**
 * The keys of issuers, fetched from where their discovery documents say.
 *
 * - What was fetched is believed for some minutes; when it is old and the issuer does not answer, for an hour, and no longer.
 * - A key id that is not there makes us look again, but not more often than every half minute.
 * - Requests to one issuer run one at a time; every answer has a length and a time; redirects are not followed.
 * - The document must name the very issuer that was asked, and keys of an https issuer come by https.
 * - Source: OpenID Connect Discovery 1.0, sections 4.2 and 4.3.
 */
import type { ReadableStreamReadResult } from 'node:stream/web';
import type { Instant } from '../formats/instant.ts';
import {
  CONFIGURATION_BYTES_MAX,
  KEY_SET_BYTES_MAX,
  parseIssuerConfiguration,
  parseIssuerKeys,
  type IssuerKey,
} from '../formats/oidc.ts';
import { concatBytes } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import type { IssuerKeys } from './issuer-keys.ts';

/** How long keys are believed without another look. */
export const KEYS_FRESH_MS = 600_000;
/** How long where the issuer does not answer. */
export const KEYS_STALE_MS = 3_600_000;
/** How often a look is made for a key id that is not there, or at an issuer that fails. */
export const LOOK_AGAIN_MS = 30_000;
const ANSWER_MS_MAX = 10_000;

type KeySet = Verdict<readonly IssuerKey[], 'ISSUER_MALFORMED'>;
type Known = {
  /** What the last good look found. */
  keys: readonly IssuerKey[];
  fetchedAt: Instant;
  /** The last look of all, and how it ended. */
  lookedAt: Instant;
  outcome: Promise<KeySet> | undefined;
};

/** The keys of whichever issuer is asked for: callers ask for those that the operator named alone. */
export function issuerKeysHttp(): IssuerKeys {
  const issuers = new Map<string, Known>();
  return {
    find: async (issuer, kid, now) => {
      const known = issuers.get(issuer) ?? { keys: [], fetchedAt: -Infinity, lookedAt: -Infinity, outcome: undefined };
      issuers.set(issuer, known);
      const isFresh = now - known.fetchedAt < KEYS_FRESH_MS;
      const held = isFresh ? keyNamed(known.keys, kid) : undefined;
      if (held !== undefined) return accept(held);
      const looked = await look(known, issuer, now);
      if (!looked.ok) return looked;
      const found = keyNamed(looked.value, kid);
      return found === undefined ? reject('TOKEN_KEY_UNKNOWN', `${issuer} has no one key of this id`) : accept(found);
    },
  };
}

/** A key id that two keys share names neither. */
function keyNamed(keys: readonly IssuerKey[], kid: string): IssuerKey | undefined {
  const [key, ...more] = keys.filter((candidate) => candidate.kid === kid);
  return more.length === 0 ? key : undefined;
}

/** Looks at the issuer, or waits for the look that is under way, or answers as the last one if that is not long ago. */
async function look(known: Known, issuer: string, now: Instant): Promise<KeySet> {
  if (known.outcome === undefined || now - known.lookedAt >= LOOK_AGAIN_MS) {
    known.lookedAt = now;
    known.outcome = fetchKeys(issuer).then((fetched) => {
      if (fetched.ok) Object.assign(known, { keys: fetched.value, fetchedAt: now });
      return fetched;
    });
  }
  try {
    return await known.outcome;
  } catch (fault) {
    if (fault instanceof OperationError && now - known.fetchedAt < KEYS_STALE_MS) return accept(known.keys);
    throw fault;
  }
}

async function fetchKeys(issuer: string): Promise<KeySet> {
  const at = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const configuration = parseIssuerConfiguration(await fetchBounded(at, CONFIGURATION_BYTES_MAX));
  if (!configuration.ok) return configuration;
  const { issuer: named, keysUrl } = configuration.value;
  if (named !== issuer) return reject('ISSUER_MALFORMED', `the configuration of ${issuer} names another issuer`);
  if (issuer.startsWith('https:') && !keysUrl.startsWith('https:')) {
    return reject('ISSUER_MALFORMED', `the keys of ${issuer} do not come by https`);
  }
  return parseIssuerKeys(await fetchBounded(keysUrl, KEY_SET_BYTES_MAX));
}

async function fetchBounded(url: string, bytesMax: number): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const response = await orFault(
    fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } }),
    url,
  );
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new OperationError('RESPONSE_UNEXPECTED', `${url} answers ${response.status}`, { retriable: true });
  }
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const reader = response.body.getReader();
  for (;;) {
    const next: ReadableStreamReadResult<Uint8Array> = await orFault(reader.read(), url);
    if (next.done) return concatBytes(...chunks);
    sizeBytes += next.value.length;
    if (sizeBytes > bytesMax) {
      await reader.cancel();
      throw new OperationError('RESPONSE_TOO_LARGE', `${url} is longer than ${bytesMax} bytes`, { retriable: true });
    }
    chunks.push(next.value);
  }
}

/** The result of one call of `fetch`, or its fault as ours. */
async function orFault<T>(call: Promise<T>, url: string): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    const code = cause instanceof Error && cause.name === 'TimeoutError' ? 'NETWORK_TIMEOUT' : 'NETWORK_UNREACHABLE';
    throw new OperationError(code, `${url} does not answer`, { retriable: true, cause });
  }
}
