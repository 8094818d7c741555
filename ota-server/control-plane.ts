/**
 * The control plane over HTTP: where workflows propose, and hand in the files of their proposals.
 *
 * - A listener of its own, never the data plane's: devices cannot reach it, and it cannot reach devices.
 * - Who calls is told by the token of an OpenID Connect issuer in the Authorization field, and by nothing else: no query, no cookie.
 *   Uploads carry the permission of their address instead, and no token.
 * - A request is judged before its body is read; every body has its limit.
 * - Tokens and permissions reach no log and no answer. Clients see codes, the operator sees causes.
 * - Specified in `docs/formats/proposal.md`. Followed: RFC 9110, RFC 9457, RFC 6750.
 */
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Clock } from '../formats/clock.ts';
import { OperationError } from '../formats/operation-error.ts';
import { encodeProposalAnswer } from '../formats/proposal-answer.ts';
import { PROPOSAL_BYTES_MAX } from '../formats/proposal.ts';
import { encodeProposalList, encodeStoredProposal } from '../formats/stored-proposal.ts';
import { accept, reject, type Rejected, type Verdict } from '../formats/verdict.ts';
import { controlProblem, type ControlRefusal } from './control-problem.ts';
import { sendProblem, type Exchange } from './http-answer.ts';
import { faultProblem } from './problem.ts';
import {
  completeProposal,
  findProposal,
  takeProposal,
  tokenDigest,
  type Caller,
  type ProposalDesk,
} from './propose.ts';
import { judgeProposer, type ProposerRule } from './proposer-rule.ts';
import { NOSNIFF } from './representation.ts';
import { readBody } from './request-body.ts';
import type { EventSink } from './server-event.ts';
import type { FolderDesk } from './upload-desk-folder.ts';
import { verifyToken, type TokenRules } from './verify-token.ts';

export type ControlPlaneOptions = {
  readonly desk: ProposalDesk;
  readonly rules: readonly ProposerRule[];
  readonly tokens: TokenRules;
  /** Takes uploads where the control plane itself does; undefined where a bucket takes them. */
  readonly receive: FolderDesk['receive'] | undefined;
  readonly log: EventSink;
  readonly now: Clock['now'];
};

/** How many proposals a list shows. */
const PROPOSALS_LISTED_MAX = 100;
const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i;
const API =
  /^\/api\/v1\/(?<product>[a-z0-9][a-z0-9-]{0,62})\/proposals(?:\/(?<id>[0-9a-f]{32})(?<complete>\/complete)?)?$/;

/** An answer that is no refusal. */
type Answer = { readonly status: number; readonly body: Uint8Array; readonly fields: readonly string[] };
type Outcome = Verdict<Answer, ControlRefusal>;
type Route = {
  readonly product: string;
  readonly id: string | undefined;
  readonly action: 'propose' | 'complete' | 'show';
};

/** The control plane as the listener of an HTTP server. */
export function createControlPlane(options: ControlPlaneOptions): RequestListener {
  return (request, response) => {
    const exchange = { request, response };
    answer(options, request).then(
      (outcome) => {
        if (outcome.ok) sendAnswer(exchange, outcome.value);
        else refuse(options, exchange, outcome);
      },
      (fault: unknown) => {
        tellFault(options, fault, request);
        sendProblem(exchange, faultProblem(fault));
      },
    );
  };
}

async function answer(options: ControlPlaneOptions, request: IncomingMessage): Promise<Outcome> {
  const [path = '', query, ...more] = (request.url ?? '').split('?');
  if (path.startsWith('/incoming/') && query !== undefined && more.length === 0) {
    return receiveUpload(options, request, { name: path.slice(1), query });
  }
  if (query !== undefined) return reject('NOT_FOUND', 'addresses here take no query');
  const route = routeOf(request.method ?? '', path);
  if (!route.ok) return route;
  const caller = await authenticate(options, request, route.value.product);
  return caller.ok ? act(options, request, { ...route.value, caller: caller.value }) : caller;
}

function routeOf(method: string, path: string): Verdict<Route, 'NOT_FOUND' | 'METHOD_NOT_ALLOWED'> {
  const { product, id, complete } = API.exec(path)?.groups ?? {};
  if (product === undefined) return reject('NOT_FOUND', 'served is /api/v1/PRODUCT/proposals');
  const methods = complete !== undefined ? ['POST'] : id !== undefined ? ['GET'] : ['GET', 'POST'];
  if (!methods.includes(method))
    return reject('METHOD_NOT_ALLOWED', `this address knows ${methods.join(' and ')} only`);
  return accept({ product, id, action: complete !== undefined ? 'complete' : method === 'POST' ? 'propose' : 'show' });
}

/** Who calls: the verified claims of the token, if a rule lets its subject propose for the product. */
async function authenticate(
  { tokens, rules, now }: ControlPlaneOptions,
  { headers }: IncomingMessage,
  product: string,
): Promise<Verdict<Caller, ControlRefusal>> {
  const token = BEARER.exec(headers.authorization ?? '')?.[1];
  if (token === undefined) return reject('TOKEN_MISSING', 'Authorization: Bearer and a token are expected');
  const at = now();
  const claims = await verifyToken(token, tokens, at);
  if (!claims.ok) return claims;
  const allowed = judgeProposer(rules, product, claims.value.proposer);
  if (!allowed.ok) return allowed;
  return accept({ product, claims: claims.value, tokenSha256: tokenDigest(token, claims.value), now: at });
}

async function act(
  options: ControlPlaneOptions,
  request: IncomingMessage,
  { id, action, caller }: Route & { readonly caller: Caller },
): Promise<Outcome> {
  const { desk } = options;
  if (action === 'propose') {
    const body = await readBody(request, PROPOSAL_BYTES_MAX);
    if (body === undefined) return reject('JSON_TOO_LARGE', `at most ${PROPOSAL_BYTES_MAX} bytes are read`);
    const taken = await takeProposal(desk, caller, body);
    if (!taken.ok) return taken;
    tellProposal(options, caller, { id: taken.value.id, state: 'uploading' });
    const location = `/api/v1/${caller.product}/proposals/${taken.value.id}`;
    return accept({ status: 201, body: encodeProposalAnswer(taken.value), fields: ['Location', location] });
  }
  if (id === undefined) {
    const list = await desk.proposals.list(caller.product, PROPOSALS_LISTED_MAX);
    return accept({ status: 200, body: encodeProposalList(list), fields: [] });
  }
  const stored = await (action === 'complete' ? completeProposal(desk, caller, id) : findProposal(desk, caller, id));
  if (!stored.ok) return stored;
  if (action === 'complete') tellProposal(options, caller, stored.value);
  return accept({ status: 200, body: encodeStoredProposal(stored.value), fields: [] });
}

async function receiveUpload(
  { receive, now }: ControlPlaneOptions,
  request: IncomingMessage,
  { name, query }: { readonly name: string; readonly query: string },
): Promise<Outcome> {
  if (receive === undefined) return reject('NOT_FOUND', 'uploads go to the bucket');
  if (request.method !== 'PUT') return reject('METHOD_NOT_ALLOWED', 'this address knows PUT only');
  const said = request.headers['content-length'];
  const arrival = { name, query, length: said === undefined ? undefined : Number(said), bytes: chunksOf(request) };
  const received = await receive(arrival, now());
  return received.ok ? accept({ status: 201, body: new Uint8Array(), fields: [] }) : received;
}

/** The body of a request; one that breaks off ends early, and is then as wrong as any that is too short. */
async function* chunksOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array, undefined> = request[Symbol.asyncIterator]();
  for (;;) {
    const next = await orBroken(chunks.next());
    if (next === undefined || next.done === true) return;
    yield next.value;
  }
}

async function orBroken<T>(next: Promise<T>): Promise<T | undefined> {
  try {
    return await next;
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ECONNRESET') return undefined;
    throw fault;
  }
}

function sendAnswer({ request, response }: Exchange, { status, body, fields }: Answer): void {
  const content = ['Content-Type', 'application/json', 'Content-Length', String(body.length)];
  response.writeHead(status, [...content, 'Cache-Control', 'no-store', ...NOSNIFF, ...fields]);
  response.end(request.method === 'HEAD' ? undefined : body);
}

function refuse({ log }: ControlPlaneOptions, exchange: Exchange, refusal: Rejected<ControlRefusal>): void {
  log({ event: 'refused', code: refusal.code, detail: refusal.detail, path: pathOf(exchange.request) });
  sendProblem(exchange, controlProblem(refusal));
}

function tellProposal(
  { log }: ControlPlaneOptions,
  { product, claims }: Caller,
  { id, state }: { readonly id: string; readonly state: 'uploading' | 'open' },
): void {
  const { issuer, subject } = claims.proposer;
  log({ event: 'proposal', state, product, id, issuer, subject });
}

function tellFault({ log }: ControlPlaneOptions, fault: unknown, request: IncomingMessage): void {
  const object = pathOf(request);
  if (fault instanceof OperationError) log({ event: 'store-fault', code: fault.code, detail: fault.message, object });
  else log({ event: 'bug', detail: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault), object });
}

/** The path without its query: that may hold a permission. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?')[0]?.slice(0, 256) ?? '';
}
