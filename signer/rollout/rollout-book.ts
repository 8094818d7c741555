/**
 * What the signer keeps of one rollout, outside of the store that it publishes to: the expected sets, and what devices said.
 *
 * - An expected set is written once, before its wave is shown; whatever stands is what counts (rule R8).
 * - What a device said is appended as it was signed, one entry each; a cut leaves it whole or not there.
 * - A device's word of the highest sequence counts; what is known already is not written again, and no device fills the disk.
 * - Specified in `docs/formats/signing.md`.
 */
import { concatBytes, encodeHex, parseHex } from '../../formats/bytes.ts';
import type { Instant } from '../../formats/instant.ts';
import { OperationError } from '../../formats/operation-error.ts';
import type { Verified } from '../../formats/verdict.ts';
import type { OpenWave } from '../../formats/wave-step.ts';
import type { BookStore } from '../book-store.ts';
import { expectedRoot } from './expected-devices.ts';
import { encodeHeardWord, HEARD_BYTES_MAX, parseHeardWord } from './heard-word.ts';
import type { Votes } from './next-step.ts';
import { readWord, type SpokenWord } from './spoken-word.ts';

/** Which rollout: a channel's plan, with the anchor that its cohorts are drawn with. */
export type RolloutName = { readonly channel: string; readonly planSha256: string; readonly anchor: string };
export type Heard = {
  readonly outcome: SpokenWord['outcome'];
  readonly sequence: number;
  readonly receivedAt: Instant;
};

export type RolloutBook = {
  /** Writes the expected set of a wave, from 0, unless one stands. @returns what stands. */
  readonly freeze: (wave: number, ids: readonly string[]) => Promise<readonly string[]>;
  /** The expected set of a wave, once frozen. */
  readonly expected: (wave: number) => Promise<readonly string[] | undefined>;
  /**
   * Whether the expected set of a wave is the one that its step commits to. Where none is kept, as after a restored backup, the one
   * that `again` draws is frozen, if it is that very one.
   */
  readonly holds: (wave: number, committed: OpenWave['expected'], again: () => readonly string[]) => Promise<boolean>;
  /** Keeps what a device said. @returns false if it says nothing new, or the device has said too much. */
  readonly hear: (
    said: { readonly word: Verified<SpokenWord>; readonly envelope: Uint8Array },
    now: Instant,
  ) => Promise<boolean>;
  readonly votes: (wave: number, times: { readonly deadline: Instant }) => Promise<Votes>;
};

/** How many words of others may come in between. */
const RACES_MAX = 64;
/** How often one device may speak in one rollout. */
export const WORDS_MAX = 32;
const ID_BYTES = 32;
const EXPECTED_BYTES_MAX = 67_108_864;

type Words = { readonly latest: Heard; readonly confirmedAt: Instant | undefined; readonly count: number };

/** Opens the book of a rollout in `store`, reading all that was kept. */
export async function openRolloutBook(store: BookStore, name: RolloutName): Promise<RolloutBook> {
  const folder = `${name.channel}/${name.planSha256}`;
  const expectedAt = (wave: number): string => `${folder}/expected-${name.anchor.slice(0, 16)}-${wave}`;
  const frozen = new Map<number, readonly string[]>();
  const words = new Map<string, Words>();
  let heard = 0;
  // Another signer over the same books may have heard something since.
  const catchUp = async (): Promise<void> => {
    for (;;) {
      const at = heard;
      const stored = await store.read(`${folder}/word-${at}`, HEARD_BYTES_MAX);
      if (stored === undefined) return;
      // Who asked at the same time has taken it up.
      if (at !== heard) continue;
      addStored(words, stored);
      heard++;
    }
  };
  await catchUp();
  const expected = async (wave: number): Promise<readonly string[] | undefined> => {
    const known = frozen.get(wave) ?? (await readIds(store, expectedAt(wave)));
    if (known !== undefined) frozen.set(wave, known);
    return known;
  };
  const held = new Map<number, string>();
  return {
    expected,
    holds: async (wave, { count, merkleRoot }, again) => {
      if (held.get(wave) === merkleRoot) return true;
      const kept = await expected(wave);
      const ids = kept ?? again();
      if (ids.length !== count || expectedRoot(ids) !== merkleRoot) return false;
      if (kept === undefined) await store.keep(expectedAt(wave), encodeIds(ids));
      held.set(wave, merkleRoot);
      return true;
    },
    freeze: async (wave, ids) => {
      await store.keep(expectedAt(wave), encodeIds(ids));
      return (await expected(wave)) ?? [];
    },
    hear: async ({ word, envelope }, now) => {
      const { deviceId, sequence } = word;
      for (let attempt = 0; attempt < RACES_MAX; attempt++) {
        await catchUp();
        const before = words.get(deviceId);
        if (before !== undefined && (before.latest.sequence >= sequence || before.count >= WORDS_MAX)) return false;
        const isKept = await store.keep(`${folder}/word-${heard}`, encodeHeardWord({ receivedAt: now, envelope }));
        await catchUp();
        if (isKept) return true;
      }
      throw new OperationError('FILE_EXISTS', `${folder} is written by too many at once`, { retriable: true });
    },
    votes: async (wave, times) => {
      await catchUp();
      return countVotes((await expected(wave)) ?? [], words, times);
    },
  };
}

/** How the devices of `ids` voted; each counts once. */
function countVotes(
  ids: readonly string[],
  words: ReadonlyMap<string, Words>,
  { deadline }: { readonly deadline: Instant },
): Votes {
  let confirmed = 0;
  let failed = 0;
  for (const id of ids) {
    const said = words.get(id);
    if (said?.latest.outcome === 'failed') failed++;
    else if (said?.confirmedAt !== undefined && said.confirmedAt <= deadline) confirmed++;
  }
  return { expected: ids.length, confirmed, failed };
}

function addWord(words: Map<string, Words>, { deviceId, outcome, sequence }: SpokenWord, receivedAt: Instant): void {
  const before = words.get(deviceId);
  // A confirmation that stands is dated by its first word: repeating it loses no device its vote.
  const confirmedAt = outcome === 'confirmed' ? (before?.confirmedAt ?? receivedAt) : undefined;
  words.set(deviceId, {
    latest: { outcome, sequence, receivedAt },
    confirmedAt,
    count: (before?.count ?? 0) + 1,
  });
}

/** Takes up a word that was verified before it was kept. */
function addStored(words: Map<string, Words>, bytes: Uint8Array): void {
  const heard = parseHeardWord(bytes);
  const word = heard.ok ? readWord(heard.value.envelope) : undefined;
  if (!heard.ok || word === undefined) {
    throw new OperationError('FILE_UNREADABLE', "a word in the signer's state is damaged: restore it from a backup", {
      retriable: false,
    });
  }
  addWord(words, word, heard.value.receivedAt);
}

function encodeIds(ids: readonly string[]): Uint8Array {
  return concatBytes(...ids.map((id) => parseHex(id) ?? new Uint8Array()));
}

async function readIds(store: BookStore, name: string): Promise<readonly string[] | undefined> {
  const bytes = await store.read(name, EXPECTED_BYTES_MAX);
  if (bytes === undefined) return undefined;
  return Array.from({ length: Math.floor(bytes.length / ID_BYTES) }, (_, i) =>
    encodeHex(bytes.subarray(i * ID_BYTES, (i + 1) * ID_BYTES)),
  );
}
