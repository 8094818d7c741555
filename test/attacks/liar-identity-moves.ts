/**
 * The liar's moves between a device and the issuer of identities: a certificate for another key, another device, or an old boot.
 *
 * - It has every request that ever passed by; it makes keys and requests of its own, and takes proofs apart.
 * - It speaks to the front of EST as a device would, and to the signer's socket as the front would.
 */
import { request } from 'node:http';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { encodeIdentityProof, encodeIdentityUse, parseIdentityProof } from '../../formats/enrolment.ts';
import { encodeIssueRequest } from '../../formats/issue-request.ts';
import { freshKeyNode } from '../../bootloader-verifier/agent/identity-key-node.ts';
import { signIdentityUse } from '../../bootloader-verifier/agent/prove-identity.ts';
import { issueLeaf, verifyCertificateRequest } from '../../signer/identity/certificate-authority.ts';
import { seededSigner } from '../seeded-signer.ts';
import { live, type Lies, type Victim } from './liar-victim.ts';
import { IDENTITY_GAMES, type Game } from './liar-wire.ts';
import { enrolAt, issuedBy, mutated, oneOf, say, useAt, type Enrolment, type Liar, type Move } from './liar.ts';

const LONG_BYTES = [8_192, 8_193, 40_000] as const;
const PATHS = [
  'cacerts',
  'nonce',
  'simpleenroll',
  'simplereenroll',
  'use',
  'serverkeygen',
  '../other/nonce',
  '%2e%2e/x',
];
/** What a certificate of the liar's own says. */
const LEAF = {
  serial: new Uint8Array(16).fill(1),
  class: 'claimed',
  release: '1.0.0',
  predecessor: undefined,
} as const;

function identity(kind: string, play: (liar: Liar) => Promise<unknown>): Move {
  return { kind, at: 'identity', play: (liar) => play(liar).then(() => undefined) };
}

function between(kind: string, lies: (liar: Liar) => Promise<Lies> | Lies): Move {
  return identity(kind, async (liar) => {
    const victim = anyVictim(liar);
    victim.lies = { ...victim.lies, ...(await lies(liar)) };
  });
}

/** A game with HTTP, for one device. */
function wire(game: Game): Move {
  return between(`EST: ${game.kind}`, ({ random }) => ({ identityGame: { game, seed: random(1_000_000) } }));
}

/** A device that asks for identities. */
function anyVictim({ victims, random }: Liar): Victim {
  return oneOf(
    random,
    victims.filter(({ isOffline, member }) => !isOffline && member !== undefined),
  );
}

/** A request that passed by, or none of any use. */
function captured({ heard, random }: Liar): Enrolment {
  const none: Enrolment = { purpose: 'enrol', csr: new Uint8Array(), proof: new Uint8Array() };
  return oneOf(random, heard.enrolments.length === 0 ? [none] : heard.enrolments);
}

/** A certificate by a CA of the liar's own, for the key that the device asks for. */
async function ownCertificate({ chain }: Liar, { csr }: Enrolment, deviceId: string): Promise<Uint8Array> {
  const { product, rootOneSha256: root } = chain.repository.id;
  const key = verifyCertificateRequest(csr);
  const { serial, ...extension } = LEAF;
  return issueLeaf(
    { name: 'ca-1', signer: seededSigner('the liar') },
    {
      ...{ deviceId, serial, publicKey: key.ok ? key.value : new Uint8Array(32) },
      ...{ notBefore: chain.now, notAfter: chain.now + 3_600_000 },
      extension: { ...extension, product, root, components: new Map() },
    },
  );
}

/** Asks the front as it likes. A front that gives up on what is too long closes the connection. */
function askFront(
  { chain }: Liar,
  asked: { readonly path: string; readonly method: string; readonly proof: string; readonly body: Uint8Array },
): Promise<void> {
  return new Promise((resolve) => {
    const { path, method, proof, body } = asked;
    const headers = { 'firmament-proof': proof, 'content-length': body.length };
    const { hostname, port, pathname } = chain.est;
    const sent = request({ hostname, port, path: `${pathname}${path}`, method, headers, agent: false }, (response) => {
      response.resume();
      response.on('close', () => resolve());
    });
    sent.on('error', () => resolve());
    sent.end(body);
  });
}

export const IDENTITY_MOVES: readonly Move[] = [
  identity("a captured proof for a key of the liar's", async (liar) => {
    const { csr } = await freshKeyNode();
    await enrolAt(liar, { ...captured(liar), csr });
  }),
  identity('a captured request again', async (liar) => {
    await enrolAt(liar, captured(liar));
  }),
  identity('the parts of two proofs mixed', async (liar) => {
    const [one, two] = [captured(liar), captured(liar)];
    const [first, second] = [parseIdentityProof(one.proof), parseIdentityProof(two.proof)];
    if (!first.ok || !second.ok) return void (await enrolAt(liar, { ...one, proof: two.proof }));
    const mixed = oneOf(liar.random, [
      { ...first.value, evidence: second.value.evidence },
      { ...first.value, statement: second.value.statement },
      { ...first.value, enrolment: second.value.enrolment },
    ]);
    return void (await enrolAt(liar, { ...one, proof: encodeIdentityProof(mixed) }));
  }),
  identity('a request changed, or for another purpose', async (liar) => {
    const asked = captured(liar);
    const purpose = asked.purpose === 'enrol' ? ('rotate' as const) : ('enrol' as const);
    await enrolAt(
      liar,
      oneOf(liar.random, [
        { ...asked, purpose },
        { ...asked, csr: mutated(asked.csr, liar.random) },
        { ...asked, proof: mutated(asked.proof, liar.random) },
      ]),
    );
  }),
  identity("the use of an identity by the liar's key, or replayed", async (liar) => {
    const { chain, heard, random } = liar;
    const { product, rootOneSha256: root } = chain.repository.id;
    const last = issuedBy(chain).at(-1);
    const { deviceId = 'ab'.repeat(32), certificate = new Uint8Array(1) } = last ?? {};
    const said = { product, root, deviceId, certificate: sha256Hex(certificate) };
    const forged = signIdentityUse(said, { certificate, seed: new Uint8Array(32).fill(random(256)) });
    await useAt(liar, oneOf(random, [forged, encodeIdentityUse(said), ...heard.uses.slice(-3)]));
  }),
  identity('a request held back, and handed in once its device was heard again', async (liar) => {
    const victim = anyVictim(liar);
    let held: Enrolment | undefined;
    const asked = (honest: Enrolment): Enrolment => {
      held = honest;
      return { ...honest, proof: new Uint8Array() };
    };
    victim.lies = { asked };
    await live(liar, victim);
    victim.lies = {};
    liar.chain.now++;
    await live(liar, victim);
    if (held !== undefined) await enrolAt(liar, held);
  }),
  identity('any request to any path of the front', async (liar) => {
    const { random, heard } = liar;
    const proof = Buffer.from(captured(liar).proof).toString('base64');
    const bodies = [
      new Uint8Array(),
      captured(liar).csr,
      ...heard.uses,
      encodeUtf8('A'.repeat(oneOf(random, LONG_BYTES))),
    ];
    await askFront(liar, {
      path: oneOf(random, PATHS),
      method: oneOf(random, ['GET', 'POST', 'PUT', 'OPTIONS']),
      proof: oneOf(random, [proof, '!', '', 'A'.repeat(oneOf(random, LONG_BYTES)), proof.slice(4)]),
      body: oneOf(random, bodies),
    });
  }),
  identity("the signer's own verbs about identities, past the front", async (liar) => {
    const { random, heard } = liar;
    const asked = captured(liar);
    const { csr } = await freshKeyNode();
    const body = encodeIssueRequest(oneOf(random, [asked, { ...asked, csr }]));
    const [verb, said] = oneOf(random, [
      ['issue', body],
      ['issue', mutated(body, random)],
      ['use', oneOf(random, [body, ...heard.uses])],
      ['nonce', body],
      ['cacerts', body],
    ] as const);
    await say(liar, verb, said);
  }),
  identity('one nonce for all devices', async ({ nonces, victims, random }) => {
    const one = nonces.length === 0 ? new Uint8Array(48) : oneOf(random, nonces.slice(-3));
    for (const victim of victims) victim.lies = { ...victim.lies, nonce: () => one };
    return Promise.resolve();
  }),
  between('an old or foreign nonce for a device', ({ nonces, random }) => {
    const other = nonces.length === 0 ? new Uint8Array(48) : oneOf(random, nonces);
    return { nonce: (honest) => (random(2) === 0 ? other : mutated(honest, random)) };
  }),
  between("the liar's request under a device's proof", async () => {
    const { csr } = await freshKeyNode();
    return { asked: (honest) => ({ ...honest, csr }) };
  }),
  between('the certificate of another in an answer', ({ chain, random }) => {
    const issued = issuedBy(chain);
    return {
      answer: (honest) =>
        issued.length === 0 || random(3) === 0 ? mutated(honest, random) : oneOf(random, issued).certificate,
    };
  }),
  identity("a certificate of the liar's own CA for a device", async (liar) => {
    const victim = anyVictim(liar);
    const deviceId = victim.member?.deviceId ?? '';
    let made = new Uint8Array();
    const asked = liar.heard.enrolments.at(-1);
    if (asked !== undefined) made = Uint8Array.from(await ownCertificate(liar, asked, deviceId));
    victim.lies = { ...victim.lies, answer: () => made };
  }),
  between('the use of an identity withheld or changed', ({ random, heard }) => ({
    said: (honest) => oneOf(random, [mutated(honest, random), ...heard.uses.slice(0, 3)]),
  })),
  ...IDENTITY_GAMES.map(wire),
];
