/**
 * Signing events as files: what travels between people, and what verbs take a channel from.
 *
 * - Where a channel file is asked for, the event that brought it is as good: its quorum is in it.
 */
import type { RepositoryId } from '../formats/binding.ts';
import { encodeSigningEvent, parseSigningEvent, type SigningEvent } from '../formats/signing-event.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { MODE_PUBLIC, replaceFile } from '../signer/durable-file.ts';
import { freshMemory, type KeyHolderMemory } from '../signer/key-holder-memory.ts';
import { keyHolderMemoryFile, type KeyHolderMemoryFile } from '../signer/key-holder-memory-file.ts';
import { repositoryIdOf, type RepositoryIdCode } from '../signer/repository-id.ts';
import { digestOf } from '../signer/sign-event.ts';
import { readInput, readOptional, writeNew } from './files.ts';
import type { Answer } from './verb.ts';

/** The event in the file `path`. */
export async function readEvent(path: string): Promise<Verdict<SigningEvent, 'EVENT_MALFORMED'>> {
  const event = parseSigningEvent(await readInput(path));
  return event.ok ? event : reject(event.code, `${path}: ${event.detail}`);
}

/** The channel file in `path`: the file itself, or the one that a signing event carries. */
export async function readChannelFile(path: string | undefined): Promise<Uint8Array | undefined> {
  const bytes = await readOptional(path);
  const event = bytes && parseSigningEvent(bytes);
  return event?.ok === true ? event.value.metadata : bytes;
}

/** The history file in `path`: the file itself, or the one that a signing event carries. */
export async function readHistoryFile(path: string | undefined): Promise<Uint8Array | undefined> {
  const bytes = await readOptional(path);
  const event = bytes && parseSigningEvent(bytes);
  return event?.ok === true ? event.value.history?.metadata : bytes;
}

/** Writes `event` in place of the file it came from. */
export async function replaceEvent(path: string, event: SigningEvent): Promise<void> {
  await replaceFile(path, { bytes: encodeSigningEvent(event), mode: MODE_PUBLIC });
}

/** Ends a verb that drafts: `event` is written to `out`, and the next command is named. */
export async function concludeEvent(event: Verdict<SigningEvent>, out: string): Promise<Verdict<Answer>> {
  if (!event.ok) return event;
  const digest = digestOf(event.value);
  if (!digest.ok) return digest;
  await writeNew(out, encodeSigningEvent(event.value));
  const next = `firmament sign --event ${out} --key KEY`;
  const { role, metadata } = event.value;
  const facts = { file: out, channel: role, event: digest.value.sha256, sha256: sha256Hex(metadata), next };
  const text = `${out}: ${role} version ${digest.value.version}, SHA-256 ${digest.value.sha256}, without signatures\n  next: ${next}`;
  return accept({ facts, text });
}

export type KnownRepository = {
  readonly memory: KeyHolderMemory;
  readonly file: KeyHolderMemoryFile;
};

/**
 * What the holder of `key` remembers of the repository of `event`.
 * @param rootOne root 1 from a source that the person trusts; needed once.
 */
export async function openKeyHolderMemory(
  event: SigningEvent,
  of: { readonly key: string; readonly rootOne: string | undefined },
): Promise<Verdict<KnownRepository, RepositoryIdCode | 'REPOSITORY_UNKNOWN'>> {
  const own = await readOptional(of.rootOne);
  const repository = repositoryOf(own ?? event.roots[0]);
  if (!repository.ok) return repository;
  const file = keyHolderMemoryFile(of.key, repository.value);
  const memory = (await file.read()) ?? (own === undefined ? undefined : freshMemory(repository.value));
  return memory === undefined
    ? reject('REPOSITORY_UNKNOWN', `${repository.value.product}: name root 1, as you trust it, with --root-one`)
    : accept({ memory, file });
}

function repositoryOf(rootOne: Uint8Array = new Uint8Array()): Verdict<RepositoryId, RepositoryIdCode> {
  return repositoryIdOf(rootOne);
}
