/**
 * What the control plane does with proposals, apart from HTTP: takes one, finds it complete, shows those that there are.
 *
 * - Everything is done for a verified token, whose subject a rule lets propose for the product.
 * - A token makes one proposal. Only who proposed completes: the same issuer and subject, and the same run where the issuer names one.
 * - A proposal is open once every file was read and has the very length and SHA-256; completing it again changes nothing.
 * - Nothing here approves, publishes or reaches a device.
 */
import { encodeUtf8 } from '../formats/bytes.ts';
import type { Instant } from '../formats/instant.ts';
import type { TokenClaims } from '../formats/oidc.ts';
import type { ProposalAnswer } from '../formats/proposal-answer.ts';
import { parseProposal, type Proposal } from '../formats/proposal.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { incomingFiles, type Proposer, type StoredProposal } from '../formats/stored-proposal.ts';
import { accept, reject, type Verdict, type Verified } from '../formats/verdict.ts';
import type { ProposalStore } from './proposal-store.ts';
import type { RateLimit } from './rate-limit.ts';
import type { UploadDesk } from './upload-desk.ts';

export type ProposalDesk = {
  readonly proposals: ProposalStore;
  readonly uploads: UploadDesk;
  readonly rate: RateLimit;
  /** How long files are taken after a proposal. */
  readonly uploadMs: number;
  /** 32 random hex digits. */
  readonly randomHex: () => string;
};

/** Who calls, with what, when. */
export type Caller = {
  readonly product: string;
  readonly claims: Verified<TokenClaims>;
  /** The SHA-256 by which the token is known from now on. */
  readonly tokenSha256: string;
  readonly now: Instant;
};

const TIME_DIGITS = 12;
const FILES_TOLD_MAX = 3;

/** The SHA-256 that names a token: that of issuer and `jti`, or of the whole token where its issuer numbers none. */
export function tokenDigest(token: string, { id, proposer }: TokenClaims): string {
  return sha256Hex(encodeUtf8(id === undefined ? token : `${proposer.issuer}\n${id}`));
}

/** Keeps the proposal in `body` and says where its files are to be put. */
export async function takeProposal(
  desk: ProposalDesk,
  caller: Caller,
  body: Uint8Array,
): Promise<Verdict<ProposalAnswer, 'PROPOSAL_MALFORMED' | 'RATE_LIMITED' | 'TOKEN_REPLAYED' | 'PROPOSAL_CONFLICT'>> {
  const { product, claims, tokenSha256, now } = caller;
  const limited = spend(desk, caller);
  if (!limited.ok) return limited;
  const proposal = parseProposal(body);
  if (!proposal.ok) return proposal;
  if (proposal.value.product !== product)
    return reject('PROPOSAL_MALFORMED', '.product: it is not that of the address');
  const at = now - (now % 1000);
  const stored: StoredProposal = {
    ...{ id: newId(desk, now), at, uploadsUntil: at + desk.uploadMs, state: 'uploading' },
    ...{ proposedBy: claims.proposer, proposal: proposal.value },
  };
  const created = await desk.proposals.create(stored, tokenSha256);
  return created.ok ? accept(answerOf(desk, stored, now)) : created;
}

/** An id that begins with the time, so that the newest are found by name, and ends at random, so that none is guessed. */
function newId({ randomHex }: ProposalDesk, now: Instant): string {
  return Math.floor(now).toString(16).padStart(TIME_DIGITS, '0') + randomHex().slice(TIME_DIGITS);
}

function answerOf(desk: ProposalDesk, stored: StoredProposal, now: Instant): ProposalAnswer {
  const { id, uploadsUntil, proposal } = stored;
  const uploads = incomingFiles(id, proposal).map(({ component, name, file }) => {
    const { length, sha256 } = file;
    return { component, file: file.name, ...desk.uploads.invite({ name, length, sha256, until: uploadsUntil }, now) };
  });
  return { id, uploadsUntil, uploads };
}

/** Opens proposal `id` if all of its files stand there. */
export async function completeProposal(
  desk: ProposalDesk,
  caller: Caller,
  id: string,
): Promise<Verdict<StoredProposal, 'NOT_FOUND' | 'PROPOSER_REFUSED' | 'RATE_LIMITED' | 'PROPOSAL_INCOMPLETE'>> {
  const found = await findProposal(desk, caller, id);
  if (!found.ok) return found;
  const { state, proposal, proposedBy } = found.value;
  if (!isSameProposer(caller.claims.proposer, proposedBy)) {
    return reject('PROPOSER_REFUSED', 'another proposed this, and completes it');
  }
  if (state === 'open') return found;
  const limited = spend(desk, caller);
  if (!limited.ok) return limited;
  const wrong = await wrongFiles(desk.uploads, id, proposal);
  if (wrong.length > 0) {
    const told = wrong.slice(0, FILES_TOLD_MAX).join(', ');
    return reject('PROPOSAL_INCOMPLETE', `${told}${wrong.length > FILES_TOLD_MAX ? ` and others` : ''}`);
  }
  const opened = await desk.proposals.open(caller.product, id);
  return opened === undefined ? reject('NOT_FOUND', `no proposal ${id}`) : accept(opened);
}

/** The proposal `id` of the caller's product. */
export async function findProposal(
  { proposals }: ProposalDesk,
  { product }: Caller,
  id: string,
): Promise<Verdict<StoredProposal, 'NOT_FOUND'>> {
  const stored = await proposals.find(product, id);
  return stored === undefined ? reject('NOT_FOUND', `no proposal ${id}`) : accept(stored);
}

/** Takes one from what the caller may do for now. */
function spend({ rate }: ProposalDesk, { claims, now }: Caller): Verdict<void, 'RATE_LIMITED'> {
  const { issuer, subject } = claims.proposer;
  return rate(`${issuer}\n${subject}`, now)
    ? accept(undefined)
    : reject('RATE_LIMITED', 'this subject has proposed as often as it may for now');
}

function isSameProposer(one: Proposer, other: Proposer): boolean {
  const sameRun = one.claims.get('run_id') === other.claims.get('run_id');
  return one.issuer === other.issuer && one.subject === other.subject && sameRun;
}

/** What is wrong with the files of a proposal, each in words. One is read at a time. */
async function wrongFiles(uploads: UploadDesk, id: string, proposal: Proposal): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const { name, component, file } of incomingFiles(id, proposal)) {
    const standing = await uploads.look(name, file.length);
    const place = `${component}/${file.name}`;
    if (standing === undefined) wrong.push(`${place} is missing`);
    else if (standing.length !== file.length || standing.sha256 !== file.sha256) wrong.push(`${place} has other bytes`);
  }
  return wrong;
}
