/** The vectors of what lies on flash: written by the encoders byte for byte, and read back from the files alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeBootState, parseBootState } from '../../formats/boot-state.ts';
import { encodeHex, encodeUtf8, parseHex, parseUtf8 } from '../../formats/bytes.ts';
import { encodeFactoryRecord, parseFactoryRecord } from '../../formats/factory-record.ts';
import { encodeRecord, parseRecord } from '../../formats/flash-record.ts';
import { encodeFloors, parseFloors } from '../../formats/floors.ts';
import { encodeSeenMetadata, parseSeenMetadata } from '../../formats/seen-metadata.ts';
import { FLASH_LAYOUT, MAY_WRITE, REGIONS } from '../../bootloader-verifier/boot/flash.ts';
import { verifyBundle } from '../../bootloader-verifier/boot/verify-bundle.ts';
import { accepted } from '../accepted.ts';
import { rememberingCheck } from '../tiny-device.ts';
import {
  jsonOf,
  VECTORS,
  vectorFiles,
  type DecisionVector,
  type RecordVector,
  type TextVector,
} from './flash-vectors.ts';

function read<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(`${VECTORS}${name}`, 'utf8')) as readonly T[];
}

const DOCUMENT = readFileSync(new URL('../../docs/formats/flash.md', import.meta.url), 'utf8');
const PARTS = read<TextVector>('parts.json');

test('the files are what the encoders write, byte for byte, and nothing else stands beside them', async () => {
  const made = await vectorFiles();
  expect(readdirSync(VECTORS).sort()).toEqual([...made.keys()].sort());
  for (const [name, content] of made) expect(readFileSync(`${VECTORS}${name}`, 'utf8'), name).toBe(content);
});

test.each(read<RecordVector>('records.json'))('record: $says', ({ bytes, sequence, payload }) => {
  const record = parseRecord(parseHex(bytes) ?? new Uint8Array());
  if (sequence === undefined || payload === undefined) {
    expect(record).toBeUndefined();
    return;
  }
  expect(record).toEqual({ sequence, payload: parseHex(payload) });
  expect(bytes.startsWith(encodeHex(encodeRecord(record ?? expect.unreachable())))).toBe(true);
});

test.each(PARTS)('part: $says', ({ part, text }) => {
  const bytes = encodeUtf8(text);
  const encoders = {
    'boot-state': () => encodeBootState(accepted(parseBootState(bytes))),
    floors: () => encodeFloors(accepted(parseFloors(bytes))),
    factory: () => encodeFactoryRecord(accepted(parseFactoryRecord(bytes))),
    cache: () => encodeSeenMetadata(parseSeenMetadata(bytes) ?? expect.unreachable()),
  };
  expect(parseUtf8(encoders[part]())).toBe(text);
});

test.each(read<DecisionVector>('decisions.json'))('decision: $says', ({ floors, bundle, permit, code }) => {
  const record = PARTS.find(({ part }) => part === 'factory')?.text ?? '';
  const device = {
    factory: accepted(parseFactoryRecord(encodeUtf8(record))),
    floors: accepted(parseFloors(encodeUtf8(floors))),
    check: rememberingCheck(),
  };
  const verdict = verifyBundle(encodeUtf8(bundle), device);
  const decided: unknown = JSON.parse(jsonOf(verdict.ok ? { permit: verdict.value } : { code: verdict.code }));
  expect(decided).toEqual(code === undefined ? { permit } : { code });
});

test('the document shows a record and the parts, byte for byte, and the layout as it is', () => {
  const record = read<RecordVector>('records.json').find(({ says }) => says === 'a short payload')?.bytes ?? '';
  expect(DOCUMENT.replace(/ {2}.*$|\s/gm, '')).toContain(record);
  for (const { says, text } of PARTS.filter(({ part }) => part === 'boot-state' || part === 'floors')) {
    expect(DOCUMENT, says).toContain(`\n${text}\n`);
  }
  const writers = { factory: 'the factory', 'boot-stage': 'the boot stage', system: 'the system' } as const;
  for (const region of REGIONS) {
    const by = (['factory', 'boot-stage', 'system'] as const).filter((rights) => MAY_WRITE[rights].includes(region));
    const size = FLASH_LAYOUT[region].toLocaleString('en-US');
    expect(DOCUMENT).toContain(`| \`${region}\` | ${size} | ${by.map((rights) => writers[rights]).join(', ')} |`);
  }
});
