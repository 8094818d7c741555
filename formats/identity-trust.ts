/**
 * Whom the people of a product trust with identities: the factories that name devices, and the anchors of the CA that issues to them.
 *
 * - Both stand in the targets role's part, signed by its quorum: an anchor comes from nowhere else (rule R26).
 * - A factory is limited in days and count (rule R27): a stolen station's key names no more devices than were to be made.
 * - An anchor is the key of a CA; two may stand side by side while devices move from one to the other.
 */
import { integer, list, object, refine, shape, type Decoder } from './decode.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import type { PublicKey } from './signature-check.ts';
import { keyToJson, publicKeyDecoder } from './tuf-key.ts';
import { accept } from './verdict.ts';

export type Factory = {
  readonly id: string;
  readonly key: PublicKey;
  /** From when on none of its manifests is admitted any more. */
  readonly notAfter: Instant;
  /** How many devices all of its manifests may name. */
  readonly countMax: number;
};
export type IdentityAnchor = { readonly name: string; readonly key: PublicKey };

export const FACTORIES_MAX = 16;
export const ANCHORS_MAX = 8;
const COUNT_MAX = 100_000_000;

const factoryDecoder: Decoder<Factory> = object('refused', {
  id: nameDecoder,
  key: publicKeyDecoder,
  notAfter: instantDecoder,
  countMax: integer(1, COUNT_MAX),
});

/** Decodes the factories of a product; each id stands once. */
export const factoriesDecoder: Decoder<readonly Factory[]> = refine(
  list(factoryDecoder, FACTORIES_MAX, 1),
  (factories) =>
    new Set(factories.map(({ id }) => id)).size === factories.length
      ? accept(factories)
      : shape('the id of a factory stands twice'),
);

/** Decodes the anchors of a product. */
export const anchorsDecoder: Decoder<readonly IdentityAnchor[]> = list(
  object('refused', { name: nameDecoder, key: publicKeyDecoder }),
  ANCHORS_MAX,
  1,
);

/** The JSON of a factory. */
export function factoryToJson(factory: Factory): JsonValue {
  return new Map<string, JsonValue>([
    ['id', factory.id],
    ['key', keyToJson(factory.key)],
    ['notAfter', encodeInstant(factory.notAfter)],
    ['countMax', factory.countMax],
  ]);
}

/** The JSON of an anchor. */
export function anchorToJson({ name, key }: IdentityAnchor): JsonValue {
  return new Map<string, JsonValue>([
    ['name', name],
    ['key', keyToJson(key)],
  ]);
}
