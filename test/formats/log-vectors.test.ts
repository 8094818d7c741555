/** The vectors of the log: what is logged is proven, each fault is refused with its code, and both are on file. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeUtf8, equalBytes, parseUtf8 } from '../../formats/bytes.ts';
import { encodeLogLeaf } from '../../formats/log-leaf.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import { verifyLogged } from '../../bootloader-verifier/boot/verify-log.ts';
import { EXAMPLE_LEAF, exampleProof, refusedProofs, VECTOR_POLICY, vectorFiles, VECTORS } from './log-vectors.ts';

test('the files of the log are written by the encoders, byte for byte, and nothing else stands beside them', async () => {
  const made = await vectorFiles();
  expect(readdirSync(VECTORS).sort()).toEqual([...made.keys()].sort());
  for (const [name, content] of made) {
    const bytes = typeof content === 'string' ? encodeUtf8(content) : content;
    expect(equalBytes(readFileSync(`${VECTORS}${name}`), bytes), name).toBe(true);
  }
});

test('the example is accepted, and each fault beside it is refused with its code', async () => {
  const judge = (proof: Uint8Array): ReturnType<typeof verifyLogged> =>
    verifyLogged(VECTOR_POLICY, { leaf: EXAMPLE_LEAF, proof }, checkSignaturePortable);
  expect(judge(await exampleProof()).ok).toBe(true);
  for (const { says, code, proof } of await refusedProofs()) {
    expect(judge(proof), says).toMatchObject({ ok: false, code });
  }
});

test('the document shows the proof of the example, byte for byte, and an entry as it is written', async () => {
  const document = readFileSync(new URL('../../docs/formats/log.md', import.meta.url), 'utf8');
  expect(document).toContain(`\n${parseUtf8(await exampleProof()) ?? ''}`);
  expect(document).toContain(`\n${parseUtf8(encodeLogLeaf({ ...EXAMPLE_LEAF })) ?? ''}\n`);
});
