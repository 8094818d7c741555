/**
 * Proposes a release to a control plane, as a step of a workflow.
 *
 * - No stored secret: each request asks the runner for a fresh token of this run. Tokens go to the control plane alone.
 * - Every file is named by length and digest before it is uploaded, and the control plane finds all of them before the proposal is open.
 * - What the control plane asks for, and what it shows in the end, must be what was proposed: it cannot have another file uploaded,
 *   nor one elsewhere than by https, unless it stands on this machine itself, and not pass another proposal off as this one.
 * - Faults that may pass are tried again a few times; a refusal is final.
 * - The protocol: `docs/formats/proposal.md`.
 */
import { equalBytes } from '../../formats/bytes.ts';
import type { Instant } from '../../formats/instant.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { parseProblemAnswer } from '../../formats/problem-answer.ts';
import { parseProposalAnswer, type ProposalAnswer, type UploadAddress } from '../../formats/proposal-answer.ts';
import { encodeProposal, type Proposal } from '../../formats/proposal.ts';
import {
  incomingFiles,
  parseStoredProposal,
  type IncomingFile,
  type StoredProposal,
} from '../../formats/stored-proposal.ts';
import { accept, reject, type Accepted } from '../../formats/verdict.ts';
import { sendRequest, type HttpAnswer, type Sent } from './control-client-http.ts';
import { readProposal, type Draft, type ProposalFiles } from './proposal-files.ts';

/** What the runner gives to a step. */
export type Runner = {
  /** A fresh token of this run, made for `audience`. */
  readonly idToken: (audience: string) => Promise<string>;
  /** Keeps a text out of the log. */
  readonly mask: (secret: string) => void;
  readonly say: (line: string) => void;
  readonly wait: (ms: number) => Promise<void>;
};
export type ControlPlaneAddress = { readonly url: URL; readonly audience: string };
export type Proposed = {
  readonly id: string;
  /** Where the proposal is shown. */
  readonly url: string;
  readonly at: Instant;
  readonly proposal: Proposal;
};

/** What was done, or a refusal: with a code of ours, or of the control plane, which may know more of them. */
export type Outcome<T> = Accepted<T> | { readonly ok: false; readonly code: string; readonly detail: string };

const ATTEMPTS_MAX = 3;
const FIRST_WAIT_MS = 1_000;
const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost'];

/** Whether a control plane, or an upload, may be reached at `url`: by https, or on this machine. */
export function isSafeAddress({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname));
}

/** Proposes what `draft` lists. @returns the open proposal, or the refusal of the control plane. */
export async function propose(draft: Draft, control: ControlPlaneAddress, runner: Runner): Promise<Outcome<Proposed>> {
  const files = await readProposal(draft);
  if (!files.ok) return files;
  const { proposal } = files.value;
  const at = new URL(`/api/v1/${proposal.product}/proposals`, control.url);
  const said = await ask(control, runner, { url: at, body: encodeProposal(proposal) });
  if (!said.ok) return said;
  const answer = parseProposalAnswer(said.value.body);
  if (!answer.ok) return answer;
  const uploaded = await uploadAll(answer.value, files.value, { control, runner });
  if (!uploaded.ok) return uploaded;
  const url = new URL(`${at.pathname}/${answer.value.id}`, at);
  const completed = await ask(control, runner, { url: new URL(`${url.pathname}/complete`, url), body: undefined });
  if (!completed.ok) return completed;
  const stored = parseStoredProposal(completed.value.body);
  if (!stored.ok) return stored;
  return isWhatWasProposed(stored.value, answer.value.id, proposal)
    ? accept({ id: stored.value.id, url: url.href, at: stored.value.at, proposal })
    : reject('PROPOSAL_MALFORMED', 'the control plane shows another proposal than this one, open');
}

/** Whether `stored` is the open proposal `id`, and says what was proposed: whoever takes it from there takes it by its id. */
function isWhatWasProposed(stored: StoredProposal, id: string, proposal: Proposal): boolean {
  return (
    stored.id === id && stored.state === 'open' && equalBytes(encodeProposal(stored.proposal), encodeProposal(proposal))
  );
}

/** A POST to the control plane with a token of its own, once more with another where it failed in a way that may pass. */
async function ask(
  { audience }: ControlPlaneAddress,
  runner: Runner,
  { url, body }: { readonly url: URL; readonly body: Uint8Array | undefined },
): Promise<Outcome<HttpAnswer>> {
  return untilAnswered(runner, async () => {
    const token = await runner.idToken(audience);
    runner.mask(token);
    const fields = new Map([
      ['authorization', `Bearer ${token}`],
      ['content-type', 'application/json'],
    ]);
    return sendRequest({ method: 'POST', url, fields, body });
  });
}

/** Uploads each file to the address that was given for it, after finding that the addresses are those of the proposal. */
async function uploadAll(
  { id, uploads }: ProposalAnswer,
  { proposal, paths }: ProposalFiles,
  { control, runner }: { readonly control: ControlPlaneAddress; readonly runner: Runner },
): Promise<Outcome<void>> {
  const files = incomingFiles(id, proposal);
  const isAsked = uploads.length === files.length && files.every((file, i) => isFor(uploads[i], file));
  if (!isAsked) return reject('PROPOSAL_MALFORMED', 'the control plane asks for other files than were proposed');
  for (const [i, { component, file }] of files.entries()) {
    const { url = '', fields = new Map<string, string>() } = uploads[i] ?? {};
    runner.mask(url);
    const target = URL.canParse(url, control.url.href) ? new URL(url, control.url) : undefined;
    if (target === undefined || !isSafeAddress(target)) {
      return reject('PROPOSAL_MALFORMED', 'the control plane asks for an upload to no safe address');
    }
    const place = `${component}/${file.name}`;
    const sent: Sent = {
      method: 'PUT',
      url: target,
      fields,
      body: { path: paths.get(place) ?? '', length: file.length },
    };
    const answer = await untilAnswered(runner, () => sendRequest(sent), [412]);
    if (!answer.ok) return answer;
    runner.say(`${place}: ${file.length} bytes, SHA-256 ${file.sha256}`);
  }
  return accept(undefined);
}

function isFor(upload: UploadAddress | undefined, { component, file }: IncomingFile): boolean {
  return upload?.component === component && upload.file === file.name;
}

/**
 * The answer to a request that is sent up to three times. @param done statuses beside those of success that mean it was done
 * before: an upload whose first answer was lost stands there already.
 */
async function untilAnswered(
  { say, wait }: Runner,
  request: () => Promise<HttpAnswer>,
  done: readonly number[] = [],
): Promise<Outcome<HttpAnswer>> {
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt === ATTEMPTS_MAX;
    const answer = await orFault(request());
    if (answer instanceof OperationError) {
      if (isLast || !answer.retriable) throw answer;
      say(`${answer.message}; once more`);
    } else if (answer.status < 300 || done.includes(answer.status)) {
      return accept(answer);
    } else if (isLast || answer.status < 500) {
      return refusalOf(answer);
    } else {
      say(`the server answers ${answer.status}; once more`);
    }
    await wait(FIRST_WAIT_MS * attempt);
  }
}

async function orFault(answer: Promise<HttpAnswer>): Promise<HttpAnswer | OperationError> {
  try {
    return await answer;
  } catch (fault) {
    if (fault instanceof OperationError) return fault;
    throw fault;
  }
}

/** The refusal that an answer is: its own code and words where it has them. */
function refusalOf({ status, body }: HttpAnswer): Outcome<never> {
  const problem = parseProblemAnswer(body);
  if (problem !== undefined) return { ok: false, ...problem };
  return reject('RESPONSE_UNEXPECTED', `the server answers ${status}`);
}
