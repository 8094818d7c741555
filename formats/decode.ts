/**
 * From a JSON value to a type: small decoders that compose.
 *
 * - A decoder accepts exactly one shape and otherwise refuses with `SHAPE_MALFORMED` and the place of the fault.
 * - Objects say at the call whether unknown members are `refused` (our formats) or `ignored` (TUF, in-toto, by their rules).
 * - Every list, map, string and number has its maximum at the call.
 */
import { isHex, parseBase64 } from './bytes.ts';
import { isJsonObject, parseJson, type JsonCode, type JsonObject, type JsonValue } from './json.ts';
import { accept, reject, type Rejected, type Verdict } from './verdict.ts';

export type ShapeCode = 'SHAPE_MALFORMED';
export type DecodeCode = JsonCode | ShapeCode;
export type Decoder<T> = (json: JsonValue) => Verdict<T, ShapeCode>;
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

/** Parses strict JSON of at most `bytesMax` bytes and decodes it. */
export function decodeJson<T>(bytes: Uint8Array, bytesMax: number, decoder: Decoder<T>): Verdict<T, DecodeCode> {
  const json = parseJson(bytes, { bytesMax });
  return json.ok ? decoder(json.value) : json;
}

/** An integer from `min` to `max`. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Decoder<number> {
  return (json) =>
    typeof json === 'number' && Number.isSafeInteger(json) && json >= min && json <= max
      ? accept(json)
      : shape(`an integer from ${min} to ${max} is expected`);
}

/** A string of 1 to `lengthMax` UTF-16 units that `pattern` matches as a whole. */
export function text(lengthMax: number, pattern?: RegExp): Decoder<string> {
  // A flag that keeps state between calls, or lets `$` match before a line's end, would make the answer depend on more than the text.
  const whole = pattern && new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gmy]/g, ''));
  return (json) => {
    if (typeof json !== 'string' || json.length === 0 || json.length > lengthMax) {
      return shape(`a string of 1 to ${lengthMax} characters is expected`);
    }
    return whole === undefined || whole.test(json) ? accept(json) : shape(`a string like ${whole.source} is expected`);
  };
}

/** Lower-case hex of exactly `size` bytes, kept as text. */
export function hexText(size: number): Decoder<string> {
  return (json) =>
    typeof json === 'string' && json.length === 2 * size && isHex(json)
      ? accept(json)
      : shape(`lower-case hex of ${size} bytes is expected`);
}

/** Padded base64 of at most `sizeMax` bytes. */
export function base64Bytes(sizeMax: number): Decoder<Uint8Array> {
  return (json) => {
    const bytes = typeof json === 'string' && json.length <= Math.ceil(sizeMax / 3) * 4 ? parseBase64(json) : undefined;
    return bytes !== undefined && bytes.length <= sizeMax
      ? accept(bytes)
      : shape(`base64 of at most ${sizeMax} bytes is expected`);
  };
}

/** Exactly the value `expected`. */
export function literal<const T extends string | number | boolean>(expected: T): Decoder<T> {
  return (json) => (json === expected ? accept(expected) : shape(`${JSON.stringify(expected)} is expected`));
}

/** One of the strings `options`. */
export function oneOf<const T extends string>(...options: readonly T[]): Decoder<T> {
  return (json) => {
    const found = options.find((option) => option === json);
    return found === undefined ? shape(`one of ${options.join(', ')} is expected`) : accept(found);
  };
}

/** True or false. */
export const flag: Decoder<boolean> = (json) =>
  typeof json === 'boolean' ? accept(json) : shape('true or false is expected');

/** Any JSON object, kept as it is. */
export const anyObject: Decoder<JsonObject> = (json) =>
  isJsonObject(json) ? accept(json) : shape('an object is expected');

/** An array of `lengthMin` to `lengthMax` items. */
export function list<T>(item: Decoder<T>, lengthMax: number, lengthMin = 0): Decoder<readonly T[]> {
  return (json) => {
    if (!Array.isArray(json) || json.length > lengthMax || json.length < lengthMin) {
      return shape(`an array of ${lengthMin} to ${lengthMax} items is expected`);
    }
    const items: T[] = [];
    for (const [index, value] of (json as readonly JsonValue[]).entries()) {
      const decoded = item(value);
      if (!decoded.ok) return inside(`[${index}]`, decoded);
      items.push(decoded.value);
    }
    return accept(items);
  };
}

/** An object with at most `sizeMax` members of one shape, under names that `name` accepts. */
export function mapOf<T>(name: Decoder<string>, item: Decoder<T>, sizeMax: number): Decoder<ReadonlyMap<string, T>> {
  return (json) => {
    if (!isJsonObject(json) || json.size > sizeMax) return shape(`an object of at most ${sizeMax} members is expected`);
    const members = new Map<string, T>();
    for (const [key, value] of json) {
      const named = name(key);
      if (!named.ok) return inside(`.${clip(key)} (the name)`, named);
      const decoded = item(value);
      if (!decoded.ok) return inside(`.${clip(key)}`, decoded);
      members.set(key, decoded.value);
    }
    return accept(members);
  };
}

type OptionalMember<T> = { readonly optional: Decoder<T> };
type Member = Decoder<unknown> | OptionalMember<unknown>;
type MemberValue<M> = M extends OptionalMember<infer T> ? T | undefined : Decoded<M>;

/** A member that may be absent; its value is then undefined. */
export function optional<T>(decoder: Decoder<T>): OptionalMember<T> {
  return { optional: decoder };
}

/** An object with the members of `shapeOf`; others are `refused` or `ignored`, as the format's specification says. */
export function object<S extends Record<string, Member>>(
  unknownMembers: 'refused' | 'ignored',
  shapeOf: S,
): Decoder<{ readonly [K in keyof S]: MemberValue<S[K]> }> {
  const members = Object.entries(shapeOf);
  const known = new Set(Object.keys(shapeOf));
  return (json) => {
    if (!isJsonObject(json)) return shape('an object is expected');
    if (unknownMembers === 'refused') {
      for (const name of json.keys()) if (!known.has(name)) return shape(`member ${clip(name)} is not known`);
    }
    const values: Record<string, unknown> = {};
    for (const [name, member] of members) {
      const decoded = decodeMember(json.get(name), member);
      if (!decoded.ok) return inside(`.${name}`, decoded);
      values[name] = decoded.value;
    }
    return accept(values as { readonly [K in keyof S]: MemberValue<S[K]> });
  };
}

function decodeMember(json: JsonValue | undefined, member: Member): Verdict<unknown, ShapeCode> {
  if (json === undefined) return typeof member === 'function' ? shape('it is missing') : accept(undefined);
  return typeof member === 'function' ? member(json) : member.optional(json);
}

/** `decoder`, then a further step that may refuse or change the value. */
export function refine<T, U>(decoder: Decoder<T>, step: (value: T) => Verdict<U, ShapeCode>): Decoder<U> {
  return (json) => {
    const decoded = decoder(json);
    return decoded.ok ? step(decoded.value) : decoded;
  };
}

/** The refusal of a shape, for steps of `refine`. */
export function shape(detail: string): Rejected<ShapeCode> {
  return reject('SHAPE_MALFORMED', detail);
}

function inside(place: string, fault: Rejected<ShapeCode>): Rejected<ShapeCode> {
  const nested = fault.detail.startsWith('.') || fault.detail.startsWith('[');
  return shape(nested ? `${place}${fault.detail}` : `${place}: ${fault.detail}`);
}

/** A name from outside, short and printable enough for a sentence. */
function clip(name: string): string {
  const printable = name.slice(0, 40).replace(/[^\x20-\x7e]/g, '?');
  return name.length <= 40 ? printable : `${printable}…`;
}
