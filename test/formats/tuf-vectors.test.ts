/** The vectors of the TUF profile: what is published is accepted, each fault is refused with its code, and both are on file. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { equalBytes, encodeUtf8 } from '../../formats/bytes.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { verifyThreshold } from '../../formats/verify-signatures.ts';
import { verifyBinding } from '../../formats/binding.ts';
import { accepted } from '../accepted.ts';
import { SAMPLE_FILES, SAMPLE_ID, type SampleName } from './sample-repository.ts';
import { REFUSALS } from './tuf-refusals.ts';
import { PARSERS, typeOf, vectorFiles, VECTORS } from './tuf-vectors.ts';

test('the files of the document are written by the encoders, byte for byte, and nothing else stands beside them', () => {
  const made = vectorFiles();
  expect(readdirSync(VECTORS).sort()).toEqual([...made.keys()].sort());
  for (const [name, content] of made) {
    const bytes = typeof content === 'string' ? encodeUtf8(content) : content;
    expect(equalBytes(readFileSync(`${VECTORS}${name}`), bytes), name).toBe(true);
  }
});

test('every published file is accepted, carries the quorum of its role and names this repository and role', () => {
  const root = accepted(parseRoot(SAMPLE_FILES['1.root.json'])).signed;
  const { delegations } = accepted(parseTargets(SAMPLE_FILES['1.targets.json'])).signed;
  const stable = delegations?.roles[0];
  for (const name of Object.keys(SAMPLE_FILES) as SampleName[]) {
    const metadata = accepted(PARSERS[typeOf(name)](SAMPLE_FILES[name]));
    const role = name === '1.stable.json' ? 'stable' : typeOf(name);
    const keys = role === 'stable' ? delegations?.keys : root.keys;
    const demanded = role === 'stable' ? stable : root.roles[role];
    const { keyids = [], threshold = 65 } = demanded ?? {};
    const quorum = { name: role, keys: keys ?? new Map(), keyids, threshold };
    expect(verifyThreshold(metadata, quorum, checkSignaturePortable), name).toEqual({ ok: true, value: threshold });
    const expected = { repository: SAMPLE_ID, role, isRootOne: name === '1.root.json' };
    expect(verifyBinding(metadata.signed.firmament, expected).ok, name).toBe(true);
  }
});

test.each(REFUSALS)('no client reads $says', ({ type, file, code }) => {
  expect(PARSERS[type](file)).toMatchObject({ ok: false, code });
});

test('a refusal is of the fault alone: every sentence stands once, and no file is an accepted one', () => {
  expect(new Set(REFUSALS.map(({ says }) => says)).size).toBe(REFUSALS.length);
  const files = Object.values(SAMPLE_FILES);
  for (const { says, file } of REFUSALS)
    expect(
      files.some((good) => equalBytes(good, file)),
      says,
    ).toBe(false);
});

test('the document shows the published timestamp, byte for byte', () => {
  const document = readFileSync(new URL('../../docs/formats/tuf.md', import.meta.url), 'utf8');
  expect(document).toContain(`\n${new TextDecoder().decode(SAMPLE_FILES['timestamp.json'])}\n`);
});
