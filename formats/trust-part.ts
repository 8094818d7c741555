/**
 * What the top-level targets role says beyond TUF: the builders whose provenance counts, the source they build from, and the people;
 * the factories that name devices, and the anchors of their CA (`identity-trust.ts`).
 *
 * - It stands under `firmament` in `signed` of the targets role, beside the binding, and is signed by the same quorum.
 * - A builder is a key *and* an identity: the provenance must name this very `id`, and this source.
 * - Where people are listed, a channel needs a quorum of them that excludes its author (rule R2).
 * - Where verifiers are listed, every image needs a summary of its judgement (`judging.ts`).
 * - Unknown members are refused: what people signed must be understood whole.
 */
import { hexText, list, literal, object, optional, refine, shape, text, type Decoder } from './decode.ts';
import {
  anchorsDecoder,
  anchorToJson,
  factoriesDecoder,
  factoryToJson,
  type Factory,
  type IdentityAnchor,
} from './identity-trust.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { judgingToJson, policyInForceDecoder, verifiersDecoder, type Judging } from './judging.ts';
import { nameDecoder } from './names.ts';
import { peopleDecoder, peopleToJson, type Person } from './people.ts';
import type { PublicKey } from './signature-check.ts';
import { keyToJson, publicKeyDecoder } from './tuf-key.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type Builder = {
  /** The builder's identity, a URI, as in `runDetails.builder.id` of its provenance. */
  readonly id: string;
  readonly key: PublicKey;
  /** The source it may build this product from, as in `resolvedDependencies[0].uri`. */
  readonly source: string;
  /** Who vouches for its identity, and who runs it: without both it never counts as independent of another (rule R28). */
  readonly issuer?: string | undefined;
  readonly administration?: string | undefined;
};
export type TrustPart = {
  readonly builders: readonly Builder[];
  /** Whose key is whose; undefined where keys are all that counts. */
  readonly people?: readonly Person[] | undefined;
  /** Undefined where no device has an identity. */
  readonly factories?: readonly Factory[] | undefined;
  readonly identityAnchors?: readonly IdentityAnchor[] | undefined;
  /** Who judges releases; undefined where devices demand no summary. */
  readonly judging?: Judging | undefined;
};

export const BUILDERS_MAX = 16;

const builderDecoder: Decoder<Builder> = object('refused', {
  id: text(512),
  key: publicKeyDecoder,
  source: text(512),
  issuer: optional(text(512)),
  administration: optional(text(512)),
});

const trustDecoder: Decoder<TrustPart> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    role: literal('targets'),
    root: optional(hexText(32)),
    builders: list(builderDecoder, BUILDERS_MAX, 1),
    people: optional(peopleDecoder),
    factories: optional(factoriesDecoder),
    identityAnchors: optional(anchorsDecoder),
    verifiers: optional(verifiersDecoder),
    policy: optional(policyInForceDecoder),
  }),
  ({ builders, people, factories, identityAnchors, verifiers, policy }) => {
    const part = { builders, people, factories, identityAnchors };
    if (verifiers === undefined && policy === undefined) return accept(part);
    if (verifiers === undefined || policy === undefined) return shape('verifiers and policy go together');
    return accept({ ...part, judging: { verifiers, policy } });
  },
);
const memberDecoder = object('refused', { firmament: trustDecoder });

/** Parses the `firmament` member of the targets role. */
export function parseTrustPart(firmament: JsonObject | undefined): Verdict<TrustPart, 'RELEASE_MALFORMED'> {
  const signed = memberDecoder(firmament === undefined ? new Map() : new Map([['firmament', firmament]]));
  return signed.ok ? accept(signed.value.firmament) : reject('RELEASE_MALFORMED', `targets: ${signed.detail}`);
}

/** The members that the targets role adds to its binding. */
export function trustPartToJson(part: TrustPart): readonly (readonly [string, JsonValue])[] {
  const builder = ({ id, key, source, issuer, administration }: Builder): JsonValue =>
    new Map<string, JsonValue>([
      ['id', id],
      ['key', keyToJson(key)],
      ['source', source],
      ...(issuer === undefined ? [] : [['issuer', issuer] as const]),
      ...(administration === undefined ? [] : [['administration', administration] as const]),
    ]);
  const { people, factories, identityAnchors } = part;
  const members: [string, JsonValue][] = [['builders', part.builders.map(builder)]];
  if (people !== undefined) members.push(['people', peopleToJson(people)]);
  if (factories !== undefined) members.push(['factories', factories.map(factoryToJson)]);
  if (identityAnchors !== undefined) members.push(['identityAnchors', identityAnchors.map(anchorToJson)]);
  return part.judging === undefined ? members : [...members, ...judgingToJson(part.judging)];
}
