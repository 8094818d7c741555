/** Metadata with other members, to be signed again: what an adversary with a quorum of keys could write. */
import type { JsonObject, JsonValue } from '../formats/json.ts';
import { signedOf } from './tiny-repository.ts';

/** The `signed` of `file` with other members. */
export function edited(file: Uint8Array, change: Readonly<Record<string, JsonValue>>): Map<string, JsonValue> {
  return new Map([...signedOf(file), ...Object.entries(change)]);
}

/** The `signed` of `file` with other members in the part of ours; undefined takes one out. */
export function withPart(
  file: Uint8Array,
  change: Readonly<Record<string, JsonValue | undefined>>,
): Map<string, JsonValue> {
  const part = new Map([...(signedOf(file).get('firmament') as JsonObject), ...Object.entries(change)]);
  const members = [...part].filter((member): member is [string, JsonValue] => member[1] !== undefined);
  return edited(file, { firmament: new Map(members) });
}
