/**
 * The binding of each signed part to its repository and role (rule R1).
 *
 * - It stands under `firmament` in `signed`: `{"version":1,"product":P,"role":R,"root":D}`.
 * - `root` is the SHA-256 of the file of root version 1: the name that nobody else's repository has. Root 1 itself leaves it out.
 * - Other TUF clients ignore it; our devices demand it.
 */
import { hexText, literal, object, optional, type Decoder } from './decode.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type RepositoryId = {
  readonly product: string;
  /** SHA-256 of the file of root version 1, in hex. */
  readonly rootOneSha256: string;
};
export type BindingCode = 'REPOSITORY_UNBOUND' | 'REPOSITORY_MISMATCH' | 'ROLE_MISMATCH';

type Binding = { readonly product: string; readonly role: string; readonly root: string | undefined };

const bindingDecoder: Decoder<Binding> = object('ignored', {
  version: literal(1),
  product: nameDecoder,
  role: nameDecoder,
  root: optional(hexText(32)),
});

/**
 * Decides whether a signed part belongs to `repository` and to `role`.
 * @param firmament the part's `firmament` member.
 * @param isRootOne root version 1 cannot name its own digest and is pinned by it instead.
 */
export function verifyBinding(
  firmament: JsonObject | undefined,
  expected: { readonly repository: RepositoryId; readonly role: string; readonly isRootOne?: boolean },
): Verdict<void, BindingCode> {
  const { repository, role } = expected;
  if (firmament === undefined) return reject('REPOSITORY_UNBOUND', `${role}: no member firmament`);
  const binding = bindingDecoder(firmament);
  if (!binding.ok) return reject('REPOSITORY_UNBOUND', `${role}: .firmament${binding.detail}`);
  const { product, root } = binding.value;
  if (product !== repository.product) {
    return reject('REPOSITORY_MISMATCH', `${role}: signed for product ${product}, this one is ${repository.product}`);
  }
  if (root !== repository.rootOneSha256 && !(expected.isRootOne === true && root === undefined)) {
    return reject(
      'REPOSITORY_MISMATCH',
      `${role}: signed for root 1 ${short(root)}, this one is ${short(repository.rootOneSha256)}`,
    );
  }
  if (binding.value.role !== role) return reject('ROLE_MISMATCH', `signed as ${binding.value.role}, served as ${role}`);
  return accept(undefined);
}

/** The `firmament` member of a signed part, with what its role adds. */
export function bindingToJson(
  binding: { readonly product: string; readonly role: string; readonly rootOneSha256: string | undefined },
  more: readonly (readonly [string, JsonValue])[] = [],
): JsonObject {
  const members: [string, JsonValue][] = [
    ['version', 1],
    ['product', binding.product],
    ['role', binding.role],
  ];
  if (binding.rootOneSha256 !== undefined) members.push(['root', binding.rootOneSha256]);
  return new Map([...members, ...more]);
}

function short(digest: string | undefined): string {
  return digest === undefined ? 'none' : digest.slice(0, 12);
}
