/**
 * An OpenID Connect issuer on this machine, as a CI service runs one: discovery, keys, and tokens for jobs that ask.
 *
 * - Tokens are real: RS256 over the claims that GitHub's tokens have, signed by a key that lives as long as the issuer.
 * - A job asks with the request token that its runner was given, and says for whom the token is to be made.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

/** What a job is: its repository, and the ref that it runs for. */
export type Job = { readonly repository: string; readonly ref: string; readonly actor: string; readonly runId: string };

export type OidcIssuer = {
  /** The issuer's name, and its address. */
  readonly url: string;
  /** What a runner gives its job: `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  readonly requestFor: (job: Job) => { readonly url: string; readonly token: string };
  /** The claims of a token of `job`, as this issuer would sign them now. */
  readonly claimsOf: (job: Job, audience: string) => Readonly<Record<string, unknown>>;
  /** Signs claims as they are. */
  readonly sign: (claims: Readonly<Record<string, unknown>>) => Promise<string>;
  /** Signs with a new key from now on, under the same key id or another. */
  readonly replaceKey: (kid: string) => Promise<void>;
  /** The public keys as they are published. */
  readonly keys: () => readonly JWK[];
  readonly close: () => Promise<void>;
};

const TOKEN_SECONDS = 300;
const REQUEST_AT = '/request';

type Key = { readonly kid: string; readonly privateKey: CryptoKey; readonly jwk: JWK };

/** Starts an issuer on a port that the system chooses. */
export async function startOidcIssuer(): Promise<OidcIssuer> {
  let key = await makeKey('key-1');
  let url = '';
  const jobs = new Map<string, Job>();
  const claimsOf: OidcIssuer['claimsOf'] = (job, audience) => githubClaims(url, job, audience);
  const sign: OidcIssuer['sign'] = (claims) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid }).sign(key.privateKey);
  const answer = async (request: IncomingMessage): Promise<object | undefined> => {
    const asked = new URL(request.url ?? '/', url);
    switch (asked.pathname) {
      case '/.well-known/openid-configuration':
        return { issuer: url, jwks_uri: `${url}/.well-known/jwks`, id_token_signing_alg_values_supported: ['RS256'] };
      case '/.well-known/jwks':
        return { keys: [key.jwk] };
      case REQUEST_AT: {
        const job = jobs.get(request.headers.authorization ?? '');
        return job && { value: await sign(claimsOf(job, asked.searchParams.get('audience') ?? '')) };
      }
      default:
        return undefined;
    }
  };
  const server = createServer((request, response) => void send(answer(request), response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
  return {
    ...{ url, claimsOf, sign },
    requestFor: (job) => {
      const token = randomUUID();
      jobs.set(`Bearer ${token}`, job);
      // The toolkit appends `&audience=…`: the address has a query already, as GitHub's has.
      return { url: `${url}${REQUEST_AT}?api-version=2.0`, token };
    },
    replaceKey: async (kid) => void (key = await makeKey(kid)),
    keys: () => [key.jwk],
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function makeKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}

/** The claims of GitHub's tokens, as its documentation of OpenID Connect lists them. */
function githubClaims(issuer: string, job: Job, audience: string): Readonly<Record<string, unknown>> {
  const { repository, ref, actor, runId } = job;
  const now = Math.floor(Date.now() / 1000);
  const workflow = `${repository}/.github/workflows/release.yml@${ref}`;
  return {
    ...{ iss: issuer, aud: audience, sub: `repo:${repository}:ref:${ref}`, jti: randomUUID() },
    ...{ iat: now, nbf: now - 10, exp: now + TOKEN_SECONDS },
    ...{ repository, repository_id: '4711', repository_owner: repository.split('/')[0], ref, ref_type: 'branch' },
    ...{ workflow: 'release', workflow_ref: workflow, job_workflow_ref: workflow, sha: '1'.repeat(40) },
    ...{ actor, actor_id: '42', event_name: 'push', run_id: runId, run_number: '7', run_attempt: '1' },
    ...{ runner_environment: 'github-hosted', repository_visibility: 'private' },
  };
}

async function send(answer: Promise<object | undefined>, response: ServerResponse): Promise<void> {
  const body = await answer;
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body ?? {}));
}
