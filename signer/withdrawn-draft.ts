/**
 * Drafts of channels that were withdrawn, as a publisher and a key holder's tool remember them.
 *
 * - One stays until its channel is past its version: from then on it is stale, for ever.
 * - Named by role and the digest of the signed part.
 */
import { hexText, integer, list, object, type Decoder } from '../formats/decode.ts';
import type { JsonValue } from '../formats/json.ts';
import { nameDecoder } from '../formats/names.ts';

export type WithdrawnDraft = {
  readonly role: string;
  readonly version: number;
  /** SHA-256 of the canonical signed part, in hex. */
  readonly sha256: string;
};

const WITHDRAWN_MAX = 256;

export const withdrawnDecoder: Decoder<readonly WithdrawnDraft[]> = list(
  object('refused', { role: nameDecoder, version: integer(1), sha256: hexText(32) }),
  WITHDRAWN_MAX,
);

/** The list as JSON. */
export function withdrawnToJson(withdrawn: readonly WithdrawnDraft[]): JsonValue {
  return withdrawn.map((draft) => new Map<string, JsonValue>(Object.entries(draft)));
}

/**
 * `former` and `more`, each once, without those that their channels are past; the newest where there are too many.
 * @param versionOf the newest version of a channel; 0 where it is not known.
 */
export function mergeWithdrawn(
  former: readonly WithdrawnDraft[],
  more: readonly WithdrawnDraft[],
  versionOf: (role: string) => number,
): readonly WithdrawnDraft[] {
  const byName = new Map([...former, ...more].map((draft) => [`${draft.role} ${draft.sha256}`, draft]));
  return [...byName.values()].filter(({ role, version }) => version > versionOf(role)).slice(-WITHDRAWN_MAX);
}
