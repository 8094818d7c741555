/** A running control plane over folders of its own, with an issuer whose tokens are as good or as bad as a test needs them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes, createHash } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { encodeProposal, type Proposal } from '../../formats/proposal.ts';
import { parseProposalAnswer, type ProposalAnswer } from '../../formats/proposal-answer.ts';
import { issuerKeysHttp } from '../../ota-server/issuer-keys-http.ts';
import { proposalStoreFolder } from '../../ota-server/proposal-store-folder.ts';
import type { ProposalStore } from '../../ota-server/proposal-store.ts';
import { createRateLimit, type RateRule } from '../../ota-server/rate-limit.ts';
import { serveControl } from '../../ota-server/serve-control.ts';
import type { ServerEvent } from '../../ota-server/server-event.ts';
import { uploadDeskFolder } from '../../ota-server/upload-desk-folder.ts';
import { startOidcIssuer, type Job, type OidcIssuer } from '../../pilot/oidc-issuer.ts';
import { accepted } from '../accepted.ts';

export const AUDIENCE = 'https://updates.example';
export const PRODUCT = 'gateway';
export const JOB: Job = { repository: 'acme/gateway', ref: 'refs/heads/main', actor: 'ada', runId: '1001' };
export const IMAGE: Uint8Array = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 251);
export const PROVENANCE: Uint8Array = new TextEncoder().encode('{"payloadType":"application/vnd.in-toto+json"}');

/** A proposal of one image and one statement. */
export function proposalOf(release = '1.0.0'): Proposal {
  const file = (name: string, bytes: Uint8Array) => ({
    name,
    length: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
  return {
    product: PRODUCT,
    release,
    components: [
      {
        ...{
          component: 'gateway',
          firmwareVersion: '1.0.0',
          securityCounter: 1,
          hardwareIds: ['gw-a'],
          installer: 'slot',
        },
        image: file('gateway.js', IMAGE),
        statements: [file('provenance.json', PROVENANCE)],
      },
    ],
    notes: 'the first one',
  };
}

export type Said = { readonly status: number; readonly body: string; readonly headers: Headers };
export type ControlUnderTest = {
  readonly url: string;
  readonly issuer: OidcIssuer;
  readonly folder: string;
  readonly events: ServerEvent[];
  /** Moves the clock of the control plane. */
  readonly advance: (ms: number) => void;
  /** A token of `JOB`, with claims changed. */
  readonly token: (changed?: Readonly<Record<string, unknown>>) => Promise<string>;
  readonly ask: (method: string, path: string, of?: { token?: string; body?: Uint8Array | string }) => Promise<Said>;
  readonly propose: (token: string, proposal?: Proposal) => Promise<Said>;
  /** Proposes and uploads everything. */
  readonly proposeAll: (token: string, proposal?: Proposal) => Promise<ProposalAnswer>;
  readonly put: (url: string, body: Uint8Array) => Promise<Said>;
};

export const PROPOSALS: string = `/api/v1/${PRODUCT}/proposals`;

/** Starts one control plane for all tests of a file. @param rate how often a subject may propose. @param open where proposals are kept. */
export function controlForTests(
  rate: RateRule = { burst: 1_000, refillMs: 1 },
  open: (folder: string) => Promise<ProposalStore> | ProposalStore = proposalStoreFolder,
): ControlUnderTest {
  const held: { control?: ControlUnderTest; end?: () => Promise<void> } = {};
  beforeAll(async () => {
    const { control, end } = await startControl(rate, open);
    Object.assign(held, { control, end });
  });
  afterAll(async () => held.end?.());
  return new Proxy({} as ControlUnderTest, {
    get: (_, name) => held.control?.[name as keyof ControlUnderTest],
  });
}

async function startControl(
  rate: RateRule,
  open: (folder: string) => Promise<ProposalStore> | ProposalStore,
): Promise<{ readonly control: ControlUnderTest; readonly end: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-control-'));
  const issuer = await startOidcIssuer();
  const events: ServerEvent[] = [];
  let shift = 0;
  const desk = uploadDeskFolder(join(folder, 'store'), randomBytes(32));
  const server = await serveControl({
    desk: {
      proposals: await open(join(folder, 'proposals')),
      uploads: desk,
      rate: createRateLimit(rate),
      uploadMs: 3_600_000,
      randomHex: () => randomBytes(16).toString('hex'),
    },
    rules: [{ product: PRODUCT, issuer: issuer.url, subject: 'repo:acme/gateway:ref:refs/heads/*' }],
    tokens: { audience: AUDIENCE, issuers: new Set([issuer.url]), keys: issuerKeysHttp() },
    receive: desk.receive,
    log: (event) => events.push(event),
    now: () => Date.now() + shift,
    host: '127.0.0.1',
    port: 0,
  });
  const url = `http://127.0.0.1:${server.port}`;
  const ask: ControlUnderTest['ask'] = async (method, path, of = {}) => {
    const headers: Record<string, string> = of.token === undefined ? {} : { authorization: `Bearer ${of.token}` };
    const body = typeof of.body === 'string' ? of.body : of.body && Uint8Array.from(of.body);
    const response = await fetch(new URL(path, url), { method, headers, ...(body !== undefined && { body }) });
    return { status: response.status, body: await response.text(), headers: response.headers };
  };
  const propose: ControlUnderTest['propose'] = (token, proposal = proposalOf()) =>
    ask('POST', PROPOSALS, { token, body: encodeProposal(proposal) });
  const put: ControlUnderTest['put'] = (path, body) => ask('PUT', path, { body });
  const control: ControlUnderTest = {
    ...{ url, issuer, folder, events, ask, propose, put },
    advance: (ms) => void (shift += ms),
    token: (changed = {}) => issuer.sign({ ...issuer.claimsOf(JOB, AUDIENCE), ...changed }),
    proposeAll: async (token, proposal) => {
      const answer = accepted(parseProposalAnswer(Buffer.from((await propose(token, proposal)).body)));
      for (const { url: at, file } of answer.uploads) await put(at, file === 'gateway.js' ? IMAGE : PROVENANCE);
      return answer;
    },
  };
  const end = async (): Promise<void> => {
    await server.close();
    await issuer.close();
    rmSync(folder, { recursive: true });
  };
  return { control, end };
}
