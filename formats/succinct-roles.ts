/**
 * Succinct roles: one entry that stands for 2 to the power of `bitLength` delegated roles, the bins (TUF specification 1.0.34,
 * section 4.5; TAP 15).
 *
 * - A bin is named `PREFIX-NUMBER`, the number in lower-case hex, with as many digits as the last one has.
 * - The first bits of the SHA-256 of a target's name say which bin it belongs to: each name belongs to exactly one.
 */
import { integer, object, refine, text, type Decoder } from './decode.ts';
import type { JsonValue } from './json.ts';
import { accept } from './verdict.ts';
import { roleKeysDecoder, type RoleKeys } from './verify-signatures.ts';

/** Which bins there are, and who signs all of them. */
export type SuccinctRoles = RoleKeys & { readonly bitLength: number; readonly namePrefix: string };

const BITS_MAX = 32;

const bitsDecoder = refine(
  object('ignored', { bit_length: integer(1, BITS_MAX), name_prefix: text(128) }),
  ({ bit_length: bitLength, name_prefix: namePrefix }) => accept({ bitLength, namePrefix }),
);

/** The member `succinct_roles`. */
export const succinctRolesDecoder: Decoder<SuccinctRoles> = (json) => {
  const bits = bitsDecoder(json);
  if (!bits.ok) return bits;
  const keys = roleKeysDecoder(json);
  return keys.ok ? accept({ ...bits.value, ...keys.value }) : keys;
};

/** The name of the bin that the target belongs to whose name has the SHA-256 `digest`, in hex. */
export function binOf({ bitLength, namePrefix }: SuccinctRoles, digest: string): string {
  const number = Number.parseInt(digest.slice(0, 8), 16) >>> (32 - bitLength);
  return `${namePrefix}-${number.toString(16).padStart(digitsOf(bitLength), '0')}`;
}

/** Whether `name` is that of one of the bins. */
export function isBinOf({ bitLength, namePrefix }: SuccinctRoles, name: string): boolean {
  if (!name.startsWith(`${namePrefix}-`)) return false;
  const number = name.slice(namePrefix.length + 1);
  return (
    number.length === digitsOf(bitLength) && /^[0-9a-f]+$/.test(number) && Number.parseInt(number, 16) < 2 ** bitLength
  );
}

function digitsOf(bitLength: number): number {
  return Math.ceil(bitLength / 4);
}

/** The member as JSON. */
export function succinctRolesToJson(bins: SuccinctRoles): JsonValue {
  return new Map<string, JsonValue>([
    ['bit_length', bins.bitLength],
    ['keyids', bins.keyids],
    ['name_prefix', bins.namePrefix],
    ['threshold', bins.threshold],
  ]);
}
