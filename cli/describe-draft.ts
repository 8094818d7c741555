/**
 * What a draft of root or targets says, in words, from the very bytes that are to be signed.
 *
 * - Nothing is taken from anywhere else: no file name, no summary beside it.
 * - Each member of the targets role's part has its words: one that had none would not compile.
 * - What a terminal would obey or hide is shown as an escape (`visible-text.ts`).
 */
import { encodeInstant } from '../formats/instant.ts';
import type { Person } from '../formats/people.ts';
import { parseRootPart, type LogKey, type LogPolicy } from '../formats/root-part.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { parseTrustPart, type TrustPart } from '../formats/trust-part.ts';
import { keyIdOf } from '../formats/tuf-key.ts';
import type { Metadata } from '../formats/tuf-metadata.ts';
import { parseRoot, type Root } from '../formats/tuf-root.ts';
import { parseTargets, type Targets } from '../formats/tuf-targets.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { visible } from './visible-text.ts';

/** The draft in `bytes` as lines for people. */
export function describeDraft(bytes: Uint8Array, role: 'root' | 'targets'): Verdict<readonly string[]> {
  const described = role === 'root' ? describeRootFile(bytes) : describeTargetsFile(bytes);
  return described.ok ? accept(described.value.map(visible)) : described;
}

function describeRootFile(bytes: Uint8Array): Verdict<readonly string[]> {
  const root = parseRoot(bytes);
  if (!root.ok) return root;
  const demands = parseRootPart(root.value.signed.firmament);
  if (!demands.ok) return demands;
  const head = describeHead(root.value, 'root', bytes);
  return accept([...head, ...describeRoot(root.value), ...describeLog(demands.value.log)]);
}

function describeTargetsFile(bytes: Uint8Array): Verdict<readonly string[]> {
  const targets = parseTargets(bytes);
  if (!targets.ok) return targets;
  const own = describeTargets(targets.value);
  return own.ok ? accept([...describeHead(targets.value, 'targets', bytes), ...own.value]) : own;
}

function describeHead(metadata: Metadata<unknown>, role: string, bytes: Uint8Array): readonly string[] {
  const { version, expires, firmament } = metadata.signed;
  const product = firmament?.get('product');
  return [
    `${role} version ${version} of product ${typeof product === 'string' ? product : 'unknown'}`,
    `  valid until ${encodeInstant(expires)}`,
    `  signatures so far: ${metadata.signatures.length}; SHA-256 of the content ${sha256Hex(metadata.signedBytes)}`,
    `  size ${bytes.length} bytes`,
  ];
}

function describeRoot({ signed }: Metadata<Root>): readonly string[] {
  return Object.entries(signed.roles).map(
    ([role, { keyids, threshold }]) => `  ${role}: ${threshold} of ${keyids.map(short).join(', ')}`,
  );
}

/** What root demands of the log: whose signature counts, up to where, and who must have cosigned. */
function describeLog(log: LogPolicy | undefined): readonly string[] {
  if (log === undefined) return ['  log: none is demanded'];
  const state = ({ state: said }: LogKey): string =>
    typeof said === 'string' ? said : `frozen at ${said.frozen} entries`;
  const witnesses = log.witnesses.map(({ administration, name }) => `${administration} (${name})`);
  return [
    `  log: ${log.origin}`,
    ...log.keys.map((entry) => `    key ${short(keyIdOf(entry.key))}: ${state(entry)}`),
    `    cosigned by ${log.quorum} of these administrations: ${witnesses.length === 0 ? 'none' : witnesses.join(', ')}`,
  ];
}

function describeTargets({ signed }: Metadata<Targets>): Verdict<readonly string[]> {
  const trust = parseTrustPart(signed.firmament);
  if (!trust.ok) return trust;
  const channels = (signed.delegations?.roles ?? []).map(
    ({ name, keyids, threshold }) => `  channel ${name}: ${threshold} of ${keyids.map(short).join(', ')}`,
  );
  return accept([...channels, ...Object.values(TRUST_WORDS).flatMap((words) => words(trust.value))]);
}

/** The words of each member of the part; a new member needs its own. */
const TRUST_WORDS: { readonly [K in keyof Required<TrustPart>]: (part: TrustPart) => readonly string[] } = {
  builders: ({ builders }) =>
    builders.map(({ id, source, issuer, administration }) => {
      const vouched = issuer === undefined ? '' : `, vouched for by ${issuer}`;
      const run = administration === undefined ? '' : `, run by ${administration}`;
      return `  builder ${id} from ${source}${vouched}${run}`;
    }),
  judging: ({ judging }) => [
    ...(judging?.verifiers ?? []).map(({ id }) => `  verifier ${id}, by the policy in force`),
    ...(judging === undefined ? [] : [`  policy in force: SHA-256 ${judging.policy.sha256}`]),
    ...(judging?.policy.stillAccepted ?? []).map((sha256) => `  former policy that still counts: ${sha256}`),
  ],
  people: ({ people }) =>
    people === undefined ? ['  no list of people: keys alone are counted'] : people.flatMap(describePerson),
  factories: ({ factories = [] }) =>
    factories.map(
      ({ id, notAfter, countMax }) =>
        `  factory ${id}: names at most ${countMax} devices until ${encodeInstant(notAfter)}`,
    ),
  identityAnchors: ({ identityAnchors = [] }) =>
    identityAnchors.map(({ name, key }) => `  anchor of identities ${name}: ${short(keyIdOf(key))}`),
};

function describePerson({ person, keys, subjects }: Person): readonly string[] {
  const held = keys.map(({ keyid, independent }) => `${short(keyid)}${independent ? ' (independent)' : ''}`);
  return [
    `  ${person}: ${held.length === 0 ? 'no key' : held.join(', ')}`,
    ...subjects.map(({ issuer, subject }) => `    answers for ${subject} of ${issuer}`),
  ];
}

function short(keyid: string): string {
  return keyid.slice(0, 12);
}
