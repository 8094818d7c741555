/**
 * A case of a clause: what a repository publishes, or a server makes of it, and how a client decides.
 *
 * - It is played before the client of the sources, over a repository in memory, and before the committed executable, over HTTP.
 * - A client has refreshed version 1 of everything before `change`, unless the case is `fresh`.
 */
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import type { LoadedClient } from '../tuf-client/loaded-client.ts';
import type { SimulatedClient, SimulatedRepository } from '../tuf-client/simulated-repository.ts';
import type { Clause, PeerBug } from './clauses.ts';

export type ClauseClient = SimulatedClient | LoadedClient;
export type ClauseScene = { readonly repository: SimulatedRepository; readonly client: ClauseClient };
export type ClauseCase = {
  readonly clause: Clause;
  readonly says: string;
  /** Bugs of others that it would have shown. */
  readonly bugs?: readonly PeerBug[];
  /** Before version 1 of everything is signed. */
  readonly setup?: (repository: SimulatedRepository) => void;
  readonly fresh?: boolean;
  readonly change?: (scene: ClauseScene) => void | Promise<void>;
  /** The target to look for; where it is left out, the client refreshes. */
  readonly find?: string;
  /** It is for the executable alone: what depends on a folder, a clock or a download. */
  readonly downloads?: boolean;
  /** A code; or what is kept; or the digest of the target. */
  readonly outcome: string;
  /** What is kept then, where the outcome does not say. */
  readonly kept?: string;
  /** The role whose kept file must be the newest of the repository, byte for byte. */
  readonly asServed?: FileRole;
  /** What was asked for. */
  readonly asked?: readonly string[];
};

/** What is kept at the start. */
export const FIRST = 'root 1, snapshot 1, targets 1, timestamp 1';
/** What every search asks for before the first delegated role. */
export const TOP = ['2.root.json', 'timestamp.json'] as const;

export type FileRole = 'root' | 'timestamp' | 'snapshot' | 'targets';

/** Publishes the next version of `role`, and whatever must name it. */
export async function publish({ repository }: ClauseScene, role: string): Promise<void> {
  const above = role === 'snapshot' ? ['timestamp'] : ['snapshot', 'timestamp'];
  await repository.publish(role, ...(role === 'root' || role === 'timestamp' ? [] : above));
}

/** What is kept after a publication of `role` that was accepted, or of which its last step was refused. */
export function keptAfter(role: FileRole, isAccepted: boolean): string {
  const risen: Readonly<Record<FileRole, readonly FileRole[]>> = {
    root: ['root'],
    timestamp: ['timestamp'],
    snapshot: ['timestamp', 'snapshot'],
    targets: ['timestamp', 'snapshot', 'targets'],
  };
  const names = risen[role].filter((name) => isAccepted || name !== role);
  return (['root', 'snapshot', 'targets', 'timestamp'] as const)
    .map((name) => `${name} ${names.includes(name) ? 2 : 1}`)
    .join(', ');
}

type Edit = readonly [path: readonly (string | number)[], value: unknown];
type Rule = Pick<ClauseCase, 'clause' | 'says' | 'bugs' | 'setup'> & {
  readonly role: FileRole;
  /** What is changed and signed again by the keys of the role. */
  readonly sign?: readonly Edit[];
  /** What is changed and not signed. */
  readonly send?: readonly Edit[];
};

async function play(scene: ClauseScene, { role, sign = [], send = [] }: Rule): Promise<void> {
  await publish(scene, role);
  for (const [path, value] of sign) await scene.repository.rewrite(role, path, value);
  for (const [path, value] of send) scene.repository.tamper(role, path, value);
}

/** The next version of a role with a change is accepted. */
export function taken(rule: Rule): ClauseCase {
  return { ...rule, change: (scene) => play(scene, rule), outcome: keptAfter(rule.role, true) };
}

/** The next version of a role with a change is refused with `code`, and not kept. */
export function refused(rule: Rule, code: string): ClauseCase {
  return { ...rule, change: (scene) => play(scene, rule), outcome: code, kept: keptAfter(rule.role, false) };
}

/** The digest of a target by its content. */
export function digestOf(content: string): string {
  return sha256Hex(encodeUtf8(content));
}
