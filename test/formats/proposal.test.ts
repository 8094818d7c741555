/** Proposals and what becomes of them: what is read, what is refused, and where their files may lie. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { parseProposalAnswer } from '../../formats/proposal-answer.ts';
import { encodeProposal, parseProposal, PROPOSAL_BYTES_MAX } from '../../formats/proposal.ts';
import {
  encodeStoredProposal,
  incomingFiles,
  KEPT_CLAIMS,
  parseStoredProposal,
} from '../../formats/stored-proposal.ts';
import { isObjectName } from '../../ota-server/object-name.ts';
import { AT_LIMITS, PROPOSAL_REFUSALS } from './proposal-refusals.ts';
import { PROPOSAL_VECTORS, proposalVectorFiles } from './proposal-vectors.ts';
import { SAMPLE_PROPOSAL, SAMPLE_STORED } from './sample-proposal.ts';

test('the vectors are written by the encoders, byte for byte, and nothing else stands beside them', () => {
  const made = proposalVectorFiles();
  expect(readdirSync(PROPOSAL_VECTORS).sort()).toEqual([...made.keys()].sort());
  for (const [name, text] of made) expect(readFileSync(`${PROPOSAL_VECTORS}${name}`, 'utf8'), name).toBe(text);
});

test('the document shows the proposal, byte for byte', () => {
  const document = readFileSync(new URL('../../docs/formats/proposal.md', import.meta.url), 'utf8');
  expect(document).toContain(`\n${new TextDecoder().decode(encodeProposal(SAMPLE_PROPOSAL))}\n`);
});

test.each(AT_LIMITS)('a proposal with $says is read', ({ text }) => {
  expect(parseProposal(encodeUtf8(text))).toMatchObject({ ok: true });
});

test.each(PROPOSAL_REFUSALS)('a proposal with $says is refused', ({ text }) => {
  expect(parseProposal(encodeUtf8(text))).toMatchObject({ ok: false, code: 'PROPOSAL_MALFORMED' });
});

test('a proposal of the longest text is read, one byte more is not', () => {
  const text = new TextDecoder().decode(encodeProposal(SAMPLE_PROPOSAL));
  expect(parseProposal(encodeUtf8(text.padEnd(PROPOSAL_BYTES_MAX)))).toMatchObject({ ok: true });
  expect(parseProposal(encodeUtf8(text.padEnd(PROPOSAL_BYTES_MAX + 1)))).toMatchObject({ code: 'PROPOSAL_MALFORMED' });
});

test('every file has a place of its own below its proposal, and none can be taken for a published object', () => {
  const files = incomingFiles(SAMPLE_STORED.id, SAMPLE_PROPOSAL);
  expect(files.map(({ name }) => name)).toEqual(
    [
      'radio/radio.bin',
      'radio/provenance.json',
      'gateway/gateway.js',
      'gateway/provenance.json',
      'gateway/sbom.json',
    ].map((file) => `incoming/gateway/${SAMPLE_STORED.id}/${file}`),
  );
  // A file may be called like an object of a repository; without the ban on two names of products it would be one.
  const hashed = `${'a'.repeat(64)}.js`;
  expect(isObjectName(`incoming/targets/${SAMPLE_STORED.id}/gateway/${hashed}`)).toBe(true);
  for (const { name } of files) expect(isObjectName(name.replace(/[^/]+$/, hashed))).toBe(false);
});

test('of claims only those of the list are kept, and each of them is', () => {
  const claims = new Map(KEPT_CLAIMS.map((name) => [name, `value of ${name}`]));
  const stored = { ...SAMPLE_STORED, proposedBy: { ...SAMPLE_STORED.proposedBy, claims } };
  expect(parseStoredProposal(encodeStoredProposal(stored))).toEqual({ ok: true, value: stored });
  const more = { ...stored, proposedBy: { ...stored.proposedBy, claims: new Map([...claims, ['email', 'x']]) } };
  expect(parseStoredProposal(encodeStoredProposal(more))).toMatchObject({ code: 'PROPOSAL_MALFORMED' });
});

test.each([
  ['an address with a space', '"url":"https://a b"'],
  ['a field whose name could end a line', '"fields":{"a\\r\\nb":"c"}'],
  ['a field whose value could end a line', '"fields":{"a":"b\\r\\nc"}'],
])('an answer with %s is refused', (_, member) => {
  const good = '"url":"https://a","fields":{}';
  const changed = good.replace(member.startsWith('"url') ? '"url":"https://a"' : '"fields":{}', member);
  const text = (members: string): Uint8Array =>
    encodeUtf8(
      `{"version":1,"id":"${SAMPLE_STORED.id}","uploadsUntil":"2026-11-22T13:00:00Z","uploads":[{"component":"a","file":"b",${members}}]}`,
    );
  expect(parseProposalAnswer(text(good))).toMatchObject({ ok: true });
  expect(parseProposalAnswer(text(changed))).toMatchObject({ code: 'PROPOSAL_MALFORMED' });
});
