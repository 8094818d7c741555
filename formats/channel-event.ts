/**
 * The signing event of a channel: what its version follows, until when it may be published, and who made it.
 *
 * - It stands as `event` in the channel's part and is signed with it: nobody changes it afterwards.
 * - `predecessor` is the SHA-256 of the former channel file as published, signatures included; the first channel has none.
 *   A draft whose predecessor is not what is published is stale (rule R5).
 * - After `notAfter` it may not be published any more; once published it plays no part.
 * - Authors are who proposed and who drafted; none of them counts towards the quorum (rule R2).
 * - Specified in `docs/formats/people.md`.
 */
import { hexText, list, object, optional, type Decoder } from './decode.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import type { JsonValue } from './json.ts';
import { authorDecoder, authorToJson, type Author } from './people.ts';

export type ChannelEvent = {
  /** SHA-256 of the former file, in hex; undefined for the first. */
  readonly predecessor: string | undefined;
  readonly notAfter: Instant;
  readonly authors: readonly Author[];
};

export const AUTHORS_MAX = 8;

/** The member `event`. */
export const channelEventDecoder: Decoder<ChannelEvent> = object('refused', {
  predecessor: optional(hexText(32)),
  notAfter: instantDecoder,
  authors: list(authorDecoder, AUTHORS_MAX, 1),
});

/** The member `event` as JSON. */
export function channelEventToJson({ predecessor, notAfter, authors }: ChannelEvent): JsonValue {
  const members: [string, JsonValue][] = [
    ['notAfter', encodeInstant(notAfter)],
    ['authors', authors.map(authorToJson)],
  ];
  return new Map(predecessor === undefined ? members : [['predecessor', predecessor], ...members]);
}
