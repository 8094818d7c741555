/**
 * The signer's door for identities: EST (RFC 7030, RFC 8951) over whatever listener it is given, a unix socket in production.
 *
 * - `cacerts`, `simpleenroll` and `simplereenroll` as the standard has them; `nonce` and `use` are ours.
 * - The proof stands in the field `Firmament-Proof`, in base64: who leaves it out gets nothing (rule R23). TLS decides nothing here.
 * - Bodies and fields have limits; a refusal is a problem (RFC 9457) with its code; nothing of the request is repeated in it.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { concatBytes, encodeBase64, parseBase64, parseUtf8 } from '../../formats/bytes.ts';
import { CODES, type Code } from '../../formats/codes.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import type { EnrolmentPurpose } from '../../formats/enrolment.ts';
import type { Instant } from '../../formats/instant.ts';
import { OperationError } from '../../formats/operation-error.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { caCertificate, certificatesOnly } from './certificate-authority.ts';
import { confirmUse, issueIdentity, type Issuing, type IssuingView } from './issue-identity.ts';

export type EstPorts = {
  readonly issuing: Issuing;
  /** What is believed now; read anew for each request. */
  readonly view: (now: Instant) => Promise<Verdict<IssuingView>>;
  readonly now: () => Instant;
  /** Told what was issued or refused. */
  readonly log: (event: { readonly step: string; readonly code: string | undefined }) => void;
};
type Answer = { readonly status: number; readonly type: string | undefined; readonly body: Uint8Array };

const BODY_BYTES_MAX = 8_192;
const NONCE_RANDOM_BYTES = 16;
const PURPOSES: ReadonlyMap<string, EnrolmentPurpose> = new Map([
  ['simpleenroll', 'enrol'],
  ['simplereenroll', 'rotate'],
]);
const MALFORMED: readonly Code[] = ['ENROLMENT_MALFORMED', 'EVIDENCE_MALFORMED', 'ENVELOPE_MALFORMED', 'CSR_REFUSED'];

/** The handler of EST requests for the product of `ports.issuing`. */
export function createEstHandler(ports: EstPorts): RequestListener {
  const prefix = `/.well-known/est/${ports.issuing.repository.product}/`;
  return (request, response) => {
    answerTo(ports, prefix, request).then(
      (answer) => send(response, answer),
      (fault: unknown) => {
        ports.log({ step: 'fault', code: fault instanceof OperationError ? fault.code : 'BUG' });
        send(response, { status: 503, type: undefined, body: new Uint8Array() });
      },
    );
  };
}

async function answerTo(ports: EstPorts, prefix: string, request: IncomingMessage): Promise<Answer> {
  const { method = '', url = '' } = request;
  const path = url.startsWith(prefix) ? url.slice(prefix.length) : '';
  const { issuing } = ports;
  if (method === 'GET' && path === 'nonce') {
    const nonce = issuing.nonces.make(issuing.random(NONCE_RANDOM_BYTES), ports.now());
    return { status: 200, type: 'application/octet-stream', body: nonce };
  }
  if (method === 'GET' && path === 'cacerts') return pkcs7(certificatesOnly([await caCertificate(issuing.ca)]));
  const purpose = PURPOSES.get(path);
  if (method !== 'POST' || (purpose === undefined && path !== 'use')) {
    return problem(path === '' || method === 'GET' ? 404 : 405, path === '' ? 'NOT_FOUND' : 'METHOD_NOT_ALLOWED');
  }
  const body = await readBody(request);
  if (body === undefined) return problem(413, 'BODY_REFUSED');
  return purpose === undefined ? use(ports, body) : enrol(ports, purpose, { request, body });
}

async function use(ports: EstPorts, body: Uint8Array): Promise<Answer> {
  const used = await confirmUse(ports.issuing, body);
  ports.log({ step: 'use', code: used.ok ? undefined : used.code });
  return used.ok ? { status: 204, type: undefined, body: new Uint8Array() } : refused(used.code, used.detail);
}

async function enrol(
  ports: EstPorts,
  purpose: EnrolmentPurpose,
  { request, body }: { readonly request: IncomingMessage; readonly body: Uint8Array },
): Promise<Answer> {
  const field = request.headers['firmament-proof'];
  const proof = typeof field === 'string' ? parseBase64(field) : undefined;
  const csr = parseBase64((parseUtf8(body) ?? '').replace(/\s+/g, ''));
  if (proof === undefined) return refused('ENROLMENT_MALFORMED', 'Firmament-Proof is missing, or no base64');
  if (csr === undefined) return refused('CSR_REFUSED', 'the body is no base64');
  const now = ports.now();
  const view = await ports.view(now);
  const issued = view.ok ? await issueIdentity(ports.issuing, view.value, { purpose, csr, proof }) : view;
  ports.log({ step: purpose, code: issued.ok ? undefined : issued.code });
  return issued.ok ? pkcs7(issued.value.answer) : refused(issued.code, issued.detail);
}

function pkcs7(der: Uint8Array): Answer {
  const body = new TextEncoder().encode(encodeBase64(der));
  return { status: 200, type: 'application/pkcs7-mime; smime-type=certs-only', body };
}

function refused(code: Code, detail: string): Answer {
  return problem(MALFORMED.includes(code) ? 400 : 403, code, detail);
}

function problem(status: number, code: Code, detail: string = CODES[code].means): Answer {
  const members = new Map<string, string | number>([
    ['status', status],
    ['code', code],
    ['detail', detail],
  ]);
  return { status, type: 'application/problem+json', body: encodeJson(members) };
}

/** The body, or undefined if it is longer than its limit. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) return undefined;
    sizeBytes += chunk.length;
    if (sizeBytes > BODY_BYTES_MAX) return undefined;
    chunks.push(Uint8Array.from(chunk));
  }
  return concatBytes(...chunks);
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-length': body.length,
    'cache-control': 'no-store',
    ...(type !== undefined && { 'content-type': type }),
  });
  response.end(body);
}
