/**
 * What root says beyond TUF: the log that everything must stand in, its witnesses, and pairs of signatures (rules R3, R21).
 *
 * - It stands under `firmament` in `signed` of root, beside the binding, and is signed by the root's quorum. Without `log`, no log
 *   is demanded.
 * - Keys of the log are active, frozen at a size up to which their checkpoints count, or distrusted.
 * - Unknown members are refused: a demand that is not understood is not met.
 * - What a root demands, the next one demands too: `keepsDemands`.
 * - Specified in `docs/formats/log.md`.
 */
import { originDecoder } from './checkpoint.ts';
import { integer, list, object, optional, refine, shape, type Decoder } from './decode.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import type { PublicKey } from './signature-check.ts';
import { keyFingerprint, keyToJson, publicKeyDecoder } from './tuf-key.ts';
import { accept, reject, type Verdict } from './verdict.ts';

/** Up to which size of the log a key's signature counts; nothing below it for a distrusted one. */
export type LogKeyState = 'active' | 'distrusted' | { readonly frozen: number };
export type LogKey = { readonly key: PublicKey; readonly state: LogKeyState };
export type Witness = { readonly name: string; readonly key: PublicKey; readonly administration: string };
export type LogPolicy = {
  /** The first line of the log's checkpoints, and the name of its keys. */
  readonly origin: string;
  readonly keys: readonly LogKey[];
  readonly witnesses: readonly Witness[];
  /** How many administrations must have cosigned. */
  readonly quorum: number;
};
export type RootPart = {
  readonly log: LogPolicy | undefined;
  /** Demands for pairs of signatures, classical and post-quantum; this version knows none. */
  readonly pairs: readonly JsonValue[];
};
export type DemandCode = 'ROOT_PART_MALFORMED' | 'PAIR_MISSING';

export const LOG_KEYS_MAX = 16;
export const WITNESSES_MAX = 16;
const PAIRS_MAX = 64;

const stateDecoder: Decoder<LogKeyState> = (json) => {
  if (json === 'active' || json === 'distrusted') return accept(json);
  return isJsonObject(json)
    ? object('refused', { frozen: integer(0) })(json)
    : shape('active, distrusted or {"frozen":SIZE} is expected');
};
const logDecoder: Decoder<LogPolicy> = refine(
  object('refused', {
    origin: originDecoder,
    keys: list(object('refused', { key: publicKeyDecoder, state: stateDecoder }), LOG_KEYS_MAX, 1),
    witnesses: list(
      object('refused', { name: originDecoder, key: publicKeyDecoder, administration: nameDecoder }),
      WITNESSES_MAX,
    ),
    quorum: integer(0, WITNESSES_MAX),
  }),
  (policy) =>
    administrations(policy.witnesses) >= policy.quorum && isDistinct(policy)
      ? accept(policy)
      : shape('each key and name stands once, and the witnesses can fill the quorum'),
);
/** The binding stands beside it and is judged by `verifyBinding`. */
const bound: Decoder<JsonValue> = accept;
const partDecoder = object('refused', {
  firmament: object('refused', {
    version: bound,
    product: bound,
    role: bound,
    root: optional(bound),
    log: optional(logDecoder),
    pairs: optional(list<JsonValue>(accept, PAIRS_MAX)),
  }),
});

function administrations(witnesses: readonly Witness[]): number {
  return new Set(witnesses.map(({ administration }) => administration)).size;
}

/** Whether no key stands twice, among log and witnesses together, and no witness's name. */
function isDistinct({ origin, keys, witnesses }: LogPolicy): boolean {
  const all = [...keys, ...witnesses];
  const names = new Set([origin, ...witnesses.map(({ name }) => name)]);
  return new Set(all.map(({ key }) => keyFingerprint(key))).size === all.length && names.size === witnesses.length + 1;
}

/** Parses the `firmament` member of root; a root without one demands nothing, and `verifyBinding` refuses it. */
export function parseRootPart(firmament: JsonObject | undefined): Verdict<RootPart, DemandCode> {
  if (firmament === undefined) return accept({ log: undefined, pairs: [] });
  const part = partDecoder(new Map([['firmament', firmament]]));
  if (!part.ok) return reject('ROOT_PART_MALFORMED', `root: ${part.detail}`);
  const { log, pairs = [] } = part.value.firmament;
  return pairs.length === 0
    ? accept({ log, pairs })
    : reject('PAIR_MISSING', 'root demands pairs of signatures, and this version cannot check any');
}

/**
 * Decides whether `next` demands at least what `former` demanded (R3): the same log, no key dropped or revived, no smaller quorum.
 * Keys and witnesses may be added: whoever changes them must have it logged under the former policy.
 */
export function keepsDemands(former: RootPart, next: RootPart): Verdict<void, 'LOG_POLICY_WEAKENED'> {
  if (former.log === undefined) return accept(undefined);
  if (next.log?.origin !== former.log.origin) return reject('LOG_POLICY_WEAKENED', `${former.log.origin} is given up`);
  if (next.log.quorum < former.log.quorum) {
    return reject('LOG_POLICY_WEAKENED', `a quorum of ${next.log.quorum} witnesses after ${former.log.quorum}`);
  }
  for (const { key, state } of former.log.keys) {
    const now = next.log.keys.find((other) => keyFingerprint(other.key) === keyFingerprint(key));
    if (now === undefined || reach(now.state) > reach(state)) {
      return reject('LOG_POLICY_WEAKENED', 'a key of the log is left out, or counts for more than before');
    }
  }
  return accept(undefined);
}

/** Up to which size a key counts, -1 for never. */
export function reach(state: LogKeyState): number {
  if (state === 'active') return Number.MAX_SAFE_INTEGER;
  return state === 'distrusted' ? -1 : state.frozen;
}

/** The members that root adds to its binding. */
export function rootPartToJson({ log, pairs }: RootPart): readonly (readonly [string, JsonValue])[] {
  const members: [string, JsonValue][] = pairs.length === 0 ? [] : [['pairs', pairs]];
  if (log !== undefined) members.push(['log', logToJson(log)]);
  return members;
}

function logToJson({ origin, keys, witnesses, quorum }: LogPolicy): JsonValue {
  const key = (entry: LogKey): JsonValue =>
    new Map<string, JsonValue>([
      ['key', keyToJson(entry.key)],
      ['state', typeof entry.state === 'string' ? entry.state : new Map([['frozen', entry.state.frozen]])],
    ]);
  const witness = (entry: Witness): JsonValue =>
    new Map<string, JsonValue>([
      ['name', entry.name],
      ['key', keyToJson(entry.key)],
      ['administration', entry.administration],
    ]);
  return new Map<string, JsonValue>([
    ['origin', origin],
    ['keys', keys.map(key)],
    ['witnesses', witnesses.map(witness)],
    ['quorum', quorum],
  ]);
}
