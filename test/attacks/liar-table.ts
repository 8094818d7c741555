/**
 * The liar's directed attacks, link by link, and the code with which each is refused. Those on a device stand in `attack-table.ts`.
 *
 * - All run against one chain that has published 1.0.0 and issued a first identity: a refused attack leaves nothing behind.
 */
import { encodeIdentityProof, parseIdentityProof } from '../../formats/enrolment.ts';
import type { Code } from '../../formats/codes.ts';
import { CONFIRMATION_PAYLOAD_TYPE, encodeConfirmation } from '../../formats/confirmation.ts';
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { freshKeyNode } from '../../bootloader-verifier/agent/identity-key-node.ts';
import { signIdentityUse } from '../../bootloader-verifier/agent/prove-identity.ts';
import { confirmUse } from '../../signer/identity/issue-identity.ts';
import { WORD_BYTES_MAX } from '../../signer/rollout/heard-word.ts';
import { simulatedImage } from '../../simulation/simulated-device.ts';
import { accepted } from '../accepted.ts';
import { manifestOf, tinyFleet, type FleetDevice } from '../tiny-fleet.ts';
import { publishBody } from './liar-chain.ts';
import { tooFew, unapproved } from './liar-signer-moves.ts';
import { enrolAt, say, type Enrolment, type Liar } from './liar.ts';

export type DirectedAttack = {
  readonly link: string;
  readonly attack: string;
  readonly code: Code;
  /** Tries it. @returns how it was answered. */
  readonly mount: (liar: Liar) => Promise<string>;
};

const NOTHING = new Uint8Array();

function channels(entries: Readonly<Record<string, Uint8Array>>): {
  readonly channels: ReadonlyMap<string, Uint8Array>;
} {
  return { channels: new Map(Object.entries(entries)) };
}

/** Publishes a release that the `index`-th group of too few has signed. */
async function publishUnapproved(liar: Liar, index: number): Promise<string> {
  const { channel, files } = await unapproved(liar.chain, { name: '99.0.0', by: tooFew(liar.chain)[index] ?? [] });
  return say(liar, 'publish', publishBody({ ...channels({ stable: channel }), targetFiles: files }));
}

/** Another product's channel with all of its files. */
function foreignChannel({ foreign }: Liar): Uint8Array {
  const targetFiles = [...foreign].filter(([name]) => name.startsWith('targets/')).map(([, bytes]) => bytes);
  return publishBody({ ...channels({ stable: foreign.get('metadata/3.stable.json') ?? NOTHING }), targetFiles });
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

function first({ heard }: Liar): Enrolment {
  const [enrolment] = heard.enrolments;
  if (enrolment === undefined) throw new Error('a device has asked for an identity');
  return enrolment;
}

const PUBLISH: readonly Omit<DirectedAttack, 'link'>[] = [
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
  {
    attack: "another channel's file as that of this one",
    code: 'METADATA_THRESHOLD_UNMET',
    mount: (liar) => say(liar, 'publish', publishBody(channels({ stable: liar.chain.repository.newest('beta') }))),
  },
  {
    attack: "another product's channel, signed by the same people",
    code: 'REPOSITORY_MISMATCH',
    mount: (liar) => say(liar, 'publish', foreignChannel(liar)),
  },
  {
    attack: "another product's targets, signed by the same people",
    code: 'REPOSITORY_MISMATCH',
    mount: (liar) =>
      say(liar, 'publish', publishBody({ targets: liar.foreign.get('metadata/4.targets.json') ?? NOTHING })),
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
    attack: 'root 1 of another product',
    code: 'REPOSITORY_CONFLICT',
    mount: (liar) =>
      say(liar, 'publish', publishBody({ roots: [liar.foreign.get('metadata/1.root.json') ?? NOTHING] })),
  },
  {
    attack: 'an image that no channel names',
    code: 'IMAGE_HASH_MISMATCH',
    mount: (liar) => say(liar, 'publish', publishBody({ targetFiles: [simulatedImage('evil', 'healthy')] })),
  },
  { attack: 'what is no request', code: 'REQUEST_MALFORMED', mount: (liar) => say(liar, 'publish', new Uint8Array(3)) },
];

const OTHER_VERBS: readonly Omit<DirectedAttack, 'link'>[] = [
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
    mount: async (liar) => {
      const { repository } = liar.chain;
      const other = { ...repository, id: { ...repository.id, product: 'other' } };
      return say(liar, 'manifest', await manifestOf(other, tinyFleet(1, 'evil')));
    },
  },
  {
    attack: 'a word beyond its limit',
    code: 'BODY_REFUSED',
    mount: (liar) => say(liar, 'confirm', new Uint8Array(WORD_BYTES_MAX + 1)),
  },
  { attack: 'a verb that there is not', code: 'NOT_FOUND', mount: (liar) => say(liar, 'sign', NOTHING) },
];

const IDENTITY: readonly Omit<DirectedAttack, 'link'>[] = [
  {
    attack: "a certificate for the liar's key, by a captured proof",
    code: 'EVIDENCE_MISMATCH',
    mount: async (liar) => String(await enrolAt(liar, { ...first(liar), csr: (await freshKeyNode()).csr })),
  },
  {
    attack: 'a captured request again',
    code: 'EVIDENCE_STALE',
    mount: async (liar) => String(await enrolAt(liar, first(liar))),
  },
  {
    attack: 'the start of another device in a captured proof',
    code: 'EVIDENCE_SIGNATURE_INVALID',
    mount: async (liar) => {
      const asked = first(liar);
      const other = liar.heard.enrolments.find(({ proof }) => !proof.every((byte, at) => byte === asked.proof[at]));
      const [mine, theirs] = [parseIdentityProof(asked.proof), parseIdentityProof(other?.proof ?? NOTHING)];
      const mixed = { ...accepted(mine), statement: accepted(theirs).statement };
      return String(await enrolAt(liar, { ...asked, proof: encodeIdentityProof(mixed) }));
    },
  },
  {
    attack: "the use of a device's identity by another key",
    code: 'EVIDENCE_SIGNATURE_INVALID',
    mount: async ({ chain, issued }) => {
      const [last] = issued.slice(-1);
      if (last === undefined) throw new Error('a certificate was issued');
      const { product, rootOneSha256: root } = chain.repository.id;
      const said = { product, root, deviceId: last.deviceId, certificate: sha256Hex(last.certificate) };
      const held = { certificate: last.certificate, seed: new Uint8Array(32).fill(66) };
      const used = await confirmUse(chain.issuing, signIdentityUse(said, held));
      return used.ok ? 'used' : used.code;
    },
  },
];

export const DIRECTED: readonly DirectedAttack[] = [
  ...PUBLISH.map((row) => ({ ...row, link: 'the signer, to publish' })),
  ...OTHER_VERBS.map((row) => ({ ...row, link: 'the signer, to halt, hear or list' })),
  ...IDENTITY.map((row) => ({ ...row, link: 'the signer, to issue' })),
];
