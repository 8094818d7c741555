/**
 * The vectors of Ed25519 in `docs/formats/tuf.md`: what every check accepts, what none does, and the few that
 * only a key holder with an odd tool can make, which a check may refuse.
 *
 * - `node cli/node24.js test/formats/signature-vectors.ts --write` writes them; a test holds the file equal, byte for byte.
 * - Sources: RFC 8032, section 7.1; the kinds of edge that "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020) lists.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Point } from '@noble/ed25519';
import { encodeHex, parseHex } from '../../formats/bytes.ts';

/** Where the vectors stand. */
export const VECTORS: string = fileURLToPath(new URL('../vectors/signature/', import.meta.url));

/** Key, message and signature, in hex. */
type Unjudged = { readonly public: string; readonly message: string; readonly signature: string };
export type SignatureVector = Unjudged & {
  readonly says: string;
  /** `either`: the portable check accepts it, and a stricter one may refuse it (ADR 0006). */
  readonly verdict: 'valid' | 'invalid' | 'either';
};

/** RFC 8032, section 7.1: public key, message, signature. */
const OF_RFC_8032: readonly (readonly [string, string, string])[] = [
  [
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
  [
    'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  ],
];

/** Every encoding of a point of order 1, 2, 4 or 8, the non-canonical ones among them. */
export const SMALL_ORDER_POINTS: readonly string[] = [
  '00'.repeat(32),
  `${'00'.repeat(31)}80`,
  `01${'00'.repeat(31)}`,
  `01${'00'.repeat(30)}80`,
  `ec${'ff'.repeat(30)}7f`,
  `ec${'ff'.repeat(31)}`,
  `ed${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(31)}`,
  `ee${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
];
/** A point of order 8, the neutral element, and texts that are no point, or not the one text of theirs. */
const OF_ORDER_8 = SMALL_ORDER_POINTS[10] ?? '';
const NEUTRAL = `01${'00'.repeat(31)}`;
const NO_POINTS: readonly string[] = [`02${'00'.repeat(31)}`, 'ff'.repeat(32), `f0${'ff'.repeat(30)}7f`];
/** The order of the base point, L of RFC 8032. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const S_ZERO = '00'.repeat(32);
/** "firmware". */
const MESSAGE = '6669726d77617265';

/** `scalar` as a signature carries it: 32 bytes, little-endian, in hex. */
function scalarHex(scalar: bigint): string {
  return encodeHex(Uint8Array.from({ length: 32 }, (_, i) => Number((scalar >> BigInt(8 * i)) & 255n)));
}

function scalarOf(hex: string): bigint {
  return bytesOf(hex).reduceRight((scalar, byte) => (scalar << 8n) | BigInt(byte), 0n);
}

/** A scalar below the order that belongs to `name`. */
function scalarNamed(name: string): bigint {
  return scalarOf(createHash('sha512').update(name).digest('hex')) % ORDER;
}

function bytesOf(hex: string): Uint8Array {
  return parseHex(hex) ?? new Uint8Array();
}

/** What a hand-made signature is made of: torsion at key and nonce, and the message. */
type Made = {
  readonly keyTorsion?: string;
  readonly nonce?: bigint;
  readonly nonceTorsion?: string;
  readonly message: string;
};

/** The signature of a holder who puts points of small order where they please: R and A carry them, S does not. */
function handMade({
  keyTorsion = NEUTRAL,
  nonce = scalarNamed('nonce'),
  nonceTorsion = NEUTRAL,
  message,
}: Made): Unjudged {
  const secret = scalarNamed('hand-made key');
  const at = (scalar: bigint, torsion: string): string => {
    const point = scalar === 0n ? Point.ZERO : Point.BASE.multiply(scalar);
    return point.add(Point.fromHex(torsion)).toHex();
  };
  const key = at(secret, keyTorsion);
  const r = at(nonce, nonceTorsion);
  const challenge = challengeOf({ public: key, message, signature: r });
  return { public: key, message, signature: `${r}${scalarHex((nonce + challenge * secret) % ORDER)}` };
}

/** SHA-512(R || A || M) as a scalar. */
function challengeOf({ public: key, message, signature }: Unjudged): bigint {
  const text = bytesOf(`${signature.slice(0, 64)}${key}${message}`);
  return scalarOf(createHash('sha512').update(text).digest('hex')) % ORDER;
}

/** The first signature of those that `make` makes over one message after the other whose challenge the order of 8 divides, or not. */
function firstByChallenge(make: (message: string) => Unjudged, cancels: boolean): Unjudged {
  for (let i = 0n; ; i++) {
    const made = make(scalarHex(i).slice(0, 4));
    if ((challengeOf(made) % 8n === 0n) === cancels) return made;
  }
}

/** A key of small order under which a point of the nonce's own is a signature, for the messages whose challenge cancels the key. */
function forged(key: string, message: string): Unjudged {
  const nonce = scalarNamed('nonce');
  return { public: key, message, signature: Point.BASE.multiply(nonce).toHex() + scalarHex(nonce) };
}

/** What stands beside the third example of RFC 8032, each with one thing changed. */
function besideHonest(): readonly SignatureVector[] {
  const [key, message, signature] = OF_RFC_8032[2] ?? ['', '', ''];
  const r = signature.slice(0, 64);
  const s = scalarOf(signature.slice(64));
  const row = (says: string, change: Partial<SignatureVector>): SignatureVector => {
    return { says, verdict: 'invalid', public: key, message, signature, ...change };
  };
  return [
    ...[1n, 2n, 7n, 13n].map((times) =>
      row(`S raised by ${times} times the order`, { signature: r + scalarHex(s + times * ORDER) }),
    ),
    row('S negated', { signature: r + scalarHex(ORDER - s) }),
    row('S with its highest bit set', { signature: r + scalarHex(s | (1n << 255n)) }),
    row('R with its sign turned', {
      signature: r.slice(0, 62) + scalarHex(scalarOf(r) ^ (1n << 255n)).slice(62) + signature.slice(64),
    }),
    row('R and S exchanged', { signature: signature.slice(64) + r }),
    row('all zero', { signature: '00'.repeat(64) }),
    row('all ones', { signature: 'ff'.repeat(64) }),
    row('another message', { message: 'af83' }),
    row('a longer message', { message: 'af8200' }),
    row('no message', { message: '' }),
    row('another key', { public: OF_RFC_8032[1]?.[0] ?? '' }),
    row('the key with its sign turned', { public: scalarHex(scalarOf(key) ^ (1n << 255n)) }),
    ...['', signature.slice(2), `${signature}00`, signature + signature].map((wrong) =>
      row(`a signature of ${wrong.length / 2} bytes`, { signature: wrong }),
    ),
    ...['', key.slice(2), `${key}00`, key + key].map((wrong) =>
      row(`a key of ${wrong.length / 2} bytes`, { public: wrong }),
    ),
    ...NO_POINTS.map((wrong) => row('a key that is no point', { public: wrong })),
    ...NO_POINTS.map((wrong) => row('an R that is no point', { signature: wrong + signature.slice(64) })),
  ];
}

/** Signatures that anybody can make under keys of small order: with S = 0 a lax check accepts them for every message. */
function underSmallOrder(): readonly SignatureVector[] {
  const verdict = 'invalid';
  return SMALL_ORDER_POINTS.flatMap((key): readonly SignatureVector[] => [
    ...[NEUTRAL, key].map((r) => {
      const says = `a key of small order, S = 0, R ${r === key ? 'as the key' : 'neutral'}`;
      return { says, verdict, public: key, message: MESSAGE, signature: r + S_ZERO } as const;
    }),
    {
      says: 'a key of small order, which the challenge cancels',
      verdict,
      ...firstByChallenge((message) => forged(key, message), true),
    },
  ]);
}

/** Every vector, in the order of the file. */
function signatureVectors(): readonly SignatureVector[] {
  const message = MESSAGE;
  const neutral = handMade({ nonce: 0n, message });
  const mixed = (text: string): Unjudged => handMade({ keyTorsion: OF_ORDER_8, message: text });
  return [
    ...OF_RFC_8032.map(([key, text, signature], i): SignatureVector => {
      return { says: `RFC 8032, section 7.1, TEST ${i + 1}`, verdict: 'valid', public: key, message: text, signature };
    }),
    ...besideHonest(),
    ...underSmallOrder(),
    { says: 'an honest key and a neutral R', verdict: 'either', ...neutral },
    ...[`ee${'ff'.repeat(30)}7f`, `01${'00'.repeat(30)}80`].map((r): SignatureVector => {
      const signature = r + neutral.signature.slice(64);
      return { says: 'an honest key and a neutral R, not canonical', verdict: 'invalid', ...neutral, signature };
    }),
    { says: 'an R of order 8', verdict: 'either', ...handMade({ nonce: 0n, nonceTorsion: OF_ORDER_8, message }) },
    {
      says: 'an R with a component of small order',
      verdict: 'either',
      ...handMade({ nonceTorsion: OF_ORDER_8, message }),
    },
    {
      says: 'a key with a component of small order, which the challenge cancels',
      verdict: 'valid',
      ...firstByChallenge(mixed, true),
    },
    { says: 'a key with a component of small order', verdict: 'either', ...firstByChallenge(mixed, false) },
  ];
}

/** The file of the vectors, one a line. */
export function vectorFile(): string {
  return `[\n${signatureVectors()
    .map((vector) => JSON.stringify(vector))
    .join(',\n')}\n]\n`;
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(VECTORS, { recursive: true });
  writeFileSync(`${VECTORS}ed25519.json`, vectorFile());
}
