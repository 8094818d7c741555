/**
 * A proposal as the control plane keeps it: with who proposed it, when, and whether its files stand there.
 *
 * - `proposedBy` comes from a token whose signature was verified, and later names the author, who never counts as an
 *   approver (rule R2). Subjects mean something only together with their issuer: both are kept, and compared together.
 * - Of other claims only those of the list are kept, as the issuer named and wrote them. Ids stand beside names, for a name can
 *   be given up and taken by somebody else.
 * - Unknown members are refused. Specified in `docs/formats/proposal.md`.
 */
import { decodeJson, literal, mapOf, object, oneOf, refine, text, type Decoder } from './decode.ts';
import { encodeJson } from './encode-json.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { PROPOSAL_BYTES_MAX, proposalDecoder, proposalToJson, type Proposal, type ProposedFile } from './proposal.ts';
import { accept, reject, type Verdict } from './verdict.ts';

/** The claims that are kept beside issuer and subject: those of GitHub's tokens, where an issuer has them. */
export const KEPT_CLAIMS = [
  'actor',
  'actor_id',
  'environment',
  'event_name',
  'job_workflow_ref',
  'ref',
  'repository',
  'repository_id',
  'run_attempt',
  'run_id',
  'sha',
  'workflow_ref',
] as const;

export type Proposer = {
  readonly issuer: string;
  readonly subject: string;
  readonly claims: ReadonlyMap<string, string>;
};

/** `uploading`: its files are awaited. `open`: they stood there, with the very length and SHA-256, when this was written. */
export type ProposalState = 'uploading' | 'open';

export type StoredProposal = {
  /** 32 hex digits at random: nobody finds the uploads of another by guessing. */
  readonly id: string;
  readonly at: Instant;
  /** Until when files are taken. */
  readonly uploadsUntil: Instant;
  readonly state: ProposalState;
  readonly proposedBy: Proposer;
  readonly proposal: Proposal;
};

/** A file of a proposal, with the name under which it is uploaded. */
export type IncomingFile = {
  readonly component: string;
  /** `incoming/PRODUCT/ID/COMPONENT/FILE`. */
  readonly name: string;
  readonly file: ProposedFile;
};

export const STORED_PROPOSAL_BYTES_MAX: number = PROPOSAL_BYTES_MAX + 16_384;
/** What stands before every upload. */
const INCOMING_AT = 'incoming/';
const INCOMING_NAME = /^incoming\/[a-z0-9][a-z0-9-]*\/[0-9a-f]{32}\/[a-z0-9][a-z0-9-]*\/[A-Za-z0-9][A-Za-z0-9._-]*$/;
const CLAIM_LENGTH_MAX = 512;
const PRINTABLE = /[^\p{Cc}]+/u;

/** A value of a claim: one line. */
export const claimDecoder: Decoder<string> = text(CLAIM_LENGTH_MAX, PRINTABLE);
/** The id of a proposal. */
export const proposalIdDecoder: Decoder<string> = text(32, /[0-9a-f]{32}/);

const proposerDecoder: Decoder<Proposer> = object('refused', {
  issuer: claimDecoder,
  subject: claimDecoder,
  claims: mapOf(oneOf(...KEPT_CLAIMS), claimDecoder, KEPT_CLAIMS.length),
});

const storedDecoder: Decoder<StoredProposal> = refine(
  object('refused', {
    version: literal(1),
    id: proposalIdDecoder,
    at: instantDecoder,
    uploadsUntil: instantDecoder,
    state: oneOf('uploading', 'open'),
    proposedBy: proposerDecoder,
    proposal: proposalDecoder,
  }),
  ({ version: _, ...stored }) => accept(stored),
);

/** Parses a stored proposal. @returns it, or `PROPOSAL_MALFORMED` with the place of the fault. Never throws. */
export function parseStoredProposal(bytes: Uint8Array): Verdict<StoredProposal, 'PROPOSAL_MALFORMED'> {
  const stored = decodeJson(bytes, STORED_PROPOSAL_BYTES_MAX, storedDecoder);
  return stored.ok ? stored : reject('PROPOSAL_MALFORMED', `${stored.code}: ${stored.detail}`);
}

/** The bytes of a stored proposal. */
export function encodeStoredProposal(stored: StoredProposal): Uint8Array {
  return encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['id', stored.id],
      ['at', encodeInstant(stored.at)],
      ['uploadsUntil', encodeInstant(stored.uploadsUntil)],
      ['state', stored.state],
      ['proposedBy', proposerToJson(stored.proposedBy)],
      ['proposal', proposalToJson(stored.proposal)],
    ]),
  );
}

function proposerToJson({ issuer, subject, claims }: Proposer): JsonObject {
  return new Map<string, JsonValue>([
    ['issuer', issuer],
    ['subject', subject],
    ['claims', new Map(claims)],
  ]);
}

/** The files of proposal `id`, in its order: each image before its statements. */
export function incomingFiles(id: string, { product, components }: Proposal): readonly IncomingFile[] {
  return components.flatMap(({ component, image, statements }) =>
    [image, ...statements].map((file) => ({
      component,
      name: `${INCOMING_AT}${product}/${id}/${component}/${file.name}`,
      file,
    })),
  );
}

/** Whether `name` is one under which a file of a proposal is uploaded. */
export function isIncomingName(name: string): boolean {
  return INCOMING_NAME.test(name);
}

/** A list of proposals as the control plane answers it: who, what and when, without the files. */
export function encodeProposalList(proposals: readonly StoredProposal[]): Uint8Array {
  const rows = proposals.map(
    ({ id, at, state, proposedBy, proposal }) =>
      new Map<string, JsonValue>([
        ['id', id],
        ['at', encodeInstant(at)],
        ['state', state],
        ['release', proposal.release],
        ['proposedBy', proposerToJson(proposedBy)],
      ]),
  );
  return encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['proposals', rows],
    ]),
  );
}
