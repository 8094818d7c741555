/** What root may demand beyond TUF, and what is kept for later: devices, key holders' tools and drafts read it as its document says. */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { verifyLogged } from '../../bootloader-verifier/boot/verify-log.ts';
import { verifyNextRoot, verifyPinnedRoot, verifyRootChain } from '../../bootloader-verifier/boot/verify-root.ts';
import { describeDraft } from '../../cli/describe-draft.ts';
import { encodeUtf8, parseUtf8 } from '../../formats/bytes.ts';
import { parseLogLeaf } from '../../formats/log-leaf.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { encodeSignedNote, parseSignedNote, type NoteSignature } from '../../formats/signed-note.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import { encodeMetadata } from '../../formats/tuf-metadata.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import { parseTimestamp, timestampToJson } from '../../formats/tuf-snapshot.ts';
import { draftNextRoot } from '../../signer/draft-root.ts';
import { checkSignature } from '../../signer/signature-check-node.ts';
import { accepted } from '../accepted.ts';
import type { TinyRepository } from '../tiny-repository.ts';
import {
  isByMlDsa,
  ML_DSA_NAMES,
  nextRoots,
  RESERVED_ENTRIES,
  vectorFiles,
  vectorRepository,
  VECTORS,
  WITNESSED_LEAF,
  witnessPolicy,
  witnessVectors,
  type RootVector,
} from './root-vectors.ts';
import { SAMPLE_FILES } from './sample-repository.ts';

/** Signatures of FIPS 204, table 2. */
const ML_DSA_44_BYTES = 2_420;
const ML_DSA_87_BYTES = 4_627;

let repository: TinyRepository;
let roots: readonly RootVector[];
beforeAll(async () => {
  repository = await vectorRepository();
  roots = await nextRoots(repository);
});

/** `text` without the signatures of ML-DSA, the only ones beyond 128 digits: they carry randomness. */
function withoutMlDsa(text: string): string {
  return text.replace(/\\"sig\\":\\"[0-9a-f]{129,}\\"/g, '…');
}

test('the files are written by the encoders, byte for byte but for the randomness of ML-DSA, and nothing stands beside them', async () => {
  const made = await vectorFiles();
  expect(readdirSync(VECTORS).sort()).toEqual([...made.keys()].sort());
  for (const [name, content] of made) {
    const text = typeof content === 'string' ? content : (parseUtf8(content) ?? '');
    expect(withoutMlDsa(readFileSync(`${VECTORS}${name}`, 'utf8')) === withoutMlDsa(text), name).toBe(true);
  }
});

test('the post-quantum signatures on file are genuine: a version that checks pairs finds them whole where they are said to be', () => {
  const stored = JSON.parse(readFileSync(`${VECTORS}next.json`, 'utf8')) as readonly { says: string; text: string }[];
  let found = 0;
  for (const { says, text } of stored) {
    const { signedBytes, signatures } = accepted(parseRoot(encodeUtf8(text)));
    for (const { sig } of signatures.filter((each) => each.sig !== undefined && each.sig.length > 64)) {
      const by = ML_DSA_NAMES.filter((name) => isByMlDsa(name, signedBytes, sig ?? new Uint8Array()));
      expect(by, says).toHaveLength(1);
      found++;
    }
  }
  expect(found).toBe(18);
});

test.each([
  ['any engine', checkSignaturePortable],
  ['Node', checkSignature],
])('a device on %s takes the next root, or refuses it, as the vectors say', (_, check) => {
  const rootOne = accepted(verifyPinnedRoot(repository.factory.root, repository.id.rootOneSha256));
  for (const { says, code, root } of roots) {
    const verdict = verifyNextRoot(rootOne, root, check);
    expect(verdict.ok ? undefined : verdict.code, says).toBe(code);
    const pinned = { version: 1, sha256: repository.id.rootOneSha256 };
    expect(verifyRootChain([repository.factory.root, root], pinned, check).ok, says).toBe(code === undefined);
  }
});

test('a root that demands what this version does not check is refused where it is pinned, drafted upon or shown to be signed, too', () => {
  for (const { says, code, root } of roots.filter((each) =>
    ['PAIR_MISSING', 'ROOT_PART_MALFORMED'].includes(each.code ?? ''),
  )) {
    expect(verifyPinnedRoot(root, sha256Hex(root)), says).toMatchObject({ ok: false, code });
    expect(draftNextRoot({ former: root, quorums: {}, now: repository.now }), says).toMatchObject({ ok: false, code });
    expect(describeDraft(root, 'root'), says).toMatchObject({ ok: false, code });
  }
});

test('a quorum of witnesses counts administrations, and each proof is judged as the vectors say', async () => {
  for (const { says, code, quorum, proof } of await witnessVectors()) {
    const asked = { leaf: WITNESSED_LEAF, proof };
    const verdict = verifyLogged(witnessPolicy(quorum), asked, checkSignaturePortable);
    expect(verdict.ok ? undefined : verdict.code, says).toBe(code);
  }
});

test('an entry of a type that is kept for later is refused, whatever else it says', () => {
  for (const entry of RESERVED_ENTRIES) {
    expect(parseLogLeaf(entry), parseUtf8(entry)).toMatchObject({ ok: false, code: 'LOG_LEAF_MALFORMED' });
  }
});

test('there is room for post-quantum signatures where limits are least: in a timestamp, and in a checkpoint with all its witnesses', () => {
  const { signed, signatures } = accepted(parseTimestamp(SAMPLE_FILES['timestamp.json']));
  const sig = new Uint8Array(ML_DSA_87_BYTES);
  const own = signatures.flatMap((entry) => (entry.sig === undefined ? [] : [{ keyid: entry.keyid, sig: entry.sig }]));
  const file = encodeMetadata(timestampToJson(signed), [...own, { keyid: 'ab'.repeat(32), sig }]);
  expect(accepted(parseTimestamp(file)).signatures).toHaveLength(2);
  const line = (bytes: number): NoteSignature => {
    return { name: 'w'.repeat(255), keyId: new Uint8Array(4), signature: new Uint8Array(bytes) };
  };
  const lines = [
    ...Array.from({ length: 16 }, () => line(72)),
    ...Array.from({ length: 16 }, () => line(8 + ML_DSA_44_BYTES)),
  ];
  const note = encodeSignedNote({ text: `${'o'.repeat(255)}\n1\nx\n`, signatures: lines });
  expect(accepted(parseSignedNote(note)).signatures).toHaveLength(32);
});
