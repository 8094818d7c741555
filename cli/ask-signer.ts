/** Asks the signer daemon for a verb's caller: its refusal becomes the caller's, under the same code. */
import { knownCode } from '../formats/codes.ts';
import type { JsonObject } from '../formats/json.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { signerClient } from '../ota-server/signer-client.ts';

const ANSWER_MS_MAX = 120_000;

/** A daemon, and the product that it is asked about; undefined where it serves one. */
export type AskedSigner = { readonly socket: string; readonly product: string | undefined };

/** What the daemon answers to `verb`. A code that is not known here is told in the detail. */
export async function askSigner(
  { socket, product }: AskedSigner,
  verb: string,
  body: Uint8Array,
): Promise<Verdict<JsonObject>> {
  const answer = await signerClient(socket, ANSWER_MS_MAX, product)(verb, body);
  if (answer.ok) return accept(answer.facts);
  const { code = '', detail = '' } = answer;
  const known = knownCode(code);
  return known === undefined ? reject('PUBLICATION_REFUSED', `${code}: ${detail}`) : reject(known, detail);
}
