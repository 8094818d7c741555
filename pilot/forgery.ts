/**
 * A repository in the hands of an attacker: a copy of the published one, and whatever keys were stolen.
 *
 * - Nothing here goes through the publisher: an attacker writes what it likes.
 * - Snapshot, timestamp and log are signed anew with the stolen online keys, so that only what people sign stands in its way.
 */
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RepositoryId } from '../formats/binding.ts';
import type { Instant } from '../formats/instant.ts';
import { isJsonObject, parseJson, type JsonObject } from '../formats/json.ts';
import { parseSnapshot, parseTimestamp } from '../formats/tuf-snapshot.ts';
import { TARGETS_BYTES_MAX } from '../formats/tuf-targets.ts';
import type { Verdict } from '../formats/verdict.ts';
import { signMetadata } from '../signer/add-signature.ts';
import { metaFileOf, snapshotContent, timestampContent } from '../signer/draft-online.ts';
import type { Signer } from '../signer/signer.ts';
import { appendForged } from './forged-log.ts';

const DAY_MS = 86_400_000;

export type OnlineKeys = { readonly snapshot: Signer; readonly timestamp: Signer; readonly log: Signer };
export type Forgery = {
  /** The folder of the copy, as a server serves it. */
  readonly store: string;
  /** The newest published file of a role. */
  readonly newest: (role: string) => Promise<Uint8Array>;
  /** Puts files among the product's, by name. */
  readonly put: (name: string, bytes: Uint8Array) => Promise<void>;
  /** Serves `file` as `role`, under a snapshot and a timestamp that agree with it; and logs it. */
  readonly serveAs: (role: string, file: Uint8Array) => Promise<void>;
  /** The same, but for the log. */
  readonly serveUnlogged: (role: string, file: Uint8Array) => Promise<void>;
};

/** Copies the published folder `from` to `store`, for an attacker who has stolen `online`. */
export async function openForgery(
  from: string,
  store: string,
  attacker: { readonly repository: RepositoryId; readonly online: OnlineKeys; readonly now: Instant },
): Promise<Forgery> {
  await cp(from, store, { recursive: true });
  const { product } = attacker.repository;
  const metadata = join(store, product, 'metadata');
  const put = async (name: string, bytes: Uint8Array): Promise<void> => {
    const path = join(store, product, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  };
  const serveUnlogged = async (role: string, file: Uint8Array): Promise<void> => {
    const version = versionOf(file);
    await put(`metadata/${version}.${role}.json`, file);
    const snapshot = must(parseSnapshot(await newestFile(metadata, 'snapshot'))).signed;
    const timestamp = must(parseTimestamp(await readFile(join(metadata, 'timestamp.json')))).signed;
    const meta = new Map([...snapshot.meta, [`${role}.json`, metaFileOf(version, file)]]);
    const part = { repository: attacker.repository, expires: attacker.now + DAY_MS };
    const next = await signMetadata(snapshotContent({ ...part, version: snapshot.version + 1 }, meta), [
      attacker.online.snapshot,
    ]);
    await put(`metadata/${snapshot.version + 1}.snapshot.json`, next);
    const content = timestampContent(
      { ...part, version: timestamp.version + 1 },
      metaFileOf(snapshot.version + 1, next),
    );
    await put('metadata/timestamp.json', await signMetadata(content, [attacker.online.timestamp]));
  };
  return {
    store,
    put,
    newest: (role) => newestFile(metadata, role),
    serveUnlogged,
    serveAs: async (role, file) => {
      const { repository, online } = attacker;
      await appendForged(store, { repository, log: online.log }, { channel: role, file });
      await serveUnlogged(role, file);
    },
  };
}

/** The `signed` part of a metadata file. */
export function signedPart(file: Uint8Array): JsonObject {
  const json = must(parseJson(file, { bytesMax: TARGETS_BYTES_MAX }));
  const signed = isJsonObject(json) ? json.get('signed') : undefined;
  if (!isJsonObject(signed)) throw new Error('the pilot made a file that is no metadata');
  return signed;
}

/** The value of a verdict that can only be a refusal if the pilot itself is wrong. */
export function must<T>(verdict: Verdict<T>): T {
  if (verdict.ok) return verdict.value;
  throw new Error(`the pilot's own material is refused: ${verdict.code}: ${verdict.detail}`);
}

async function newestFile(metadata: string, role: string): Promise<Uint8Array> {
  const versions = (await readdir(metadata))
    .filter((name) => name.endsWith(`.${role}.json`))
    .map((name) => Number.parseInt(name, 10));
  return readFile(join(metadata, `${Math.max(...versions)}.${role}.json`));
}

function versionOf(file: Uint8Array): number {
  const version = signedPart(file).get('version');
  if (typeof version !== 'number') throw new Error('the pilot made a file without a version');
  return version;
}
