/**
 * A TUF repository in memory, with its requests told, and a client of it whose folder is a map.
 *
 * - `publish` signs the next version of each role that is named, in that order, and lets snapshot and timestamp name it.
 * - What a test changes in between is what an honest repository would sign; `files` is what a hostile server may alter.
 */
import { encodeUtf8 } from '../../../formats/bytes.ts';
import type { JsonValue } from '../../../formats/json.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { sha512Hex } from '../../../formats/sha512.ts';
import { openMetadata, type SignedHead } from '../../../formats/tuf-metadata.ts';
import { rootToJson, type Root } from '../../../formats/tuf-root.ts';
import { snapshotToJson, timestampToJson, type MetaFile } from '../../../formats/tuf-snapshot.ts';
import { targetsToJson, type DelegatedRole, type TargetFile, type Targets } from '../../../formats/tuf-targets.ts';
import { OperationError } from '../../../formats/operation-error.ts';
import { reject, type Verdict } from '../../../formats/verdict.ts';
import type { MetadataStore } from '../../../bootloader-verifier/agent/tuf-client/metadata-store.ts';
import { targetFinder } from '../../../bootloader-verifier/agent/tuf-client/find-target.ts';
import {
  keepInitialRoot,
  refreshMetadata,
  type TufClient,
} from '../../../bootloader-verifier/agent/tuf-client/refresh-metadata.ts';
import { checkSignatureClient } from '../../../bootloader-verifier/agent/tuf-client/signature-check-client.ts';
import type { Signer } from '../../../signer/signer.ts';
import { accepted } from '../../accepted.ts';
import { edited, keysOf, roleOf, signedBy } from '../../formats/sample-repository.ts';
import { seededSigner } from '../../seeded-signer.ts';

export const NOW: number = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;
const TOP = ['root', 'targets', 'snapshot', 'timestamp'] as const;
const BASE = 'https://repository.example/';

type Top = (typeof TOP)[number];
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class SimulatedRepository {
  readonly signers: Map<string, readonly Signer[]> = new Map(TOP.map((role) => [role, [seededSigner(`tuf ${role}`)]]));
  readonly versions: Map<string, number> = new Map();
  readonly expires: Map<string, number> = new Map();
  readonly roles: Map<string, Mutable<Targets>> = new Map([
    ['targets', { targets: new Map(), delegations: undefined }],
  ]);
  readonly meta: Map<string, MetaFile> = new Map();
  readonly root: Mutable<Root>;
  named: MetaFile = { version: 1, length: undefined, sha256: undefined };
  /** Whether parents name length and hashes of their files. */
  namesHashes = false;
  /** What is served, by the path of its address. */
  readonly files: Map<string, Uint8Array> = new Map();
  /** The status with which an address answers, by its path, where it is neither 200 nor 404. */
  readonly statuses: Map<string, number> = new Map();
  /** Paths that were asked for, those of metadata from their folder on. */
  readonly requests: string[] = [];

  constructor() {
    const roles = Object.fromEntries(TOP.map((role) => [role, roleOf(this.signersOf(role))])) as Root['roles'];
    this.root = { consistentSnapshot: true, keys: keysOf([...this.signers.values()].flat()), roles };
  }

  signersOf(role: string): readonly Signer[] {
    return this.signers.get(role) ?? [];
  }

  /** Signs the next version of each of `roles`. */
  async publish(...roles: readonly string[]): Promise<void> {
    for (const role of roles) {
      const version = (this.versions.get(role) ?? 0) + 1;
      this.versions.set(role, version);
      const bytes = await signedBy(this.contentOf(role), this.signersOf(role));
      this.files.set(this.pathOf(role), bytes);
      const file: MetaFile = this.namesHashes
        ? { version, length: bytes.length, sha256: sha256Hex(bytes), sha512: sha512Hex(bytes) }
        : { version, length: undefined, sha256: undefined };
      if (role === 'snapshot') this.named = file;
      else if (role !== 'root' && role !== 'timestamp') this.meta.set(`${role}.json`, file);
    }
  }

  /** The path of the newest file of `role`. */
  pathOf(role: string): string {
    const isVersioned = role === 'root' || (role !== 'timestamp' && this.root.consistentSnapshot);
    const version = isVersioned ? `${this.versions.get(role) ?? 1}.` : '';
    return `metadata/${version}${encodeURIComponent(role)}.json`;
  }

  /** The newest file of `role`. */
  newest(role: string): Uint8Array {
    return this.files.get(this.pathOf(role)) ?? new Uint8Array();
  }

  /** Puts another value into the newest file of `role`, as whoever has no key could; undefined takes a member out. */
  tamper(role: string, path: readonly (string | number)[], value: unknown): void {
    this.files.set(this.pathOf(role), edited(this.newest(role), path, value));
  }

  /** Puts another value into what is signed of the newest file of `role`, and signs it with the keys that it has. */
  async rewrite(role: string, path: readonly (string | number)[], value: unknown): Promise<void> {
    this.tamper(role, ['signed', ...path], value);
    const { signed } = accepted(openMetadata(this.newest(role), 1_000_000));
    this.files.set(this.pathOf(role), await signedBy(signed, this.signersOf(role)));
  }

  /** What is served under `path`, also where its characters are escaped. */
  fileAt(path: string): Uint8Array | undefined {
    return this.files.get(path) ?? this.files.get(decodeURIComponent(path));
  }

  /** Publishes everything once more. */
  async publishAll(): Promise<void> {
    await this.publish('root', ...this.roles.keys(), 'snapshot', 'timestamp');
  }

  contentOf(role: string): JsonValue {
    const type = TOP.includes(role as Top) ? (role as Top) : 'targets';
    const expires = this.expires.get(role) ?? NOW + 30 * DAY_MS;
    const head: SignedHead = { type, version: this.versions.get(role) ?? 1, expires, firmament: undefined };
    if (role === 'root') return rootToJson({ ...head, ...this.root });
    if (role === 'snapshot') return snapshotToJson({ ...head, meta: this.meta });
    if (role === 'timestamp') return timestampToJson({ ...head, snapshot: this.named });
    return targetsToJson({ ...head, ...this.roleOf(role) });
  }

  roleOf(role: string): Mutable<Targets> {
    const found = this.roles.get(role) ?? { targets: new Map(), delegations: undefined };
    this.roles.set(role, found);
    return found;
  }

  /** Gives `role` new keys, under root. */
  rotate(role: Top, ...names: readonly string[]): void {
    const signers = names.map(seededSigner);
    this.signers.set(role, signers);
    this.root.keys = new Map([...this.root.keys, ...keysOf(signers)]);
    this.root.roles = { ...this.root.roles, [role]: roleOf(signers) };
  }

  /** Lets `delegator` delegate to `role`, with keys of its own. */
  delegate(delegator: string, role: string, change: Partial<DelegatedRole> = {}): void {
    const signers = [seededSigner(`tuf ${delegator} to ${role}`)];
    this.signers.set(role, [...this.signersOf(role), ...signers]);
    const { delegations } = this.roleOf(delegator);
    const entry = { name: role, terminating: false, paths: ['*'], ...roleOf(signers), ...change };
    this.roleOf(delegator).delegations = {
      keys: new Map([...(delegations?.keys ?? []), ...keysOf(signers)]),
      roles: [...(delegations?.roles ?? []), entry],
    };
    this.roleOf(role);
  }

  /** Lets `role` list the target `name`, and serves its bytes. */
  add(role: string, name: string, content: string): void {
    const bytes = encodeUtf8(content);
    const file = { length: bytes.length, sha256: sha256Hex(bytes), custom: undefined };
    this.roleOf(role).targets = new Map<string, TargetFile>([...this.roleOf(role).targets, [name, file]]);
    const at = name.lastIndexOf('/') + 1;
    const prefix = this.root.consistentSnapshot ? `${file.sha256}.` : '';
    this.files.set(`targets/${name.slice(0, at)}${prefix}${name.slice(at)}`, bytes);
  }

  readonly fetcher: TufClient['fetcher'] = (url) => {
    const path = url.slice(BASE.length);
    this.requests.push(path.replace('metadata/', ''));
    const bytes = this.fileAt(path);
    const status = this.statuses.get(path) ?? (bytes === undefined ? 404 : 200);
    return Promise.resolve({ status, body: chunksOf(bytes ?? new Uint8Array()) });
  };
}

/** A body in small chunks. */
async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield await Promise.resolve(bytes.subarray(at, at + 1000));
}

/** A client with a folder in memory, that starts from root 1 of `repository`. */
export class SimulatedClient {
  readonly kept: Map<string, Uint8Array> = new Map();
  now: number = NOW;
  readonly repository: SimulatedRepository;

  constructor(repository: SimulatedRepository) {
    this.repository = repository;
  }

  get store(): MetadataStore {
    return {
      read: (role) => Promise.resolve(this.kept.get(role)),
      write: (role, bytes) => Promise.resolve(void this.kept.set(role, bytes)),
      remove: (role) => Promise.resolve(void this.kept.delete(role)),
    };
  }

  get client(): TufClient {
    const { fetcher } = this.repository;
    return { store: this.store, fetcher, metadataUrl: `${BASE}metadata/`, check: checkSignatureClient, now: this.now };
  }

  async init(): Promise<void> {
    accepted(await keepInitialRoot(this.client, this.repository.files.get('metadata/1.root.json') ?? new Uint8Array()));
  }

  /** Refreshes; the code of the refusal, or what is kept, each role with its version. */
  async refresh(): Promise<string> {
    this.repository.requests.length = 0;
    return this.outcomeOf(await faultless(refreshMetadata(this.client)));
  }

  /** Refreshes and looks for each of `names`; the code of the first refusal, or the digests that were found. */
  async find(...names: readonly string[]): Promise<readonly string[]> {
    this.repository.requests.length = 0;
    const trusted = await faultless(refreshMetadata(this.client));
    if (!trusted.ok) return [trusted.code];
    const find = targetFinder(this.client, trusted.value);
    const found: string[] = [];
    for (const name of names) {
      const target = await faultless(find(name));
      found.push(target.ok ? (target.value.sha256 ?? 'none') : target.code);
    }
    return found;
  }

  outcomeOf(verdict: Verdict<unknown>): string {
    return verdict.ok ? this.versions() : verdict.code;
  }

  /** What is kept, each role with its version. */
  versions(): string {
    return versionsOf(this.kept);
  }
}

/** The verdict of `work`; a fault of the network or the disk as a refusal with its code, as the command line tells both. */
async function faultless<T>(work: Promise<Verdict<T>>): Promise<Verdict<T>> {
  try {
    return await work;
  } catch (fault) {
    if (fault instanceof OperationError) return reject(fault.code, fault.message);
    throw fault;
  }
}

/** Each of `kept` with its version. */
export function versionsOf(kept: ReadonlyMap<string, Uint8Array>): string {
  return [...kept]
    .sort()
    .map(([role, bytes]) => `${role} ${versionIn(bytes)}`)
    .join(', ');
}

function versionIn(bytes: Uint8Array): string {
  const { signed } = JSON.parse(new TextDecoder().decode(bytes)) as { readonly signed: { readonly version: number } };
  return String(signed.version);
}

/** A repository with version 1 of everything, and a client that has refreshed once, unless it is `fresh`. */
export async function simulate(
  change: (repository: SimulatedRepository) => void = () => undefined,
  fresh: 'refreshed' | 'fresh' = 'refreshed',
): Promise<{ readonly repository: SimulatedRepository; readonly client: SimulatedClient }> {
  const repository = new SimulatedRepository();
  change(repository);
  await repository.publishAll();
  const client = new SimulatedClient(repository);
  await client.init();
  if (fresh === 'refreshed') accepted(await refreshMetadata(client.client));
  repository.requests.length = 0;
  return { repository, client };
}
