/**
 * What a draft says, in words, from the very bytes that are to be signed.
 *
 * - Nothing is taken from anywhere else: no file name, no summary beside it.
 */
import { parseChannelPart } from '../formats/channel-part.ts';
import { encodeInstant } from '../formats/instant.ts';
import { evidenceTargets, parseRelease } from '../formats/release.ts';
import { parseRootPart, type LogKey, type LogPolicy } from '../formats/root-part.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { parseTrustPart } from '../formats/trust-part.ts';
import { keyIdOf } from '../formats/tuf-key.ts';
import type { Metadata } from '../formats/tuf-metadata.ts';
import { parseRoot, type Root } from '../formats/tuf-root.ts';
import { parseTargets, type Targets } from '../formats/tuf-targets.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { describePlan } from './describe-plan.ts';

/** The draft in `bytes` as lines for people. @param role `root`, `targets`, or the channel's name. */
export function describeDraft(bytes: Uint8Array, role: string): Verdict<readonly string[]> {
  if (role === 'root') {
    const root = parseRoot(bytes);
    if (!root.ok) return root;
    const demands = parseRootPart(root.value.signed.firmament);
    if (!demands.ok) return demands;
    const head = describeHead(root.value, role, bytes);
    return accept([...head, ...describeRoot(root.value), ...describeLog(demands.value.log)]);
  }
  const targets = parseTargets(bytes);
  if (!targets.ok) return targets;
  const own = role === 'targets' ? describeTargets(targets.value) : describeChannel(targets.value);
  return own.ok ? accept([...describeHead(targets.value, role, bytes), ...own.value]) : own;
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
  return [
    `  log: ${log.origin}`,
    ...log.keys.map((entry) => `    key ${short(keyIdOf(entry.key))}: ${state(entry)}`),
    `    cosigned by ${log.quorum} of these administrations: ${log.witnesses.map(({ administration, name }) => `${administration} (${name})`).join(', ') || 'none'}`,
  ];
}

function describeTargets({ signed }: Metadata<Targets>): Verdict<readonly string[]> {
  const trust = parseTrustPart(signed.firmament);
  if (!trust.ok) return trust;
  const channels = (signed.delegations?.roles ?? []).map(
    ({ name, keyids, threshold }) => `  channel ${name}: ${threshold} of ${keyids.map(short).join(', ')}`,
  );
  const builders = trust.value.builders.map(({ id, source }) => `  builder ${id} from ${source}`);
  const { judging } = trust.value;
  const verifiers = (judging?.verifiers ?? []).map(({ id }) => `  verifier ${id}, by the policy in force`);
  const policies = judging === undefined ? [] : [`  policy in force: SHA-256 ${judging.policy.sha256}`];
  const former = (judging?.policy.stillAccepted ?? []).map((sha256) => `  former policy that still counts: ${sha256}`);
  return accept([...channels, ...builders, ...verifiers, ...policies, ...former]);
}

function describeChannel({ signed }: Metadata<Targets>): Verdict<readonly string[]> {
  const part = parseChannelPart(signed.firmament);
  if (!part.ok) return part;
  const release = parseRelease(signed.targets, part.value.release);
  if (!release.ok) return release;
  const components = release.value.components.flatMap((component) => [
    `  ${component.component}: firmware ${component.firmwareVersion}, security counter ${component.securityCounter}`,
    `    for ${component.hardwareIds.join(', ')}`,
    `    image ${component.image.name}, ${component.image.length} bytes, SHA-256 ${component.image.sha256}`,
    ...evidenceTargets(component).map(({ name, sha256 }) => `    evidence ${name}, SHA-256 ${sha256}`),
  ]);
  return accept([
    `  release in force: ${release.value.release}`,
    ...components,
    ...describePlan(part.value.plan),
    `  least security counter at every start: ${part.value.minSecurityCounter}`,
    `  revoked images: ${part.value.revokedDigests.length === 0 ? 'none' : part.value.revokedDigests.join(', ')}`,
  ]);
}

function short(keyid: string): string {
  return keyid.slice(0, 12);
}
