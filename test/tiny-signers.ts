/** Who signs in a tiny repository: seeded keys by role. */
import { sideRole } from '../formats/names.ts';
import type { Signer } from '../signer/signer.ts';
import { seededSigner } from './seeded-signer.ts';

export type Signers = ReadonlyMap<string, readonly Signer[]>;

export function signersOf(seed: string, channels: readonly string[], online: Signer | undefined): Signers {
  const named = (role: string, count: number): [string, readonly Signer[]] => [
    role,
    Array.from({ length: count }, (_, i) => seededSigner(`${seed} ${role} ${i + 1}`)),
  ];
  return new Map([
    named('root', 3),
    named('targets', 3),
    online === undefined ? named('snapshot', 1) : ['snapshot', [online]],
    online === undefined ? named('timestamp', 1) : ['timestamp', [online]],
    named('builder', 1),
    ...channels.map((channel) => named(channel, 3)),
    ...channels.map((channel) => named(sideRole(channel, 'rollout'), 1)),
    ...channels.map((channel) => halters(channel, named(channel, 1))),
    ...channels.map((channel): [string, readonly Signer[]] => [sideRole(channel, 'history'), named(channel, 3)[1]]),
  ]);
}

/** Who halts a channel in tests: its first manager. */
function halters(channel: string, [, managers]: [string, readonly Signer[]]): [string, readonly Signer[]] {
  return [sideRole(channel, 'halt'), managers];
}

export function keysOf(signers: Signers, role: string): readonly Signer['key'][] {
  return (signers.get(role) ?? []).map(({ key }) => key);
}

/** The first two of a role: its quorum, or all it has. */
export function quorumOf(signers: Signers, role: string): readonly Signer[] {
  return (signers.get(role) ?? []).slice(0, 2);
}

export function signerAt(signers: Signers, role: string, index: number): Signer {
  const signer = signers.get(role)?.[index];
  if (signer === undefined) throw new Error(`no signer ${index} of ${role}`);
  return signer;
}
