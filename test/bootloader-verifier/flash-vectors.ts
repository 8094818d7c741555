/**
 * The vectors of `docs/formats/flash.md`, made by the encoders and by the tiny repository.
 *
 * - `node cli/node24.js test/bootloader-verifier/flash-vectors.ts --write` writes them; a test holds the files equal, byte for byte.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseBootBundle } from '../../formats/boot-bundle.ts';
import { encodeBootState, type BootState } from '../../formats/boot-state.ts';
import { concatBytes, encodeHex, encodeUtf8, parseUtf8 } from '../../formats/bytes.ts';
import { encodeFactoryRecord, type DeviceComponent } from '../../formats/factory-record.ts';
import { encodeRecord } from '../../formats/flash-record.ts';
import { COUNTER_JUMP_MAX, encodeFloors, type Floors } from '../../formats/floors.ts';
import { encodeSeenMetadata } from '../../formats/seen-metadata.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { verifyBundle } from '../../bootloader-verifier/boot/verify-bundle.ts';
import { accepted } from '../accepted.ts';
import { withPart } from '../edited-metadata.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../tiny-repository.ts';

/** Where the vectors stand. */
export const VECTORS: string = fileURLToPath(new URL('../vectors/flash/', import.meta.url));

export type RecordVector = {
  readonly says: string;
  readonly bytes: string;
  readonly sequence?: number;
  readonly payload?: string;
};
export type TextVector = {
  readonly says: string;
  readonly part: 'boot-state' | 'floors' | 'factory' | 'cache';
  readonly text: string;
};
export type DecisionVector = {
  readonly says: string;
  readonly floors: string;
  readonly bundle: string;
  /** What the boot stage answers: a permit, or the code of the refusal. */
  readonly permit?: unknown;
  readonly code?: string;
};

/** The microcontroller of the device that the vectors are for. */
const HUB: DeviceComponent = { component: 'hub', hardwareId: 'primehub', installer: 'transfer' };

/** Records that are whole, and regions in which there is none. */
function recordVectors(): readonly RecordVector[] {
  const whole = (says: string, sequence: number, payload: Uint8Array): RecordVector => ({
    says,
    bytes: encodeHex(encodeRecord({ sequence, payload })),
    sequence,
    payload: encodeHex(payload),
  });
  const record = encodeRecord({ sequence: 7, payload: encodeUtf8('payload') });
  const changed = (says: string, at: number): RecordVector => {
    const bytes = record.slice();
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return { says, bytes: encodeHex(bytes) };
  };
  return [
    whole('an empty payload', 1, new Uint8Array()),
    whole('a short payload', 7, encodeUtf8('payload')),
    whole('the greatest sequence', Number.MAX_SAFE_INTEGER, encodeUtf8('last')),
    {
      says: 'a record with the remains of a longer one behind it',
      bytes: encodeHex(concatBytes(record, encodeUtf8('remains'))),
      sequence: 7,
      payload: encodeHex(encodeUtf8('payload')),
    },
    { says: 'blank flash of ones', bytes: 'ff'.repeat(64) },
    { says: 'blank flash of zeros', bytes: '00'.repeat(64) },
    { says: 'a record cut off within its payload', bytes: encodeHex(record.subarray(0, -1)) },
    { says: 'a record cut off within its header', bytes: encodeHex(record.subarray(0, 47)) },
    changed('another magic', 0),
    changed('another sequence than the digest covers', 11),
    changed('another length than the digest covers', 15),
    changed('another digest', 20),
    changed('another payload', 50),
  ];
}

function textVectors(repository: TinyRepository): readonly TextVector[] {
  const digest = sha256Hex(encodeUtf8('an image'));
  const state = (says: string, boot: BootState): TextVector => ({
    says,
    part: 'boot-state',
    text: textOf(encodeBootState(boot)),
  });
  const none = { good: undefined, trial: undefined, confirmed: undefined, failed: [] };
  const { floors } = repository;
  return [
    state('a device that was never installed', none),
    state('slot b on its second trial beside the good slot a', { ...none, good: 'a', trial: { slot: 'b', starts: 2 } }),
    state('slot b confirmed, for the next start to make it good', { ...none, good: 'a', confirmed: 'b' }),
    state('the good slot b, after an image that failed', { ...none, good: 'b', failed: [digest] }),
    {
      says: 'floors as the factory leaves them',
      part: 'floors',
      text: textOf(encodeFloors({ ...floors, ...at(0, 0) })),
    },
    { says: 'floors that have risen', part: 'floors', text: textOf(encodeFloors({ ...floors, ...at(12, 3) })) },
    { says: 'a factory record', part: 'factory', text: textOf(encodeFactoryRecord(repository.factory)) },
    {
      says: 'what was seen last',
      part: 'cache',
      text: textOf(
        encodeSeenMetadata({
          timestamp: repository.files.get('metadata/timestamp.json') ?? new Uint8Array(),
          snapshot: repository.newest('snapshot'),
        }),
      ),
    },
  ];
}

function at(channel: number, counter: number): Pick<Floors, 'channelVersions' | 'securityCounters'> {
  return { channelVersions: new Map([['stable', channel]]), securityCounters: new Map([['gateway', counter]]) };
}

/** Bundles, floors, and what must come of them. */
async function decisionVectors(repository: TinyRepository): Promise<readonly DecisionVector[]> {
  const [first = new Uint8Array(), second = new Uint8Array()] = repository.roots();
  const people = repository.signers.get('stable') ?? [];
  const stable = repository.newest('stable');
  const again = (change: Parameters<typeof withPart>[1]): Promise<Uint8Array> =>
    repository.sign('stable', withPart(stable, change));
  const decide = (says: string, change: Parameters<TinyRepository['bundle']>[1] = {}, floors: Partial<Floors> = {}) => {
    const bundle = repository.bundle('1.0.0', change);
    const held = { ...repository.floors, ...at(0, 0), ...floors };
    const verdict = verifyBundle(bundle, repository.device({ floors: held }));
    const outcome = verdict.ok ? { permit: verdict.value } : { code: verdict.code };
    return { says, floors: textOf(encodeFloors(held)), bundle: textOf(bundle), ...outcome };
  };
  const { evidence } = accepted(parseBootBundle(repository.bundle('1.0.0')));
  const [, hub] = repository.releases.get('1.0.0')?.components ?? [];
  const pinnedSecond = { root: { version: 2, sha256: sha256Hex(second) } };
  return [
    decide('a bundle that permits its image'),
    decide('the same at the very floors', {}, { ...at(1, 5), ...pinnedSecond }),
    decide('a chain that begins at the pinned root', { roots: [second] }, pinnedSecond),
    decide('a chain without the pinned root', { roots: [first] }, pinnedSecond),
    decide('a channel below its floor', {}, at(2, 0)),
    decide('a counter below its floor', {}, at(0, 6)),
    decide('a counter that jumps', { channel: await jumped(repository) }),
    decide('one signature of two', { channel: await repository.sign('stable', signedOf(stable), people.slice(0, 1)) }),
    decide('another role', { channel: await again({ role: 'beta' }) }),
    decide('another product', { channel: await again({ product: 'other' }) }),
    decide('a revoked image', {
      channel: await again({ revokedDigests: [sha256Hex(repository.releases.get('1.0.0')?.image ?? first)] }),
    }),
    decide('evidence that the channel does not name', {
      evidence: [{ component: 'gateway', provenance: encodeUtf8('{}') }, ...evidence.slice(1)],
    }),
    decide('evidence in another order than that of installation', { evidence: evidence.toReversed() }),
    decide('evidence of one component of two', { evidence: evidence.slice(0, 1) }),
    decide('a revoked image of the second component', {
      channel: await again({ revokedDigests: [sha256Hex(hub?.image ?? first)] }),
    }),
    decide('a counter of the second component below its floor', {}, { securityCounters: new Map([['hub', 2]]) }),
  ];
}

/** The channel of a release whose counter lies one above what a device may take at once. */
async function jumped(repository: TinyRepository): Promise<Uint8Array> {
  const securityCounter = COUNTER_JUMP_MAX + 1;
  return (await makeTinyRepository({ parts: [HUB], first: { securityCounter } })).newest(
    repository.factory.channelName,
  );
}

function textOf(bytes: Uint8Array): string {
  const text = parseUtf8(bytes);
  if (text === undefined) throw new Error('no text');
  return text;
}

/** Every vector file by its name. */
export async function vectorFiles(): Promise<ReadonlyMap<string, string>> {
  const repository = await makeTinyRepository({ parts: [HUB], first: { securityCounter: 5 } });
  await repository.publishRoot();
  return new Map([
    ['records.json', lines(recordVectors())],
    ['parts.json', lines(textVectors(repository))],
    ['decisions.json', lines(await decisionVectors(repository))],
  ]);
}

/** A JSON list with one item a line, so that a change shows in one line. */
function lines(items: readonly unknown[]): string {
  return `[\n${items.map((item) => jsonOf(item)).join(',\n')}\n]\n`;
}

/** `value` in JSON; a map is an object there. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown): unknown =>
    member instanceof Map ? Object.fromEntries<unknown>(member) : member,
  );
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(VECTORS, { recursive: true });
  for (const [name, content] of await vectorFiles()) writeFileSync(`${VECTORS}${name}`, content);
}
