/**
 * What the signer daemon does for devices' identities: nonces, the CA's certificate, issuing, and the first use of what was issued.
 *
 * - Whoever asks is nobody: what is believed is signed by the device, and judged by what this signer has published (R7, R23).
 * - A request names its product inside what is signed; one for another product is refused there.
 */
import { encodeBase64 } from '../../formats/bytes.ts';
import { ENVELOPE_BYTES_MAX } from '../../formats/dsse.ts';
import { encodeInstant, type Instant } from '../../formats/instant.ts';
import { ISSUE_REQUEST_BYTES_MAX, parseIssueRequest } from '../../formats/issue-request.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { caCertificate } from '../identity/certificate-authority.ts';
import { certificatesOnly } from '../identity/certificates-only.ts';
import { confirmUse, issueIdentity, type Issuing } from '../identity/issue-identity.ts';
import { openViewReader, type ApprovedSource, type ViewReader } from '../identity/read-approved-releases.ts';
import { repositoryIn } from '../rollout/read-rollout.ts';
import { demandReleased } from '../signer-state.ts';
import { signingTime } from '../signing-time.ts';
import type { SignerVerb, VerbFacts, VerbTable } from './verb-table.ts';

export type IdentitySigner = ApprovedSource & Omit<Issuing, 'repository' | 'caSigner' | 'check'>;

const NONCE_RANDOM_BYTES = 16;
const USE_BYTES_MAX = 8_192;

/** The verbs over `signer`. */
export function identityVerbs(signer: IdentitySigner): VerbTable {
  const view = openViewReader(signer);
  const verb = (bodyBytesMax: number, run: SignerVerb['run']): SignerVerb => ({ bodyBytesMax, run });
  return new Map([
    ['nonce', verb(0, (_, now) => Promise.resolve(makeNonce(signer, now)))],
    ['cacerts', verb(0, (_, now) => showAnchor(view, now))],
    ['issue', verb(ISSUE_REQUEST_BYTES_MAX, (body, now) => issue(signer, view, { body, now }))],
    ['use', verb(Math.min(USE_BYTES_MAX, ENVELOPE_BYTES_MAX), (body) => use(signer, body))],
  ]);
}

function makeNonce({ nonces, random }: IdentitySigner, now: Instant): Verdict<VerbFacts> {
  return accept({ nonce: encodeBase64(nonces.make(random(NONCE_RANDOM_BYTES), now)) });
}

async function showAnchor(view: ViewReader, now: Instant): Promise<Verdict<VerbFacts>> {
  const seen = await view(now);
  if (!seen.ok) return seen;
  const certificate = await caCertificate(seen.value.ca);
  return accept({ certificates: encodeBase64(certificatesOnly(certificate)) });
}

async function issue(
  signer: IdentitySigner,
  view: ViewReader,
  { body, now }: { readonly body: Uint8Array; readonly now: Instant },
): Promise<Verdict<VerbFacts>> {
  const request = parseIssueRequest(body);
  if (!request.ok) return request;
  const state = await signer.memory.read();
  const time = signingTime(state, { now });
  if (!time.ok) return time;
  const seen = await view(time.value);
  if (!seen.ok) return seen;
  if (state === undefined) return reject('BOOT_NOT_APPROVED', 'nothing is published yet');
  const issued = await issueIdentity({ ...signer, repository: repositoryIn(state) }, seen.value, request.value);
  if (!issued.ok) return issued;
  const { answer, deviceId, notAfter } = issued.value;
  return accept({ certificates: encodeBase64(answer), deviceId, notAfter: encodeInstant(notAfter) });
}

async function use(signer: IdentitySigner, body: Uint8Array): Promise<Verdict<VerbFacts>> {
  const state = await signer.memory.read();
  if (state === undefined) return reject('IDENTITY_UNKNOWN', 'nothing is published yet, and nothing was issued');
  const released = demandReleased(state);
  if (!released.ok) return released;
  const used = await confirmUse({ ...signer, repository: repositoryIn(state) }, body);
  return used.ok ? accept({}) : used;
}
