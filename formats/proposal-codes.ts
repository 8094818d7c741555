/** The codes of proposals, tokens and uploads: a part of the table in `codes.ts`, whose rules hold here. */
export const PROPOSALS = {
  PROPOSAL_MALFORMED: { means: 'a proposal, or an answer to one, is not of its format', todo: 'see the detail' },
  PROPOSAL_CONFLICT: { means: 'a proposal of this id exists already', todo: 'none: it does not happen by chance' },
  PROPOSAL_INCOMPLETE: {
    means: 'a file of the proposal is missing, or other bytes stand in its place',
    todo: 'upload the files that were proposed, then complete it again; propose anew where other bytes stand',
  },
  PROPOSER_REFUSED: {
    means: 'this subject may not propose for this product, or not act on this proposal',
    todo: 'name issuer and subject with --proposer if it should',
  },
  RATE_LIMITED: { means: 'this caller has asked as often as it may for now', todo: 'try again later' },
  TOKEN_MISSING: {
    means: 'no token came with the request',
    todo: 'send Authorization: Bearer and the token of the job',
  },
  TOKEN_MALFORMED: { means: 'what came is not a signed token that is read here', todo: 'see the detail' },
  TOKEN_ISSUER_UNKNOWN: { means: 'the token is of an issuer that nobody may propose with', todo: 'check --proposer' },
  TOKEN_ALGORITHM_REFUSED: {
    means: 'the token is signed in a way that is not accepted, or not at all',
    todo: 'none: this is an attack or an issuer of another kind',
  },
  TOKEN_KEY_UNKNOWN: { means: 'the issuer has no such key', todo: 'none: this is an attack, or a key it has retired' },
  TOKEN_SIGNATURE_INVALID: { means: "the token is not signed by the issuer's key", todo: 'none: this is an attack' },
  TOKEN_AUDIENCE_MISMATCH: {
    means: 'the token was made for somebody else',
    todo: 'ask the issuer for one with the audience of this control plane',
  },
  TOKEN_EXPIRED: { means: 'the token has expired, or lives too long', todo: 'ask for a new one right before the call' },
  TOKEN_NOT_YET_VALID: { means: 'the token is not valid yet', todo: 'check the clocks' },
  TOKEN_REPLAYED: { means: 'a proposal was made with this token before', todo: 'ask for a new one' },
  ISSUER_MALFORMED: { means: 'an issuer publishes what is not read here', todo: 'check its address in --proposer' },
  UPLOAD_REFUSED: {
    means: 'the address of an upload carries no valid permission',
    todo: 'use the address as it was given',
  },
  UPLOAD_EXPIRED: { means: 'the time to upload is over', todo: 'propose anew' },
  UPLOAD_MISMATCH: {
    means: 'the bytes are not those that were proposed, or their length is not said',
    todo: 'upload the file that was proposed, with Content-Length',
  },
} as const;
