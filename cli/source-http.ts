/**
 * A published repository behind a server, as whoever copies it reads it: every answer streams, and none is believed.
 *
 * - Only 404 is an absence; every other status but 200 is a fault. Redirects as a generic client of TUF follows them.
 */
import { fetcherHttp } from '../bootloader-verifier/agent/tuf-client/fetcher-http.ts';
import { discard, unexpectedStatus } from '../bootloader-verifier/agent/tuf-client/fetcher.ts';
import type { SilenceLimits } from '../bootloader-verifier/agent/silence.ts';
import type { PublishedSource } from '../signer/care/published-source.ts';

/** The product at `base`, an address that ends in a slash. @param product stands at the beginning of each name. */
export function sourceHttp(base: URL, product: string, limits: SilenceLimits): PublishedSource {
  const fetch = fetcherHttp(limits);
  return {
    open: async (name) => {
      const below = name.slice(product.length + 1);
      const url = new URL(below.split('/').map(encodeURIComponent).join('/'), base).href;
      const { status, body } = await fetch(url);
      if (status === 200) return body;
      await discard(body);
      if (status === 404) return undefined;
      throw unexpectedStatus(url, status);
    },
  };
}
