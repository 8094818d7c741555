/**
 * The front of EST (RFC 7030, RFC 8951): takes requests of devices, hands what they carry to the signer, and its answer back.
 *
 * - It holds no key and decides nothing: what it lets through is judged by the signer, whatever stands in front of it (rule R23).
 * - `cacerts`, `simpleenroll` and `simplereenroll` as the standard has them; `nonce` and `use` are ours. Of one product, with their
 *   methods, a bounded body, and the one field that carries the proof.
 * - How many wait for the signer has a maximum; how often one address may ask, too. Neither counts what was not yet asked.
 * - It speaks HTTP; TLS with its server certificate is ended before it.
 */
import type { IncomingMessage, RequestListener } from 'node:http';
import { encodeUtf8, parseBase64, parseUtf8 } from '../formats/bytes.ts';
import { knownCode } from '../formats/codes.ts';
import { IDENTITY_PROOF_BYTES_MAX, type EnrolmentPurpose } from '../formats/enrolment.ts';
import type { Clock } from '../formats/clock.ts';
import { CSR_BYTES_MAX, encodeIssueRequest } from '../formats/issue-request.ts';
import type { JsonObject, JsonValue } from '../formats/json.ts';
import { OperationError } from '../formats/operation-error.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { estProblem, type EstRefusal } from './est-problem.ts';
import { sendProblem, type Exchange } from './http-answer.ts';
import { busyProblem, faultProblem } from './problem.ts';
import { createRateLimit, type RateLimit, type RateRule } from './rate-limit.ts';
import { readBody } from './request-body.ts';
import type { EventSink } from './server-event.ts';
import type { SignerClient } from './signer-client.ts';

export type EstFrontOptions = {
  readonly product: string;
  readonly signer: SignerClient;
  readonly now: Clock['now'];
  readonly log: EventSink;
  /** How often one address may ask. */
  readonly rate?: RateRule | undefined;
};

/** A device needs three requests for an identity; many devices may stand behind one address. */
export const EST_RATE: RateRule = { burst: 300, refillMs: 20 };
/** Requests that wait for the signer; those that are still read are bounded by connections and their limits. */
export const EST_WAITING_MAX = 64;
const BODY_BYTES_MAX = 8_192;
const ISSUED_TYPE = 'application/pkcs7-mime; smime-type=certs-only';
const OBJECT = '/.well-known/est/';

type Answer = { readonly type: string; readonly body: Uint8Array };
type Asked = Verdict<{ readonly verb: string; readonly body: Uint8Array }, EstRefusal>;
type Path = {
  readonly method: 'GET' | 'POST';
  /** What the signer is asked. */
  readonly ask: (request: IncomingMessage, body: Uint8Array) => Asked;
  /** What its answer is shown as; undefined for an answer without a body. */
  readonly show: ((facts: JsonObject) => Answer) | undefined;
};

const PATHS: ReadonlyMap<string, Path> = new Map<string, Path>([
  ['cacerts', { method: 'GET', ask: askPlain('cacerts'), show: showCertificates('application/pkcs7-mime') }],
  ['nonce', { method: 'GET', ask: askPlain('nonce'), show: showNonce }],
  ['simpleenroll', { method: 'POST', ask: askFor('enrol'), show: showCertificates(ISSUED_TYPE) }],
  ['simplereenroll', { method: 'POST', ask: askFor('rotate'), show: showCertificates(ISSUED_TYPE) }],
  ['use', { method: 'POST', ask: (_, body) => accept({ verb: 'use', body }), show: undefined }],
]);

type Front = EstFrontOptions & { readonly allows: RateLimit; waiting: number };

/** The listener for `/.well-known/est/PRODUCT/`. */
export function createEstFront(options: EstFrontOptions): RequestListener {
  const front: Front = { ...options, allows: createRateLimit(options.rate ?? EST_RATE), waiting: 0 };
  return (request, response) => {
    const exchange = { request, response };
    answer(front, exchange).catch((fault: unknown) => {
      tellFault(front.log, fault);
      sendProblem(exchange, faultProblem(fault));
    });
  };
}

async function answer(front: Front, exchange: Exchange): Promise<void> {
  const { request } = exchange;
  const path = findPath(front.product, request);
  if (!path.ok) return sendProblem(exchange, estProblem(path));
  if (!front.allows(request.socket.remoteAddress ?? '', front.now())) {
    const refusal = reject('RATE_LIMITED', 'this address has asked as often as it may for now');
    return sendProblem(exchange, estProblem(refusal));
  }
  const body = await readBody(request, BODY_BYTES_MAX);
  if (body === undefined) {
    const refusal = reject('BODY_REFUSED', `at most ${BODY_BYTES_MAX} bytes are read`);
    return sendProblem(exchange, estProblem(refusal));
  }
  if (front.waiting >= EST_WAITING_MAX) return sendProblem(exchange, busyProblem());
  front.waiting++;
  try {
    await pass(front, { ...exchange, body }, path.value);
  } finally {
    front.waiting--;
  }
}

function findPath(product: string, { url = '', method }: IncomingMessage): Verdict<Path, EstRefusal> {
  const prefix = `/.well-known/est/${product}/`;
  const path = url.startsWith(prefix) ? PATHS.get(url.slice(prefix.length)) : undefined;
  if (path === undefined) return reject('NOT_FOUND', 'there is no such path');
  return method === path.method ? accept(path) : reject('METHOD_NOT_ALLOWED', `${path.method} is expected`);
}

type Arrived = Exchange & { readonly body: Uint8Array };

async function pass({ signer, log }: Front, exchange: Arrived, { ask, show }: Path): Promise<void> {
  const { request, response, body } = exchange;
  const asked = ask(request, body);
  if (!asked.ok) return sendProblem(exchange, estProblem(asked));
  const { ok, code, detail = '', facts } = await signer(asked.value.verb, asked.value.body);
  if (!ok) {
    log({ event: 'identity-refused', code: code ?? '', detail });
    return sendProblem(exchange, estProblem({ code: knownCode(code), detail }));
  }
  const shown = show?.(facts);
  response.writeHead(shown === undefined ? 204 : 200, {
    'cache-control': 'no-store',
    ...(shown !== undefined && { 'content-type': shown.type, 'content-length': shown.body.length }),
    // RFC 8951 does without; clients of RFC 7030 look for it.
    ...(shown !== undefined && show !== showNonce && { 'content-transfer-encoding': 'base64' }),
  });
  response.end(shown?.body);
}

function askPlain(verb: string): Path['ask'] {
  return () => accept({ verb, body: new Uint8Array() });
}

function askFor(purpose: EnrolmentPurpose): Path['ask'] {
  return ({ headers }, body) => {
    const field = headers['firmament-proof'];
    const proof = typeof field === 'string' ? parseBase64(field) : undefined;
    if (proof === undefined) return reject('ENROLMENT_MALFORMED', 'Firmament-Proof is missing, or no base64');
    if (proof.length > IDENTITY_PROOF_BYTES_MAX) {
      return reject('ENROLMENT_MALFORMED', `a proof has at most ${IDENTITY_PROOF_BYTES_MAX} bytes`);
    }
    const csr = parseBase64((parseUtf8(body) ?? '').replace(/\s+/g, ''));
    if (csr === undefined) return reject('CSR_REFUSED', 'the body is no base64');
    if (csr.length > CSR_BYTES_MAX) return reject('CSR_REFUSED', `longer than ${CSR_BYTES_MAX} bytes`);
    return accept({ verb: 'issue', body: encodeIssueRequest({ purpose, csr, proof }) });
  };
}

function showCertificates(type: string): NonNullable<Path['show']> {
  return (facts) => ({ type, body: encodeUtf8(textOf(facts.get('certificates'))) });
}

function showNonce(facts: JsonObject): Answer {
  return { type: 'application/octet-stream', body: parseBase64(textOf(facts.get('nonce'))) ?? new Uint8Array() };
}

/** A member that a signer of ours always says. */
function textOf(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value;
  throw new OperationError('RESPONSE_UNEXPECTED', 'the signer leaves out what was asked for', { retriable: false });
}

function tellFault(log: EventSink, fault: unknown): void {
  const told = fault instanceof Error ? fault : new Error(String(fault));
  if (told instanceof OperationError) {
    log({ event: 'store-fault', code: told.code, detail: told.message, object: OBJECT });
  } else log({ event: 'bug', detail: told.stack ?? told.message, object: OBJECT });
}
