/** Signing events and withdrawals: as the document says, or refused; each limit at its maximum and one above. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { equalBytes } from '../../formats/bytes.ts';
import { parsePeople } from '../../formats/people.ts';
import {
  encodeSigningEvent,
  EVIDENCE_MAX,
  HISTORY_BYTES_MAX,
  NOTES_LENGTH_MAX,
  parseSigningEvent,
  WITHDRAWALS_MAX,
  type SigningEvent,
} from '../../formats/signing-event.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { verifyWithdrawals } from '../../signer/verify-withdrawal.ts';
import { accepted } from '../accepted.ts';
import { SAMPLE_ID, SAMPLE_SIGNERS } from './sample-repository.ts';
import {
  REFUSED_EVENTS,
  SAMPLE_EVENT,
  SAMPLE_PEOPLE,
  SAMPLE_WITHDRAWAL,
  SIGNING_VECTORS,
  signingVectors,
} from './signing-vectors.ts';

test('the files of the document are written by the encoders, byte for byte, and nothing else stands beside them', () => {
  const made = signingVectors();
  expect(readdirSync(SIGNING_VECTORS).sort()).toEqual([...made.keys()].sort());
  for (const [name, bytes] of made)
    expect(equalBytes(readFileSync(`${SIGNING_VECTORS}${name}`), bytes), name).toBe(true);
});

test('the event of the document is read as it was written, and its withdrawal holds for its very content', () => {
  expect(parseSigningEvent(encodeSigningEvent(SAMPLE_EVENT))).toEqual({ ok: true, value: SAMPLE_EVENT });
  expect(parsePeople(SAMPLE_PEOPLE)).toMatchObject({ ok: true });
  const keys = SAMPLE_SIGNERS.stable.map((signer) => signer.key);
  const of = { repository: SAMPLE_ID, role: 'stable', keys };
  expect(verifyWithdrawals(SAMPLE_EVENT.withdrawn, of)).toEqual([SAMPLE_WITHDRAWAL]);
  expect(accepted(parseTargets(SAMPLE_EVENT.metadata)).signed.version).toBe(2);
});

test.each(REFUSED_EVENTS)('no tool reads $says', ({ file }) => {
  expect(parseSigningEvent(file)).toMatchObject({ ok: false, code: 'EVENT_MALFORMED' });
});

test('an event is read with the history that its channel names, and the one before', () => {
  for (const former of [undefined, new Uint8Array([2])]) {
    const event = { ...SAMPLE_EVENT, history: { metadata: new Uint8Array([1]), former } };
    expect(parseSigningEvent(encodeSigningEvent(event))).toEqual({ ok: true, value: event });
  }
  const history = (bytes: number): SigningEvent => ({
    ...SAMPLE_EVENT,
    history: { metadata: new Uint8Array(bytes), former: undefined },
  });
  expect(parseSigningEvent(encodeSigningEvent(history(HISTORY_BYTES_MAX))).ok).toBe(true);
  expect(parseSigningEvent(encodeSigningEvent(history(HISTORY_BYTES_MAX + 1)))).toMatchObject({ ok: false });
});

test('evidence, withdrawals and notes have their limits', () => {
  const some = (count: number): readonly Uint8Array[] => Array.from({ length: count }, () => new Uint8Array([1]));
  const read = (change: Partial<SigningEvent>): ReturnType<typeof parseSigningEvent> =>
    parseSigningEvent(encodeSigningEvent({ ...SAMPLE_EVENT, ...change }));
  const refused = { ok: false, code: 'EVENT_MALFORMED' };
  expect(read({ evidence: some(EVIDENCE_MAX) }).ok).toBe(true);
  expect(read({ evidence: some(EVIDENCE_MAX + 1) })).toMatchObject(refused);
  expect(read({ withdrawn: some(WITHDRAWALS_MAX) }).ok).toBe(true);
  expect(read({ withdrawn: some(WITHDRAWALS_MAX + 1) })).toMatchObject(refused);
  expect(read({ notes: 'n'.repeat(NOTES_LENGTH_MAX) }).ok).toBe(true);
  expect(read({ notes: 'n'.repeat(NOTES_LENGTH_MAX + 1) })).toMatchObject(refused);
});
