/**
 * The vectors of `docs/formats/root.md`: what a root may demand beyond TUF, judged by a version that checks witnesses and no pairs.
 *
 * - `node cli/node24.js test/formats/root-vectors.ts --write` writes them; a test holds the files equal, byte for byte but for the
 *   signatures of ML-DSA: those carry randomness, and are checked.
 */
import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bindingToJson } from '../../formats/binding.ts';
import { parseUtf8 } from '../../formats/bytes.ts';
import { encodeCanonicalJson } from '../../formats/canonical-json.ts';
import type { Code } from '../../formats/codes.ts';
import { isJsonObject, type JsonValue } from '../../formats/json.ts';
import { encodeLogLeaf, type LogLeaf } from '../../formats/log-leaf.ts';
import { encodeLogProof } from '../../formats/log-proof.ts';
import { inclusionProof } from '../../formats/log-tree.ts';
import { rootPartToJson, type LogPolicy, type Witness } from '../../formats/root-part.ts';
import type { PublicKey } from '../../formats/signature-check.ts';
import { encodeSignedNote, parseSignedNote } from '../../formats/signed-note.ts';
import { encodeMetadata } from '../../formats/tuf-metadata.ts';
import { keyIdOf, keyToJson } from '../../formats/tuf-key.ts';
import type { Signer } from '../../signer/signer.ts';
import { accepted } from '../accepted.ts';
import { LOGGED } from '../logged-repository.ts';
import { seededSigner } from '../seeded-signer.ts';
import { LOG_POLICY, logOf, signedCheckpoint, type SignedBy } from '../tiny-log.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../tiny-repository.ts';

/** Where the vectors stand. */
export const VECTORS: string = fileURLToPath(new URL('../vectors/root/', import.meta.url));

/** The code of a refusal; undefined for what is accepted. */
export type RootVector = { readonly says: string; readonly code: Code | undefined; readonly root: Uint8Array };
export type WitnessVector = {
  readonly says: string;
  readonly code: Code | undefined;
  readonly quorum: number;
  readonly proof: Uint8Array;
};

type MlDsa = 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87';
/** RFC 9881: what stands before the 32-byte seed in PKCS#8; the last byte of the object identifier says which of the three it is. */
const PKCS8_HEADS: Readonly<Record<MlDsa, string>> = {
  'ml-dsa-44': '3034020100300b060960864801650304031104228020',
  'ml-dsa-65': '3034020100300b060960864801650304031204228020',
  'ml-dsa-87': '3034020100300b060960864801650304031304228020',
};
const SPKI_HEAD_BYTES = 22;

function mlDsaKey(name: string, scheme: MlDsa): KeyObject {
  const seed = createHash('sha256').update(`firmament test key ${name}`).digest();
  return createPrivateKey({
    key: Buffer.concat([Buffer.from(PKCS8_HEADS[scheme], 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
}

/** The post-quantum signer of `name`: not a signer of ours, for no check of ours knows its keys. */
function mlDsaSigner(name: string, scheme: MlDsa = 'ml-dsa-44'): Signer {
  const privateKey = mlDsaKey(name, scheme);
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const key: PublicKey = { keytype: 'ml-dsa', scheme, public: spki.subarray(SPKI_HEAD_BYTES).toString('hex') };
  return {
    key,
    keyid: keyIdOf(key),
    sign: (message) => Promise.resolve(Uint8Array.from(sign(undefined, message, privateKey))),
  };
}

/** Whether `signature` is the one of ML-DSA by `name` over `message`. */
export function isByMlDsa(name: string, message: Uint8Array, signature: Uint8Array): boolean {
  return (['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'] as const).some((scheme) =>
    verify(undefined, message, createPublicKey(mlDsaKey(name, scheme)), signature),
  );
}

/** The names of the post-quantum keys: those of the first two holders of root. */
export const ML_DSA_NAMES = ['vector root 1, ML-DSA', 'vector root 2, ML-DSA'] as const;
const [pqOne, pqTwo] = ML_DSA_NAMES.map((name) => mlDsaSigner(name)) as [Signer, Signer];

/** The repository whose second root the vectors are; its first demands a log without witnesses. */
export function vectorRepository(): Promise<TinyRepository> {
  return makeTinyRepository({ log: LOGGED, seed: 'vector' });
}

type Draft = {
  /** Members beside the binding. */
  readonly firmament?: readonly (readonly [string, JsonValue])[];
  /** Keys that root lists beside those that it has, and whether its own role does so, too. */
  readonly keys?: readonly Signer[];
  readonly inRole?: boolean;
  readonly signers?: readonly Signer[];
};

/** The second root, as `draft` changes it. */
async function secondRoot(repository: TinyRepository, draft: Draft): Promise<Uint8Array> {
  const { firmament = logMembers(LOG_POLICY), keys = [], inRole = false } = draft;
  const signed = signedOf(repository.factory.root);
  const objectAt = (of: ReadonlyMap<string, JsonValue>, name: string): Map<string, JsonValue> => {
    const value = of.get(name);
    return new Map(isJsonObject(value) ? value : []);
  };
  const roles = objectAt(signed, 'roles');
  const role = objectAt(roles, 'root');
  const keyids = [...(role.get('keyids') as readonly string[]), ...(inRole ? keys.map(({ keyid }) => keyid) : [])];
  signed
    .set('version', 2)
    .set('firmament', bindingToJson({ ...repository.id, role: 'root' }, firmament))
    .set(
      'keys',
      new Map([...objectAt(signed, 'keys'), ...keys.map(({ keyid, key }) => [keyid, keyToJson(key)] as const)]),
    )
    .set('roles', roles.set('root', role.set('keyids', keyids)));
  const message = encodeCanonicalJson(signed);
  const signers = draft.signers ?? (repository.signers.get('root') ?? []).slice(0, 2);
  const signatures = await Promise.all(signers.map(async ({ keyid, sign: by }) => ({ keyid, sig: await by(message) })));
  return encodeMetadata(signed, signatures);
}

function logMembers(log: LogPolicy): readonly (readonly [string, JsonValue])[] {
  return rootPartToJson({ log, pairs: [] });
}

function pair(classical: string, postQuantum: string, more: readonly (readonly [string, JsonValue])[] = []): JsonValue {
  return new Map<string, JsonValue>([['classical', classical], ['postQuantum', postQuantum], ...more]);
}

const WITNESSES: readonly Witness[] = Array.from({ length: 17 }, (_, i) => ({
  name: `w${i + 1}.example`,
  key: seededSigner(`w${i + 1}.example`).key,
  // The first two belong together.
  administration: `a${Math.max(i, 1)}`,
}));
const witnessed = (count: number, quorum: number): LogPolicy => ({
  ...LOG_POLICY,
  witnesses: WITNESSES.slice(0, count),
  quorum,
});

type Row = readonly [says: string, code: Code | undefined, draft: Draft];

/** Roots that demand pairs: this version checks none, so what else is right or wrong about them changes nothing. */
function pairRows(repository: TinyRepository): readonly Row[] {
  const [one, two, three] = (repository.signers.get('root') ?? []) as [Signer, Signer, Signer];
  const log = logMembers(LOG_POLICY);
  const pairs = [pair(one.keyid, pqOne.keyid), pair(two.keyid, pqTwo.keyid)];
  const demanding = (signers: readonly Signer[], of: JsonValue = pairs): Draft => {
    return { firmament: [...log, ['pairs', of]], keys: [pqOne, pqTwo], inRole: true, signers };
  };
  const saying = (of: JsonValue): Draft => ({ firmament: [...log, ['pairs', of]] });
  const odd: readonly (readonly [string, JsonValue])[] = [
    ['a text', 'ml-dsa-44'],
    ['null', null],
    ['a pair with a member more', pair(one.keyid, pqOne.keyid, [['threshold', 2]])],
    ['a pair whose post-quantum half is missing', new Map([['classical', one.keyid]])],
    ['a pair of one key with itself', pair(one.keyid, one.keyid)],
    ['a pair of keys that nobody lists', pair('ab'.repeat(32), 'cd'.repeat(32))],
  ];
  return [
    ['two pairs are demanded, and both are whole', 'PAIR_MISSING', demanding([one, pqOne, two, pqTwo])],
    [
      'the same pairs and signatures, in another order',
      'PAIR_MISSING',
      demanding([pqTwo, two, pqOne, one], [...pairs].reverse()),
    ],
    ['of one pair the post-quantum half is missing', 'PAIR_MISSING', demanding([one, two, pqTwo])],
    ['of both pairs the post-quantum half is missing', 'PAIR_MISSING', demanding([one, two])],
    ['of one pair the classical half is missing', 'PAIR_MISSING', demanding([pqOne, two, pqTwo, three])],
    ['one pair is missing, but others sign enough', 'PAIR_MISSING', demanding([two, pqTwo, three])],
    ['only the post-quantum halves are there', 'METADATA_THRESHOLD_UNMET', demanding([pqOne, pqTwo])],
    ...odd.map(([says, value]): Row => [`what is demanded is ${says}`, 'PAIR_MISSING', saying([value])]),
    ['64 demands', 'PAIR_MISSING', saying(Array.from({ length: 64 }, () => null))],
    ['65 demands', 'ROOT_PART_MALFORMED', saying(Array.from({ length: 65 }, () => null))],
    ['demands that are no list', 'ROOT_PART_MALFORMED', saying(pairs[0] ?? null)],
    ['no demand at all, in words', undefined, saying([])],
    ['a demand under another name', 'ROOT_PART_MALFORMED', { firmament: [...log, ['pair', pairs]] }],
  ];
}

/** Post-quantum keys and signatures that nothing demands: there is room for them, and they count for nothing. */
function roomRows(repository: TinyRepository): readonly Row[] {
  const [one, two] = (repository.signers.get('root') ?? []) as [Signer, Signer];
  const schemes = ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'] as const;
  const signed = (scheme: MlDsa, ...by: readonly Signer[]): Draft => {
    const keys = ML_DSA_NAMES.map((name) => mlDsaSigner(name, scheme));
    return { keys, inRole: true, signers: [...by, ...keys] };
  };
  const [small] = schemes;
  return [
    ...schemes.map((scheme): Row => [`two of ${scheme} beside two of Ed25519`, undefined, signed(scheme, one, two)]),
    [`two of ${small} in the place of one of Ed25519`, 'METADATA_THRESHOLD_UNMET', signed(small, one)],
  ];
}

/** Roots that demand witnesses. */
function quorumRows(): readonly Row[] {
  const demanding = (log: LogPolicy): Draft => ({ firmament: logMembers(log) });
  const withMember = (at: 'log' | 'witness'): Draft => {
    const [[name, log] = ['log', null]] = logMembers(witnessed(1, 1));
    const changed = new Map(isJsonObject(log) ? log : []);
    const [witness] = changed.get('witnesses') as readonly ReadonlyMap<string, JsonValue>[];
    if (at === 'log') changed.set('threshold', 1);
    else changed.set('witnesses', [new Map([...(witness ?? []), ['weight', 2]])]);
    return { firmament: [[name, changed]] };
  };
  const quantum = { ...WITNESSES[0], name: 'w1.example', key: pqOne.key, administration: 'a1' };
  return [
    ['a witness and no quorum', undefined, demanding(witnessed(1, 0))],
    ['a quorum of one', undefined, demanding(witnessed(1, 1))],
    ['a quorum of two, of three witnesses in two administrations', undefined, demanding(witnessed(3, 2))],
    ['a quorum of two, of two witnesses in one administration', 'ROOT_PART_MALFORMED', demanding(witnessed(2, 2))],
    ['a quorum that no witness fills', 'ROOT_PART_MALFORMED', demanding(witnessed(0, 1))],
    ['16 witnesses and a quorum of 15 administrations', undefined, demanding(witnessed(16, 15))],
    ['17 witnesses', 'ROOT_PART_MALFORMED', demanding(witnessed(17, 1))],
    ['a quorum below none', 'ROOT_PART_MALFORMED', demanding(witnessed(1, -1))],
    [
      'a witness with a post-quantum key: there is room for it',
      undefined,
      demanding({ ...LOG_POLICY, witnesses: [quantum], quorum: 1 }),
    ],
    ['a log with a member more', 'ROOT_PART_MALFORMED', withMember('log')],
    ['a witness with a member more', 'ROOT_PART_MALFORMED', withMember('witness')],
    ['the log is given up', 'LOG_POLICY_WEAKENED', { firmament: [] }],
  ];
}

/** Second roots, after the first of `repository`. */
export function nextRoots(repository: TinyRepository): Promise<readonly RootVector[]> {
  const rows = [...pairRows(repository), ...roomRows(repository), ...quorumRows()];
  return Promise.all(
    rows.map(async ([says, code, draft]) => ({ says, code, root: await secondRoot(repository, draft) })),
  );
}

/** The entry of the witnessed vectors, and the keys of their log. */
export const WITNESSED_LEAF: LogLeaf = {
  ...{ type: 'root', product: 'gateway', root: 'ab'.repeat(32), version: 2 },
  sha256: 'cd'.repeat(32),
};
/** Three witnesses of two administrations, `quorum` of which must have cosigned. */
export function witnessPolicy(quorum: number): LogPolicy {
  return witnessed(3, quorum);
}

/** Proofs of the entry, under each quorum. */
export async function witnessVectors(): Promise<readonly WitnessVector[]> {
  const log = logOf([WITNESSED_LEAF], 4);
  const proofOf = (checkpoint: Uint8Array): Uint8Array =>
    encodeLogProof({ index: 4, hashes: inclusionProof(log.tiles, 4, log.head.size) ?? [], checkpoint });
  const by = async (of: SignedBy): Promise<Uint8Array> => proofOf(await signedCheckpoint(log, of));
  type Judged = readonly [quorum: number, code?: Code];
  const row = (says: string, [quorum, code]: Judged, proof: Uint8Array): WitnessVector => ({
    says,
    quorum,
    code,
    proof,
  });
  const witnesses = ['w1.example', 'w3.example'];
  const note = accepted(parseSignedNote(await signedCheckpoint(log, { witnesses })));
  const altered = note.signatures.map((line, i) =>
    i === 1 ? { ...line, signature: line.signature.map((byte) => byte ^ 1) } : line,
  );
  /** A cosignature of ML-DSA-44 has a time before its 2,420 bytes; no key that root lists has its id. */
  const quantum = { name: 'w9.example', keyId: Uint8Array.of(9, 9, 9, 9), signature: new Uint8Array(8 + 2_420) };
  const full = { ...note, signatures: [...note.signatures, ...Array.from({ length: 16 }, () => quantum)] };
  return [
    row('no quorum and no cosignature', [0], await by({})),
    row('no quorum, one cosignature', [0], await by({ witnesses: ['w1.example'] })),
    row('a quorum of one, no cosignature', [1, 'WITNESS_QUORUM_UNMET'], await by({})),
    row('a quorum of one, one cosignature', [1], await by({ witnesses: ['w2.example'] })),
    row(
      'a quorum of one, a cosignature of nobody that root lists',
      [1, 'WITNESS_QUORUM_UNMET'],
      await by({ witnesses: ['w4.example'] }),
    ),
    row('a quorum of two, two administrations', [2], await by({ witnesses })),
    row(
      'a quorum of two, two witnesses of one administration',
      [2, 'WITNESS_QUORUM_UNMET'],
      await by({ witnesses: ['w1.example', 'w2.example'] }),
    ),
    row(
      'a quorum of two, one witness twice',
      [2, 'WITNESS_QUORUM_UNMET'],
      await by({ witnesses: ['w1.example', 'w1.example'] }),
    ),
    row(
      'a cosignature that was altered',
      [0, 'LOG_SIGNATURE_INVALID'],
      proofOf(encodeSignedNote({ ...note, signatures: altered })),
    ),
    row(
      'the cosignatures without the signature of the log',
      [2, 'LOG_SIGNATURE_INVALID'],
      await by({ signer: seededSigner('other'), witnesses }),
    ),
    row('beside a quorum of two, 16 cosignatures of the size of ML-DSA-44', [2], proofOf(encodeSignedNote(full))),
  ];
}

/** Types of entries that are kept for later. */
export const RESERVED_ENTRIES: readonly Uint8Array[] = ['plan', 'wave-step', 'halt', 'group', 'policy'].map((type) =>
  encodeCanonicalJson(new Map<string, JsonValue>([...leafMembers(), ['type', type]])),
);

function leafMembers(): readonly (readonly [string, JsonValue])[] {
  const { product, root, version, sha256 } = WITNESSED_LEAF;
  return Object.entries({ product, root, version, sha256 });
}

/** Every vector file by its name. */
export async function vectorFiles(): Promise<ReadonlyMap<string, Uint8Array | string>> {
  const repository = await vectorRepository();
  const next = (await nextRoots(repository)).map(({ says, code = null, root }) => ({
    says,
    code,
    text: parseUtf8(root),
  }));
  const witnessing = (await witnessVectors()).map(({ says, code = null, quorum, proof }) => {
    return { says, code, quorum, text: parseUtf8(proof) };
  });
  const policy = rootPartToJson({ log: witnessPolicy(0), pairs: [] });
  return new Map<string, Uint8Array | string>([
    ['1.root.json', repository.factory.root],
    ['next.json', lines(next)],
    ['witnessed.json', lines(witnessing)],
    ['witnessed-policy.json', encodeCanonicalJson(new Map(policy))],
    ['witnessed-entry.json', encodeLogLeaf(WITNESSED_LEAF)],
    [
      'reserved-entries.json',
      lines(RESERVED_ENTRIES.map((entry) => ({ code: 'LOG_LEAF_MALFORMED', text: parseUtf8(entry) }))),
    ],
  ]);
}

/** A JSON list with one item a line, so that a change shows in one line. */
function lines(items: readonly unknown[]): string {
  return `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]\n`;
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(VECTORS, { recursive: true });
  for (const [name, content] of await vectorFiles()) writeFileSync(`${VECTORS}${name}`, content);
}
