/**
 * The liar's directed attacks on the signer and its front, link by link, and the code with which each is refused. Those on a device
 * stand in `attack-table.ts`.
 *
 * - All run against one chain that has settled on a planned release: a refused attack leaves nothing behind.
 */
import { encodeUtf8 } from '../../formats/bytes.ts';
import type { Code } from '../../formats/codes.ts';
import { CONFIRMATION_PAYLOAD_TYPE, encodeConfirmation } from '../../formats/confirmation.ts';
import { encodeEnvelope, parseEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { encodeIdentityProof, parseIdentityProof } from '../../formats/enrolment.ts';
import { encodeReceipt, parseReceipt, RECEIPT_PAYLOAD_TYPE, type Receipt } from '../../formats/receipt.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { freshKeyNode } from '../../bootloader-verifier/agent/identity-key-node.ts';
import { signIdentityUse } from '../../bootloader-verifier/agent/prove-identity.ts';
import type { ChannelDraft } from '../../signer/draft-channel.ts';
import { WORD_BYTES_MAX } from '../../signer/rollout/heard-word.ts';
import { simulatedImage } from '../../simulation/simulated-device.ts';
import { accepted } from '../accepted.ts';
import { edited } from '../edited-metadata.ts';
import { seededSigner } from '../seeded-signer.ts';
import { manifestOf, tinyFleet, type FleetDevice } from '../tiny-fleet.ts';
import { publishBody } from './liar-chain.ts';
import { tooFew, unapproved } from './liar-signer-moves.ts';
import { enrolAt, issuedBy, say, useAt, type Enrolment, type Liar } from './liar.ts';

export type DirectedAttack = {
  readonly link: string;
  readonly attack: string;
  readonly code: Code;
  /** Tries it. @returns how it was answered. */
  readonly mount: (liar: Liar) => Promise<string>;
};
type Row = Omit<DirectedAttack, 'link'>;

const NOTHING = new Uint8Array();

function channels(entries: Readonly<Record<string, Uint8Array>>): {
  readonly channels: ReadonlyMap<string, Uint8Array>;
} {
  return { channels: new Map(Object.entries(entries)) };
}

/** Publishes a release that the `index`-th group of too few has signed. */
async function publishUnapproved(liar: Liar, index: number, draft: Partial<ChannelDraft> = {}): Promise<string> {
  const by = tooFew(liar.chain)[index] ?? [];
  const { channel, files } = await unapproved(liar.chain, { name: '99.0.0', by, draft });
  return say(liar, 'publish', publishBody({ ...channels({ stable: channel }), targetFiles: files }));
}

/** A release that one manager has signed, with something else that it says of devices. */
function saidByOne(attack: string, draft: (liar: Liar) => Partial<ChannelDraft>): Row {
  return { attack, code: 'METADATA_THRESHOLD_UNMET', mount: (liar) => publishUnapproved(liar, 1, draft(liar)) };
}

/** A well-formed word of `stranger`, about a plan that stands nowhere. */
async function strangersWord({ chain }: Liar, { deviceId, signer }: FleetDevice): Promise<Uint8Array> {
  const { product, rootOneSha256: root } = chain.repository.id;
  const payload = encodeConfirmation({
    ...{ product, root, deviceId, plan: 'ab'.repeat(32), release: '1.0.0', outcome: 'confirmed', code: undefined },
    ...{ securityCounters: new Map([['gateway', 1]]), sequence: 1, failures: 0 },
    ...{ evidence: undefined, statement: undefined, at: undefined },
  });
  const sig = await signer.sign(preAuthEncoding(CONFIRMATION_PAYLOAD_TYPE, payload));
  return encodeEnvelope({ payloadType: CONFIRMATION_PAYLOAD_TYPE, payload, signatures: [{ keyid: '', sig }] });
}

/** The request that passed by last. */
function captured({ heard }: Liar): Enrolment {
  const enrolment = heard.enrolments.at(-1);
  if (enrolment === undefined) throw new Error('a device has asked for an identity');
  return enrolment;
}

/** The last receipt of a planned release, or the first of one without a plan. */
function receiptOf({ heard }: Liar, isPlanned = true): { readonly bytes: Uint8Array; readonly receipt: Receipt } {
  const read = heard.receipts.map((bytes) => ({
    bytes,
    receipt: accepted(parseReceipt(accepted(parseEnvelope(bytes, RECEIPT_PAYLOAD_TYPE)).payload)),
  }));
  const found = read.findLast(({ receipt }) => (receipt.plan !== undefined) === isPlanned);
  if (found === undefined) throw new Error('a device has left such a receipt');
  return found;
}

/** That receipt, saying something else: with the signature that it had, or with one of the liar's. */
async function sayChanged(liar: Liar, change: Partial<Receipt>, isSignedAnew = false): Promise<string> {
  const { bytes, receipt } = receiptOf(liar);
  const payload = encodeReceipt({ ...receipt, ...change });
  const sig = await seededSigner('the liar').sign(preAuthEncoding(RECEIPT_PAYLOAD_TYPE, payload));
  const { signatures } = accepted(parseEnvelope(bytes, RECEIPT_PAYLOAD_TYPE));
  const by = isSignedAnew ? [{ keyid: '', sig }] : signatures;
  return say(liar, 'receipt', encodeEnvelope({ payloadType: RECEIPT_PAYLOAD_TYPE, payload, signatures: by }));
}

/** A receipt whose words the liar has changed. */
function changedReceipt(attack: string, change: (liar: Liar) => Partial<Receipt>): Row {
  return { attack, code: 'RECEIPT_SIGNATURE_INVALID', mount: (liar) => sayChanged(liar, change(liar)) };
}

const PUBLISH: readonly Row[] = [
  {
    attack: 'a release that nobody has signed',
    code: 'METADATA_THRESHOLD_UNMET',
    mount: (liar) => publishUnapproved(liar, 0),
  },
  {
    attack: 'a release that one manager has signed',
    code: 'METADATA_THRESHOLD_UNMET',
    mount: (liar) => publishUnapproved(liar, 1),
  },
  {
    attack: 'a release that its author has signed with one other',
    code: 'QUORUM_UNMET',
    mount: (liar) => publishUnapproved(liar, 2),
  },
  {
    attack: 'a release with one signature twice',
    code: 'SHAPE_MALFORMED',
    mount: (liar) => publishUnapproved(liar, 4),
  },
  {
    attack: "a release that another channel's managers have signed",
    code: 'METADATA_THRESHOLD_UNMET',
    mount: (liar) => publishUnapproved(liar, 5),
  },
  {
    attack: 'a release signed with every key of targets',
    code: 'METADATA_THRESHOLD_UNMET',
    mount: (liar) => publishUnapproved(liar, 6),
  },
  saidByOne('a recall that one manager has signed', () => ({ graph: { recalled: ['2.0.0'] } })),
  saidByOne('a dead end that one manager has signed', () => ({
    graph: { deadEnds: [{ release: '2.0.0', reason: 'the liar says so' }] },
  })),
  saidByOne('a way that one manager has opened', () => ({
    graph: { from: new Map([['99.0.0', [{ min: undefined, below: '2.0.0' }]]]) },
  })),
  saidByOne('a counter that one manager has raised', () => ({ minSecurityCounter: 15 })),
  saidByOne('a revocation that one manager has signed', ({ chain }) => ({
    revokedDigests: [sha256Hex(chain.repository.releases.get('2.0.0')?.image ?? NOTHING)],
  })),
  {
    attack: "another channel's file as that of this one",
    code: 'METADATA_THRESHOLD_UNMET',
    mount: async (liar) => {
      const { repository } = liar.chain;
      const beta = await repository.sign('beta', edited(repository.newest('beta'), { version: 99 }));
      return say(liar, 'publish', publishBody(channels({ stable: beta })));
    },
  },
  {
    attack: 'an older version of a channel',
    code: 'SNAPSHOT_ROLLBACK',
    mount: (liar) =>
      say(
        liar,
        'publish',
        publishBody(channels({ stable: liar.archive.get('gateway/metadata/1.stable.json')?.[0] ?? NOTHING })),
      ),
  },
  {
    attack: 'an image that no channel names',
    code: 'IMAGE_HASH_MISMATCH',
    mount: (liar) => say(liar, 'publish', publishBody({ targetFiles: [simulatedImage('evil', 'healthy')] })),
  },
  { attack: 'what is no request', code: 'REQUEST_MALFORMED', mount: (liar) => say(liar, 'publish', new Uint8Array(3)) },
];

const PRODUCTS: readonly Row[] = [
  {
    attack: "another product's channel, signed by the same people",
    code: 'REPOSITORY_MISMATCH',
    mount: (liar) => {
      const { neighbour } = liar.chain;
      const targetFiles = [...neighbour.files]
        .filter(([name]) => name.startsWith('targets/'))
        .map(([, bytes]) => bytes);
      return say(liar, 'publish', publishBody({ ...channels({ stable: neighbour.newest('stable') }), targetFiles }));
    },
  },
  {
    attack: "another product's targets, signed by the same people",
    code: 'REPOSITORY_MISMATCH',
    mount: (liar) => say(liar, 'publish', publishBody({ targets: liar.chain.neighbour.newest('targets') })),
  },
  {
    attack: 'root 1 of another product',
    code: 'REPOSITORY_CONFLICT',
    mount: (liar) => say(liar, 'publish', publishBody({ roots: liar.chain.neighbour.roots() })),
  },
  {
    attack: "this product's root 1 for another product",
    code: 'REPOSITORY_CONFLICT',
    mount: (liar) => say(liar, 'r/other/publish', publishBody({ roots: liar.chain.repository.roots() })),
  },
  {
    attack: 'a whole product under the name of a new one',
    code: 'REPOSITORY_MISMATCH',
    mount: (liar) => {
      const { repository } = liar.chain;
      const { files } = repository;
      const targetFiles = [...files].filter(([name]) => name.startsWith('targets/')).map(([, bytes]) => bytes);
      const whole = {
        ...{ roots: repository.roots(), targets: repository.newest('targets'), targetFiles },
        ...channels({ stable: repository.newest('stable'), beta: repository.newest('beta') }),
      };
      return say(liar, 'r/third/publish', publishBody(whole));
    },
  },
  {
    attack: "a device's word to another product",
    code: 'CONFIRMATION_SIGNATURE_INVALID',
    mount: (liar) => say(liar, 'r/other/confirm', liar.heard.words.at(-1) ?? NOTHING),
  },
  {
    attack: "a device's receipt to another product",
    code: 'REPOSITORY_MISMATCH',
    mount: (liar) => say(liar, 'r/other/receipt', receiptOf(liar).bytes),
  },
  {
    attack: "the fleet's manifest to another product",
    code: 'REPOSITORY_MISMATCH',
    mount: (liar) => say(liar, 'r/other/manifest', liar.chain.manifest),
  },
  {
    attack: 'a product by a path that climbs',
    code: 'NOT_FOUND',
    mount: (liar) => say(liar, 'r/../gateway/publish', NOTHING),
  },
];

const OTHER_VERBS: readonly Row[] = [
  {
    attack: 'a channel in the place of a halt',
    code: 'HALT_MALFORMED',
    mount: (liar) => say(liar, 'halt', liar.chain.repository.newest('stable')),
  },
  {
    attack: 'a word by a device that no factory has listed',
    code: 'CONFIRMATION_SIGNATURE_INVALID',
    mount: async (liar) => {
      const [stranger] = tinyFleet(1, 'stranger');
      if (stranger === undefined) throw new Error('there is a stranger');
      return say(liar, 'confirm', await strangersWord(liar, stranger));
    },
  },
  {
    attack: 'a manifest by the factory, of another product',
    code: 'REPOSITORY_MISMATCH',
    mount: async (liar) => say(liar, 'manifest', await manifestOf(liar.chain.neighbour, tinyFleet(1, 'evil'))),
  },
  {
    attack: 'a word beyond its limit',
    code: 'BODY_REFUSED',
    mount: (liar) => say(liar, 'confirm', new Uint8Array(WORD_BYTES_MAX + 1)),
  },
  { attack: 'a verb that there is not', code: 'NOT_FOUND', mount: (liar) => say(liar, 'sign', NOTHING) },
];

const RECEIPTS: readonly Row[] = [
  { attack: 'a receipt again', code: 'RECEIPT_STALE', mount: (liar) => say(liar, 'receipt', receiptOf(liar).bytes) },
  {
    attack: 'a receipt of a release that had no plan',
    code: 'CONFIRMATION_REFUSED',
    mount: (liar) => say(liar, 'receipt', receiptOf(liar, false).bytes),
  },
  {
    attack: 'a receipt that is cut',
    code: 'RECEIPT_MALFORMED',
    mount: (liar) => say(liar, 'receipt', receiptOf(liar).bytes.slice(0, -9)),
  },
  {
    attack: 'a check-in as a receipt',
    code: 'RECEIPT_MALFORMED',
    mount: (liar) => say(liar, 'receipt', liar.heard.words.at(-1) ?? NOTHING),
  },
  {
    attack: 'a receipt for another repository',
    code: 'REPOSITORY_MISMATCH',
    mount: (liar) => sayChanged(liar, { root: liar.chain.neighbour.id.rootOneSha256 }),
  },
  changedReceipt('a receipt in the name of another device', ({ victims }) => ({
    deviceId: victims[0]?.member?.deviceId ?? '',
  })),
  changedReceipt('a receipt of another release', () => ({ release: '3.0.0' })),
  changedReceipt('a receipt for another plan', () => ({ plan: 'ab'.repeat(32) })),
  changedReceipt('a receipt of a later word', (liar) => ({ sequence: receiptOf(liar).receipt.sequence + 1 })),
  changedReceipt('a receipt about the start of before', (liar) => ({
    statement: receiptOf(liar, false).receipt.statement,
  })),
  {
    attack: "a receipt that the liar's key has signed",
    code: 'RECEIPT_SIGNATURE_INVALID',
    mount: (liar) => sayChanged(liar, { sequence: receiptOf(liar).receipt.sequence + 1 }, true),
  },
];

const IDENTITY: readonly Row[] = [
  {
    attack: "a certificate for the liar's key, by a captured proof",
    code: 'EVIDENCE_MISMATCH',
    mount: async (liar) => enrolAt(liar, { ...captured(liar), csr: (await freshKeyNode()).csr }),
  },
  { attack: 'a captured request again', code: 'EVIDENCE_STALE', mount: (liar) => enrolAt(liar, captured(liar)) },
  {
    attack: 'the start of another device in a captured proof',
    code: 'EVIDENCE_SIGNATURE_INVALID',
    mount: (liar) => {
      const asked = captured(liar);
      const mine = accepted(parseIdentityProof(asked.proof));
      const others = liar.heard.enrolments.map(({ proof }) => accepted(parseIdentityProof(proof)));
      const other = others.find(({ statement }) => sha256Hex(statement) !== sha256Hex(mine.statement));
      const mixed = { ...mine, statement: other?.statement ?? NOTHING };
      return enrolAt(liar, { ...asked, proof: encodeIdentityProof(mixed) });
    },
  },
  {
    attack: "the use of a device's identity by another key",
    code: 'EVIDENCE_SIGNATURE_INVALID',
    mount: async (liar) => {
      const last = issuedBy(liar.chain).at(-1);
      if (last === undefined) throw new Error('a certificate was issued');
      const { product, rootOneSha256: root } = liar.chain.repository.id;
      const said = { product, root, deviceId: last.deviceId, certificate: sha256Hex(last.certificate) };
      const held = { certificate: last.certificate, seed: new Uint8Array(32).fill(66) };
      return useAt(liar, signIdentityUse(said, held));
    },
  },
  {
    attack: 'a request that is longer than any',
    code: 'BODY_REFUSED',
    mount: async (liar) => enrolAt(liar, { ...captured(liar), csr: new Uint8Array(8_192) }),
  },
  {
    attack: 'a request without a proof',
    code: 'ENROLMENT_MALFORMED',
    mount: async (liar) => enrolAt(liar, { ...captured(liar), proof: NOTHING }),
  },
  {
    attack: 'a request at the socket that is none',
    code: 'ENROLMENT_MALFORMED',
    mount: (liar) => say(liar, 'issue', encodeUtf8('{}')),
  },
];

export const DIRECTED: readonly DirectedAttack[] = [
  ...PUBLISH.map((row) => ({ ...row, link: 'the signer, to publish' })),
  ...PRODUCTS.map((row) => ({ ...row, link: 'the signer of several products' })),
  ...OTHER_VERBS.map((row) => ({ ...row, link: 'the signer, to halt, hear or list' })),
  ...RECEIPTS.map((row) => ({ ...row, link: 'the signer, to count what was carried' })),
  ...IDENTITY.map((row) => ({ ...row, link: 'the front of EST, to issue' })),
];
