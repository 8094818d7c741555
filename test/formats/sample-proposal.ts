/** A proposal of two components as every stage of it, and an issuer with a token: what tests, vectors and documents show. */
import { encodeUtf8 } from '../../formats/bytes.ts';
import type { TokenClaims } from '../../formats/oidc.ts';
import type { ProposalAnswer } from '../../formats/proposal-answer.ts';
import type { Proposal } from '../../formats/proposal.ts';
import { incomingFiles, type StoredProposal } from '../../formats/stored-proposal.ts';

const file = (name: string, length: number, digit: string) => ({ name, length, sha256: digit.repeat(64) });

export const SAMPLE_PROPOSAL: Proposal = {
  product: 'gateway',
  release: '1.2.0',
  components: [
    {
      ...{ component: 'radio', firmwareVersion: '0.9.1', securityCounter: 2, hardwareIds: ['radio-b'] },
      installer: 'transfer',
      image: file('radio.bin', 131_072, 'a'),
      statements: [file('provenance.json', 3_512, 'b')],
    },
    {
      ...{ component: 'gateway', firmwareVersion: '1.2.0', securityCounter: 7, hardwareIds: ['gw-a', 'gw-b'] },
      installer: 'slot',
      image: file('gateway.js', 48_213, 'c'),
      statements: [file('provenance.json', 3_498, 'd'), file('sbom.json', 9_120, 'e')],
    },
  ],
  notes: 'Repairs the decoder below zero.\nThe radio is new.',
};

const ISSUER = 'https://token.actions.githubusercontent.com';
const SUBJECT = 'repo:acme/gateway:ref:refs/heads/main';
const ID = '019aab3c00007d1e5f0a9b8c7d6e5f40';
const AT = Date.parse('2026-11-22T12:00:00Z');

export const SAMPLE_STORED: StoredProposal = {
  id: ID,
  at: AT,
  uploadsUntil: AT + 3_600_000,
  state: 'open',
  proposedBy: {
    issuer: ISSUER,
    subject: SUBJECT,
    claims: new Map([
      ['actor', 'ada'],
      ['actor_id', '42'],
      ['repository', 'acme/gateway'],
      ['run_id', '1001'],
    ]),
  },
  proposal: SAMPLE_PROPOSAL,
};

export const SAMPLE_ANSWER: ProposalAnswer = {
  id: ID,
  uploadsUntil: SAMPLE_STORED.uploadsUntil,
  uploads: incomingFiles(ID, SAMPLE_PROPOSAL).map(({ component, name, file: { name: fileName, length } }, i) => ({
    component,
    file: fileName,
    url: `https://store.example/firmament/${name}?X-Amz-Expires=3600&X-Amz-Signature=${String(i).repeat(64)}`,
    fields: new Map([
      ['content-length', String(length)],
      ['if-none-match', '*'],
    ]),
  })),
};

const json = (value: unknown): Uint8Array => encodeUtf8(JSON.stringify(value));

/** The list that a workflow writes for the sample. */
export const SAMPLE_LIST: Uint8Array = json(
  SAMPLE_PROPOSAL.components.map(({ image, statements, ...component }) => ({
    ...component,
    image: `dist/${image.name}`,
    statements: statements.map(({ name }) => `dist/${component.component}/${name}`),
  })),
);

export const SAMPLE_CONFIGURATION: Uint8Array = json({
  issuer: ISSUER,
  jwks_uri: `${ISSUER}/.well-known/jwks`,
  subject_types_supported: ['public', 'pairwise'],
  id_token_signing_alg_values_supported: ['RS256'],
});

export const SAMPLE_KEYS: Uint8Array = json({
  keys: [
    {
      kty: 'RSA',
      alg: 'RS256',
      use: 'sig',
      kid: 'key-1',
      n: 'sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdg',
      e: 'AQAB',
    },
    {
      kty: 'EC',
      crv: 'P-256',
      kid: 'key-2',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    },
    { kty: 'oct', kid: 'key-3', k: 'AAAA' },
  ],
});

const CLAIMS: Readonly<Record<string, unknown>> = {
  ...{ iss: ISSUER, sub: SUBJECT, aud: 'https://updates.example', jti: '5d1f2a', exp: 1_795_348_800 },
  ...{ iat: 1_795_348_500, nbf: 1_795_348_490, actor: 'ada', actor_id: '42', repository: 'acme/gateway' },
  ...{ ref: 'refs/heads/main', run_id: '1001', event_name: 'push', repository_visibility: 'private' },
};
export const SAMPLE_CLAIMS: Uint8Array = json(CLAIMS);

/** A token's payload with the sample's claims, some of them changed. */
export function changedClaims(changed: Readonly<Record<string, unknown>>): Uint8Array {
  return json({ ...CLAIMS, ...changed });
}

/** The payload of a token with these claims. */
export function encodeClaims({ proposer, audiences, expiresAt, notBefore, issuedAt, id }: TokenClaims): Uint8Array {
  const seconds = (instant: number | undefined): number | undefined =>
    instant === undefined ? undefined : instant / 1000;
  return json({
    ...{ iss: proposer.issuer, sub: proposer.subject, aud: audiences, exp: seconds(expiresAt), jti: id },
    ...{ nbf: seconds(notBefore), iat: seconds(issuedAt), ...Object.fromEntries(proposer.claims) },
  });
}
