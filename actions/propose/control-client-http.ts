/**
 * Requests to a control plane and to where it takes uploads, as a workflow makes them.
 *
 * - A token goes to the control plane alone; the addresses of uploads carry their own permission and get no other.
 * - Redirects are not followed. A connection that stands still is given up; answers have a length.
 * - A file is sent as it is read, with the length that was proposed: memory does not grow with the image.
 */
import { createReadStream } from 'node:fs';
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { concatBytes } from '../../formats/bytes.ts';
import { OperationError } from '../../formats/operation-error.ts';

export type Sent = {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Uint8Array | { readonly path: string; readonly length: number } | undefined;
};
export type HttpAnswer = { readonly status: number; readonly body: Uint8Array };

const SILENCE_MS_MAX = 60_000;
const ANSWER_BYTES_MAX = 1_048_576;

/** Sends one request and reads its answer. @throws OperationError where there is none, or it is too long. */
export function sendRequest(sent: Sent): Promise<HttpAnswer> {
  const { method, url, fields, body } = sent;
  const length = body === undefined ? 0 : body.length;
  const headers = {
    'user-agent': 'firmament-propose',
    ...Object.fromEntries(fields),
    'content-length': String(length),
  };
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, refuse) => {
    const failed = (cause: Error): void => refuse(faultOf(url, cause));
    const made = request(url, { method, headers, agent: false }, (response) => {
      readAnswer(response).then(resolve, (cause: unknown) =>
        failed(cause instanceof Error ? cause : new Error('broken off')),
      );
    });
    made.setTimeout(SILENCE_MS_MAX, () => made.destroy(new Error('no progress')));
    made.once('error', failed);
    sendBody(made, body);
  });
}

function sendBody(request: ClientRequest, body: Sent['body']): void {
  if (body === undefined || body instanceof Uint8Array) {
    request.end(body);
    return;
  }
  // Read to the proposed length and no further: what a file has grown by since is none of the proposal.
  const file = createReadStream(body.path, { end: body.length - 1 });
  file.once('error', (fault) => request.destroy(fault));
  file.pipe(request);
}

async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const arriving: AsyncIterable<Uint8Array> = response;
  for await (const chunk of arriving) {
    sizeBytes += chunk.length;
    if (sizeBytes > ANSWER_BYTES_MAX) {
      throw new OperationError('RESPONSE_TOO_LARGE', `more than ${ANSWER_BYTES_MAX} bytes`, { retriable: false });
    }
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: concatBytes(...chunks) };
}

/** The fault, without the query of the address: that may be a permission. */
function faultOf({ origin, pathname }: URL, cause: Error): OperationError {
  if (cause instanceof OperationError) return cause;
  const detail = `${origin}${pathname} does not answer: ${cause.message}`;
  return new OperationError('NETWORK_UNREACHABLE', detail, { retriable: true, cause });
}
