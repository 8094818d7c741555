/**
 * Identities over EST (RFC 7030) for devices whose host has `fetch`: `simpleenroll`, `simplereenroll`, and two paths of ours.
 *
 * - The body of a request is PKCS#10 in base64, that of an answer certificates alone in PKCS#7 in base64 (RFC 8951).
 * - The proof travels beside it, in the field `Firmament-Proof`, in base64.
 * - Every answer has a limit in bytes and in time; redirects are not followed.
 */
import { concatBytes, encodeBase64 } from '../../formats/bytes.ts';
import { knownCode, type Code } from '../../formats/codes.ts';
import { decodeJson, object, text } from '../../formats/decode.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { certificateIn } from './certificates-only.ts';
import type { ConnectedIdentityClient } from './identity-client.ts';

const ANSWER_BYTES_MAX = 16_384;
const ANSWER_MS_MAX = 15_000;
const PATHS = { enrol: 'simpleenroll', rotate: 'simplereenroll' } as const;
const problemDecoder = object('ignored', { code: text(64), detail: text(1_024) });

/** A client for the EST address of a product, which ends in `/.well-known/est/PRODUCT/`. */
export function identityClientHttp(base: URL, stop: AbortSignal): ConnectedIdentityClient {
  const ask = (path: string, init: RequestInit): Promise<{ status: number; body: Uint8Array }> =>
    request(new URL(path, base), { ...init, redirect: 'manual', signal: stop });
  return {
    nonce: async () => {
      const { status, body } = await ask('nonce', { method: 'GET' });
      if (status !== 200) throw unexpected('nonce', status);
      return body;
    },
    enrol: async ({ purpose, csr, proof }) => {
      const { status, body } = await ask(PATHS[purpose], {
        method: 'POST',
        headers: { 'content-type': 'application/pkcs10', 'firmament-proof': encodeBase64(proof) },
        body: encodeBase64(csr),
      });
      return status === 200 ? certificateIn(body) : refusal(PATHS[purpose], status, body);
    },
    use: async (said) => {
      const { status, body } = await ask('use', { method: 'POST', body: Uint8Array.from(said) });
      return status === 204 ? accept(undefined) : refusal('use', status, body);
    },
  };
}

async function request(url: URL, init: RequestInit): Promise<{ status: number; body: Uint8Array }> {
  const signal = AbortSignal.any([AbortSignal.timeout(ANSWER_MS_MAX), ...(init.signal ? [init.signal] : [])]);
  try {
    const answer = await fetch(url, { ...init, signal });
    return { status: answer.status, body: await readBody(answer) };
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    throw new OperationError('NETWORK_UNREACHABLE', `${url.host} does not answer`, { retriable: true, cause });
  }
}

async function readBody(answer: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = answer.body?.getReader();
  for (;;) {
    const chunk = (await reader?.read())?.value;
    if (chunk === undefined) return concatBytes(...chunks);
    sizeBytes += chunk.length;
    if (sizeBytes > ANSWER_BYTES_MAX) {
      throw new OperationError('RESPONSE_TOO_LARGE', `more than ${ANSWER_BYTES_MAX} bytes`, { retriable: true });
    }
    chunks.push(chunk);
  }
}

/** A refusal with the signer's own code, where it is one that is known. */
function refusal(path: string, status: number, body: Uint8Array): Verdict<never, Code> {
  const problem = decodeJson(body, ANSWER_BYTES_MAX, problemDecoder);
  const code = problem.ok ? knownCode(problem.value.code) : undefined;
  if (!problem.ok || code === undefined || status >= 500) throw unexpected(path, status);
  return reject(code, problem.value.detail);
}

function unexpected(path: string, status: number): OperationError {
  return new OperationError('RESPONSE_UNEXPECTED', `${path}: status ${status}`, { retriable: status >= 500 });
}
