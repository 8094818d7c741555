/** The action `propose` as the runner runs it, against a real control plane and an issuer of real tokens. */
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleAction, bundleFile, BUNDLED_ACTIONS } from '../../actions/bundle-action.ts';
import type { Draft } from '../../actions/propose/proposal-files.ts';
import { propose, type Outcome, type Proposed, type Runner } from '../../actions/propose/run.ts';
import { equalBytes } from '../../formats/bytes.ts';
import { encodeStoredProposal, parseStoredProposal, type StoredProposal } from '../../formats/stored-proposal.ts';
import { accepted } from '../accepted.ts';
import {
  AUDIENCE,
  controlForTests,
  IMAGE,
  JOB,
  PRODUCT,
  proposalOf,
  PROPOSALS,
  PROVENANCE,
} from '../ota-server/running-control.ts';
import { PROJECT } from '../results.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { runFile, runStep, type StepEnd } from '../../pilot/action-runner.ts';

const control = controlForTests();
const COMPONENT = {
  ...{ component: 'gateway', firmwareVersion: '1.0.0', securityCounter: 1, hardwareIds: ['gw-a'], installer: 'slot' },
  ...{ image: 'dist/gateway.js', statements: ['dist/provenance.json'] },
};
const ended: (() => void | Promise<void>)[] = [];
let workspace: string;
afterAll(async () => {
  for (const end of ended) await end();
});
beforeAll(() => {
  workspace = temporaryFolder('workspace', (work) => ended.push(work));
  cpSync(new URL('../vectors/proposal', import.meta.url), join(workspace, 'dist'), { recursive: true });
  writeFileSync(join(workspace, 'dist', 'gateway.js'), IMAGE);
  writeFileSync(join(workspace, 'dist', 'provenance.json'), PROVENANCE);
});

const inputs = (changed: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  ...{ 'control-url': control.url, audience: AUDIENCE, product: PRODUCT, release: '1.0.0' },
  ...{ components: JSON.stringify([COMPONENT]), notes: 'the first one' },
  ...changed,
});
const step = (changed: Readonly<Record<string, string>> = {}, job = JOB): Promise<StepEnd> =>
  runStep('propose', { inputs: inputs(changed), workspace, oidc: control.issuer.requestFor(job) });

describe('the bundle', () => {
  test.each(BUNDLED_ACTIONS)('of %s is its source, byte for byte, however often it is made', async (action) => {
    const [first, second] = await Promise.all([bundleAction(action), bundleAction(action)]);
    const committed = readFileSync(join(PROJECT, bundleFile(action)));
    expect(equalBytes(first, second)).toBe(true);
    expect(equalBytes(first, committed), 'made anew by: node cli/node24.js actions/bundle-action.ts --write').toBe(
      true,
    );
  });

  test.each(BUNDLED_ACTIONS)('of %s names no machine, and runs with nothing beside it', async (action) => {
    expect(readFileSync(join(PROJECT, bundleFile(action)), 'utf8').includes(PROJECT)).toBe(false);
    const alone = temporaryFolder('action');
    cpSync(join(PROJECT, bundleFile(action)), join(alone, 'index.js'));
    writeFileSync(join(alone, 'package.json'), '{"type":"module"}');
    const { exit, log } = await runFile(join(alone, 'index.js'), { inputs: {}, workspace: alone, oidc: undefined });
    expect([exit, log.trim()]).toEqual([1, '::error::USAGE: the input control-url is missing']);
  });

  test('is what the action names, for the Node that runners have', () => {
    const text = readFileSync(join(PROJECT, 'actions/propose/action.yml'), 'utf8');
    expect(text).toMatch(/^runs:\n  using: node24\n  main: dist\/index\.js$/m);
  });
});

describe('a step of a workflow', () => {
  test('proposes its files: they stand in incoming, the proposal is open, and names the run as its author', async () => {
    const { exit, log, outputs, summary } = await step();
    expect(log).toContain(`Proposed ${PRODUCT} 1.0.0`);
    expect(exit).toBe(0);
    const id = outputs.get('proposal-id') ?? '';
    expect(outputs.get('proposal-url')).toBe(`${control.url}${PROPOSALS}/${id}`);
    expect(summary).toContain(createHash('sha256').update(IMAGE).digest('hex'));
    const said = await control.ask('GET', `${PROPOSALS}/${id}`, { token: await control.token() });
    const stored = accepted(parseStoredProposal(Buffer.from(said.body)));
    expect(stored).toMatchObject({ state: 'open', proposal: { release: '1.0.0', notes: 'the first one' } });
    expect(stored.proposedBy.claims.get('workflow_ref')).toBe(
      'acme/gateway/.github/workflows/release.yml@refs/heads/main',
    );
    const incoming = join(control.folder, 'store', 'incoming', PRODUCT, id, 'gateway');
    expect(readdirSync(incoming).sort()).toEqual(['gateway.js', 'provenance.json']);
    expect(equalBytes(readFileSync(join(incoming, 'gateway.js')), IMAGE)).toBe(true);
  });

  test('shows neither tokens nor the permissions of uploads in its log, but where it has them masked', async () => {
    const { log } = await step();
    const masked = [...log.matchAll(/^::add-mask::(.*)$/gm)].map(([, secret = '']) => secret);
    expect(masked.some((secret) => secret.startsWith('eyJ'))).toBe(true);
    expect(masked.filter((secret) => secret.includes('permission=')).length).toBe(2);
    const shown = log.replace(/^::add-mask::.*$/gm, '');
    for (const secret of masked) expect(shown).not.toContain(secret);
    expect(shown).not.toContain('permission=');
  });

  test.each([
    { what: 'for another repository', job: { ...JOB, repository: 'acme/other' }, code: 'PROPOSER_REFUSED' },
    {
      what: 'with a token for somebody else',
      changed: { audience: 'https://x.example' },
      code: 'TOKEN_AUDIENCE_MISMATCH',
    },
    { what: 'over plain http', changed: { 'control-url': 'http://control.example' }, code: 'USAGE' },
    { what: 'with a list that is none', changed: { components: '[{}]' }, code: 'PROPOSAL_MALFORMED' },
  ])('$what fails with its code, and has no outputs', async ({ job, changed, code }) => {
    const { exit, log, outputs } = await step(changed, job);
    expect(log).toContain(`::error::${code}: `);
    expect(exit).toBe(1);
    expect(outputs.size).toBe(0);
  });

  test('that may not ask for tokens fails, and says so', async () => {
    const { exit, log } = await runStep('propose', { inputs: inputs(), workspace, oidc: undefined });
    expect(exit).toBe(1);
    expect(log).toMatch(/^::error::NETWORK_UNREACHABLE: .*id-token: write/m);
  });
});

/** The work of a step without its bundle, for what needs no runner. */
async function proposeHere(
  changed: Partial<Draft> = {},
  at = control.url,
): Promise<{
  readonly outcome: Outcome<Proposed>;
  readonly said: readonly string[];
  readonly waits: readonly number[];
}> {
  const said: string[] = [];
  const waits: number[] = [];
  const components = [{ ...COMPONENT, installer: 'slot' as const }];
  const draft: Draft = {
    product: PRODUCT,
    release: '1.0.0',
    components,
    notes: undefined,
    folder: workspace,
    ...changed,
  };
  const runner: Runner = {
    idToken: (audience) => control.issuer.sign(control.issuer.claimsOf(JOB, audience)),
    mask: () => undefined,
    say: (line) => void said.push(line),
    wait: async (ms) => void waits.push(ms),
  };
  const outcome = await propose(draft, { url: new URL(at), audience: AUDIENCE }, runner);
  return { outcome, said, waits };
}

describe('before anything is sent', () => {
  test.each([
    ['a release that is no name', { release: '../1' }],
    ['notes that turn the direction of writing', { notes: '\u202e' }],
    [
      'two files of one name',
      { components: [{ ...COMPONENT, installer: 'slot' as const, statements: ['dist/gateway.js'] }] },
    ],
  ])('%s is refused', async (_, changed) => {
    const { outcome } = await proposeHere(changed, 'http://127.0.0.1:9');
    expect(outcome).toMatchObject({ ok: false, code: 'PROPOSAL_MALFORMED' });
  });

  test.each(['none', 'dist'])('a path without a file is a fault: %s', async (image) => {
    const components = [{ ...COMPONENT, installer: 'slot' as const, image }];
    await expect(proposeHere({ components }, 'http://127.0.0.1:9')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

describe('a control plane that lies', () => {
  type Lie = (request: IncomingMessage) => {
    readonly status: number;
    readonly body?: string;
    readonly location?: string;
  };
  type Told = { readonly url: string; readonly asked: string[]; readonly tokens: string[]; readonly close: () => void };

  async function liar(lie: Lie): Promise<Told> {
    const asked: string[] = [];
    const tokens: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (request.headers.authorization !== undefined) tokens.push(request.headers.authorization);
      const { status, body = '', location } = lie(request);
      request
        .resume()
        .on('end', () => response.writeHead(status, location === undefined ? {} : { location }).end(body));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { url, asked, tokens, close: () => void server.close() };
  }

  async function against(lie: Lie): Promise<Awaited<ReturnType<typeof proposeHere>> & Told> {
    const told = await liar(lie);
    const done = await proposeHere({}, told.url);
    told.close();
    return { ...done, ...told };
  }

  const answer = (uploads: readonly object[]): string =>
    JSON.stringify({ version: 1, id: '0'.repeat(32), uploadsUntil: '2030-01-01T00:00:00Z', uploads });
  const upload = (file: string, url = '/put') => ({ component: 'gateway', file, url, fields: {} });

  test.each([
    ['another file', [upload('gateway.js'), upload('secrets.txt')]],
    ['one file twice', [upload('gateway.js'), upload('gateway.js')]],
    ['a file more', [upload('gateway.js'), upload('provenance.json'), upload('more')]],
    ['a file less', [upload('gateway.js')]],
    ['an upload by plain http', [upload('gateway.js', 'http://evil.example/put'), upload('provenance.json')]],
    ['an upload to a file', [upload('gateway.js', 'file:///etc/passwd'), upload('provenance.json')]],
  ])('and asks for %s gets nothing', async (_, uploads) => {
    const { outcome, asked } = await against(() => ({ status: 201, body: answer(uploads) }));
    expect(outcome).toMatchObject({ ok: false, code: 'PROPOSAL_MALFORMED' });
    expect(asked).toEqual([`POST ${PROPOSALS}`]);
  });

  const shown: StoredProposal = {
    ...{ id: '0'.repeat(32), at: 0, uploadsUntil: 0, state: 'open' },
    proposedBy: { issuer: 'https://issuer.example', subject: 'somebody', claims: new Map() },
    proposal: { ...proposalOf(), notes: undefined },
  };
  test.each<readonly [string, StoredProposal, string]>([
    ['what was proposed', shown, 'proposed'],
    ['the proposal of another id', { ...shown, id: '1'.repeat(32) }, 'PROPOSAL_MALFORMED'],
    ['one that still waits for files', { ...shown, state: 'uploading' }, 'PROPOSAL_MALFORMED'],
    ['other files', { ...shown, proposal: { ...shown.proposal, release: '6.6.6' } }, 'PROPOSAL_MALFORMED'],
    ['another product', { ...shown, proposal: { ...shown.proposal, product: 'other' } }, 'PROPOSAL_MALFORMED'],
  ])('and shows %s in the end is held to it', async (_, stored, expected) => {
    const uploads = [upload('gateway.js'), upload('provenance.json')];
    const { outcome } = await against(({ method, url }) => {
      if (method === 'PUT') return { status: 201 };
      const isEnd = url?.endsWith('/complete') === true;
      return { status: 200, body: isEnd ? Buffer.from(encodeStoredProposal(stored)).toString() : answer(uploads) };
    });
    expect(outcome.ok ? 'proposed' : outcome.code).toBe(expected);
  });

  test('gets no token at the addresses of uploads, and a fresh one at each of its own', async () => {
    const uploads = [upload('gateway.js'), upload('provenance.json')];
    const { asked, tokens } = await against(({ method }) => ({
      status: method === 'PUT' ? 201 : 200,
      body: answer(uploads),
    }));
    expect(asked).toEqual([
      `POST ${PROPOSALS}`,
      'PUT /put',
      'PUT /put',
      `POST ${PROPOSALS}/${'0'.repeat(32)}/complete`,
    ]);
    expect(new Set(tokens).size).toBe(2);
  });

  test('and redirects is not followed', async () => {
    const { outcome, asked } = await against(() => ({ status: 307, location: `${control.url}${PROPOSALS}` }));
    expect(outcome).toMatchObject({ ok: false, code: 'RESPONSE_UNEXPECTED' });
    expect(asked).toHaveLength(1);
  });

  test('and answers without an end is given up', async () => {
    const told = await liar(() => ({ status: 200, body: 'x'.repeat(1_048_577) }));
    await expect(proposeHere({}, told.url)).rejects.toMatchObject({ code: 'RESPONSE_TOO_LARGE' });
    told.close();
  });

  test('and fails for a moment is asked again with another token, and no more than three times', async () => {
    const { outcome, asked, tokens, waits } = await against(() => ({ status: 503 }));
    expect(outcome).toMatchObject({ ok: false, code: 'RESPONSE_UNEXPECTED' });
    expect([asked.length, new Set(tokens).size, waits]).toEqual([3, 3, [1_000, 2_000]]);
    await expect(proposeHere({}, 'http://127.0.0.1:9')).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' });
  });

  test('takes an upload whose first answer was lost for done: it stands there already', async () => {
    let puts = 0;
    const uploads = [upload('gateway.js'), upload('provenance.json')];
    const { said } = await against(({ method }) => {
      if (method !== 'PUT') return { status: 200, body: answer(uploads) };
      return { status: puts++ === 0 ? 500 : 412 };
    });
    expect(said).toEqual([
      'the server answers 500; once more',
      expect.stringMatching(/^gateway\/gateway\.js: 100000 bytes/),
      expect.stringMatching(/^gateway\/provenance\.json: /),
    ]);
  });

  test('has no command for the runner that stands in its words run', async () => {
    const told = await liar(() => ({ status: 400, body: '{"code":"X","detail":"a\\n::set-output name=x::y"}' }));
    const { log } = await step({ 'control-url': told.url });
    told.close();
    expect(log).toContain('::error::RESPONSE_UNEXPECTED: the server answers 400');
    expect(log).not.toContain('set-output');
  });
});
