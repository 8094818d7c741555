/** What a device says of itself: bounded, printable, and nothing beside its members. */
import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { DEVICE_STATE_BYTES_MAX, encodeDeviceState, parseDeviceState } from '../../formats/device-state.ts';
import { accepted } from '../accepted.ts';
import { sampleState } from '../ota-server/sample-state.ts';

const VECTORS = new URL('../vectors/device-state/', import.meta.url);
const vector = (name: string): string => readFileSync(new URL(name, VECTORS), 'utf8');
type Refused = { readonly says: string; readonly text: string };

test('the vectors are what the encoder writes, and the document shows them', () => {
  expect(readdirSync(VECTORS).sort()).toEqual(['refused.json', 'state.json']);
  expect(encodeUtf8(vector('state.json'))).toEqual(encodeDeviceState(sampleState(1)));
  expect(accepted(parseDeviceState(encodeUtf8(vector('state.json'))))).toEqual(sampleState(1));
  const document = readFileSync(new URL('../../docs/formats/device-state.md', import.meta.url), 'utf8');
  const example = /```json\n(.*?)```/s.exec(document)?.[1] ?? '';
  expect(JSON.parse(example)).toEqual(JSON.parse(vector('state.json')));
});

test.each((JSON.parse(vector('refused.json')) as readonly Refused[]).map(({ says, text }) => [says, text] as const))(
  '%s is refused',
  (_, text) => {
    expect(parseDeviceState(encodeUtf8(text))).toMatchObject({ ok: false, code: 'DEVICE_STATE_MALFORMED' });
  },
);

test('a state without identity and refusal is whole; a name is as long as it may be and no longer', () => {
  const bare = { ...sampleState(1), identity: undefined, identityExpires: undefined, code: undefined };
  expect(accepted(parseDeviceState(encodeDeviceState(bare)))).toEqual(bare);
  const named = (length: number): boolean =>
    parseDeviceState(encodeDeviceState({ ...bare, name: 'x'.repeat(length) })).ok;
  expect([named(64), named(65), named(0)]).toEqual([true, false, false]);
  const padded = encodeUtf8(' '.repeat(DEVICE_STATE_BYTES_MAX) + vector('state.json'));
  expect(parseDeviceState(padded)).toMatchObject({ code: 'DEVICE_STATE_MALFORMED' });
});
