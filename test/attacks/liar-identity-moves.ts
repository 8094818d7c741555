/**
 * The liar's moves between a device and the issuer of identities: a certificate for another key, another device, or an old boot.
 *
 * - It has every request that ever passed by; it makes keys and requests of its own, and takes proofs apart.
 */
import { sha256Hex } from '../../formats/sha256.ts';
import { encodeIdentityProof, encodeIdentityUse, parseIdentityProof } from '../../formats/enrolment.ts';
import { freshKeyNode } from '../../bootloader-verifier/agent/identity-key-node.ts';
import { signIdentityUse } from '../../bootloader-verifier/agent/prove-identity.ts';
import { confirmUse } from '../../signer/identity/issue-identity.ts';
import {
  enrolAt,
  live,
  mutated,
  oneOf,
  type Enrolment,
  type IdentityLies,
  type Liar,
  type Move,
  type Victim,
} from './liar.ts';

function identity(kind: string, play: (liar: Liar) => Promise<unknown>): Move {
  return { kind, at: 'identity', play: (liar) => play(liar).then(() => undefined) };
}

function between(kind: string, lies: (liar: Liar) => Promise<IdentityLies>): Move {
  return identity(kind, async (liar) => {
    const victim: Victim = oneOf(liar.random, liar.victims);
    victim.identityLies = { ...victim.identityLies, ...(await lies(liar)) };
  });
}

/** A request that passed by, or none of any use. */
function captured({ heard, random }: Liar): Enrolment {
  const none: Enrolment = { purpose: 'enrol', csr: new Uint8Array(), proof: new Uint8Array() };
  return oneOf(random, heard.enrolments.length === 0 ? [none] : heard.enrolments);
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
  identity("the use of an identity by the liar's key, or replayed", async ({ chain, issued, heard, random }) => {
    const { product, rootOneSha256: root } = chain.repository.id;
    const last = issued.at(-1);
    const { deviceId = 'ab'.repeat(32), certificate = new Uint8Array(1) } = last ?? {};
    const said = { product, root, deviceId, certificate: sha256Hex(certificate) };
    const forged = signIdentityUse(said, { certificate, seed: new Uint8Array(32).fill(random(256)) });
    await confirmUse(chain.issuing, oneOf(random, [forged, encodeIdentityUse(said), ...heard.uses.slice(-3)]));
  }),
  identity('a request held back, and handed in once its device was heard again', async (liar) => {
    const victim = oneOf(liar.random, liar.victims);
    let held: Enrolment | undefined;
    victim.identityLies = {
      asked: (honest) => {
        held = honest;
        return { ...honest, proof: new Uint8Array() };
      },
    };
    await live(liar, victim);
    victim.identityLies = {};
    liar.chain.now++;
    await live(liar, victim);
    if (held !== undefined) await enrolAt(liar, held);
  }),
  between('an old or foreign nonce for a device', async ({ nonces, random }) => {
    const other = nonces.length === 0 ? new Uint8Array(48) : oneOf(random, nonces);
    return Promise.resolve({ nonce: (honest) => (random(2) === 0 ? other : mutated(honest, random)) });
  }),
  between("the liar's request under a device's proof", async () => {
    const { csr } = await freshKeyNode();
    return { asked: (honest) => ({ ...honest, csr }) };
  }),
  between('the certificate of another in an answer', async ({ issued, random }) =>
    Promise.resolve({
      answer: (honest) =>
        issued.length === 0 || random(3) === 0 ? mutated(honest, random) : oneOf(random, issued).certificate,
    }),
  ),
  between('the use of an identity withheld or changed', async ({ random, heard }) =>
    Promise.resolve({ said: (honest) => oneOf(random, [mutated(honest, random), ...heard.uses.slice(0, 3)]) }),
  ),
];
