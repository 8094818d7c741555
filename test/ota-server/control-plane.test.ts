/** Proposals over HTTP: what a workflow can do with its token and its uploads, and what nobody can. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeProposal, PROPOSAL_BYTES_MAX } from '../../formats/proposal.ts';
import { parseProposalAnswer, type ProposalAnswer, type UploadAddress } from '../../formats/proposal-answer.ts';
import { parseStoredProposal } from '../../formats/stored-proposal.ts';
import { accepted } from '../accepted.ts';
import { controlForTests, IMAGE, PRODUCT, PROPOSALS, proposalOf, PROVENANCE, type Said } from './running-control.ts';

const control = controlForTests();
const bytesOf = (said: Said): Uint8Array => Buffer.from(said.body);
const refusal = (status: number, code: string): { readonly status: number; readonly body: unknown } => {
  const body: unknown = expect.stringContaining(`"code":"${code}"`);
  return { status, body };
};

async function proposed(): Promise<{
  readonly token: string;
  readonly answer: ProposalAnswer;
  readonly image: UploadAddress;
}> {
  const token = await control.token();
  const answer = accepted(parseProposalAnswer(bytesOf(await control.propose(token))));
  const [image] = answer.uploads;
  if (image === undefined) throw new Error('every proposal has an image');
  return { token, answer, image };
}

function incoming(id: string): readonly string[] {
  try {
    return readdirSync(join(control.folder, 'store', 'incoming', PRODUCT, id, 'gateway'));
  } catch {
    return [];
  }
}

describe('a workflow with a good token', () => {
  test('proposes, uploads, completes, and is named in the proposal by issuer, subject and the claims that matter', async () => {
    const token = await control.token();
    const { id, uploads } = await control.proposeAll(token);
    expect(uploads.map(({ component, file }) => `${component}/${file}`)).toEqual([
      'gateway/gateway.js',
      'gateway/provenance.json',
    ]);
    const completed = await control.ask('POST', `${PROPOSALS}/${id}/complete`, { token });
    expect(completed.status).toBe(200);
    const stored = accepted(parseStoredProposal(bytesOf(completed)));
    expect(stored).toMatchObject({ id, state: 'open', proposal: proposalOf() });
    expect(stored.proposedBy.issuer).toBe(control.issuer.url);
    expect(stored.proposedBy.subject).toBe('repo:acme/gateway:ref:refs/heads/main');
    expect(stored.proposedBy.claims.get('actor')).toBe('ada');
    expect(stored.proposedBy.claims.get('run_id')).toBe('1001');
    expect(await control.ask('GET', `${PROPOSALS}/${id}`, { token })).toMatchObject({
      status: 200,
      body: completed.body,
    });
    const list = await control.ask('GET', PROPOSALS, { token });
    expect(JSON.parse(list.body)).toMatchObject({ version: 1, proposals: [{ id, state: 'open', release: '1.0.0' }] });
  });

  test('who completes twice changes nothing and gets the same answer', async () => {
    const token = await control.token();
    const { id } = await control.proposeAll(token);
    const once = await control.ask('POST', `${PROPOSALS}/${id}/complete`, { token });
    const twice = await control.ask('POST', `${PROPOSALS}/${id}/complete`, { token });
    expect(twice).toMatchObject({ status: 200, body: once.body });
  });

  test('proposes once with a token, and not again with the same one', async () => {
    const token = await control.token();
    expect((await control.propose(token)).status).toBe(201);
    expect(await control.propose(token)).toMatchObject(refusal(401, 'TOKEN_REPLAYED'));
  });

  test('proposes once with a token that has no id of its own', async () => {
    const token = await control.token({ jti: undefined });
    expect((await control.propose(token)).status).toBe(201);
    expect(await control.propose(token)).toMatchObject(refusal(401, 'TOKEN_REPLAYED'));
  });

  test('of two requests that race with one token one makes a proposal', async () => {
    const token = await control.token();
    const said = await Promise.all([control.propose(token), control.propose(token)]);
    expect(said.map(({ status }) => status).toSorted()).toEqual([201, 401]);
  });
});

describe('who asks without being let', () => {
  test('a request without a token is refused, and a token in the address is none', async () => {
    expect(await control.ask('GET', PROPOSALS)).toMatchObject(refusal(401, 'TOKEN_MISSING'));
    const said = await control.ask('GET', `${PROPOSALS}?access_token=${await control.token()}`);
    expect(said).toMatchObject(refusal(404, 'NOT_FOUND'));
    expect((await control.ask('GET', PROPOSALS)).headers.get('www-authenticate')).toBe('Bearer');
  });

  test.each([
    ['another repository', { sub: 'repo:acme/other:ref:refs/heads/main' }],
    ['a repository whose name begins alike', { sub: 'repo:acme/gateway-evil:ref:refs/heads/main' }],
    ['a tag where branches may', { sub: 'repo:acme/gateway:ref:refs/tags/v1' }],
    ['an environment', { sub: 'repo:acme/gateway:environment:prod' }],
    ['a pull request', { sub: 'repo:acme/gateway:pull_request' }],
    ['a pull request that runs on the main branch', { event_name: 'pull_request_target' }],
  ])('the subject of %s proposes nothing', async (_, changed) => {
    expect(await control.propose(await control.token(changed))).toMatchObject(refusal(403, 'PROPOSER_REFUSED'));
  });

  test('a subject that may propose for one product sees and proposes nothing of another', async () => {
    const token = await control.token();
    for (const [method, body] of [
      ['GET', undefined],
      ['POST', encodeProposal(proposalOf())],
    ] as const)
      expect(await control.ask(method, '/api/v1/other/proposals', { token, ...(body && { body }) })).toMatchObject(
        refusal(403, 'PROPOSER_REFUSED'),
      );
  });

  test('another run of the same workflow does not complete a proposal', async () => {
    const { id } = await control.proposeAll(await control.token());
    const token = await control.token({ run_id: '1002' });
    expect(await control.ask('POST', `${PROPOSALS}/${id}/complete`, { token })).toMatchObject(
      refusal(403, 'PROPOSER_REFUSED'),
    );
  });
});

describe('a body that is no proposal', () => {
  test('for another product than the address names is refused', async () => {
    const body = encodeProposal({ ...proposalOf(), product: 'other' });
    const token = await control.token();
    expect(await control.ask('POST', PROPOSALS, { token, body })).toMatchObject(refusal(400, 'PROPOSAL_MALFORMED'));
  });

  test('a body of the longest length is read, one byte more is refused', async () => {
    const body = encodeProposal(proposalOf());
    const padded = (length: number): string => Buffer.from(body).toString() + ' '.repeat(length - body.length);
    const ask = async (length: number): Promise<Said> =>
      control.ask('POST', PROPOSALS, { token: await control.token(), body: padded(length) });
    expect((await ask(PROPOSAL_BYTES_MAX)).status).toBe(201);
    expect(await ask(PROPOSAL_BYTES_MAX + 1)).toMatchObject(refusal(413, 'JSON_TOO_LARGE'));
  });

  test('a proposal that is refused costs no token', async () => {
    const token = await control.token();
    expect(await control.ask('POST', PROPOSALS, { token, body: '{}' })).toMatchObject(
      refusal(400, 'PROPOSAL_MALFORMED'),
    );
    expect((await control.propose(token)).status).toBe(201);
  });
});

describe('uploads', () => {
  test('other bytes of the same length leave nothing, and the right ones still arrive', async () => {
    const { answer, image } = await proposed();
    expect(await control.put(image.url, IMAGE.toReversed())).toMatchObject(refusal(422, 'UPLOAD_MISMATCH'));
    expect(incoming(answer.id)).toEqual([]);
    expect((await control.put(image.url, IMAGE)).status).toBe(201);
    expect(incoming(answer.id)).toEqual(['gateway.js']);
  });

  test.each([
    ['shorter', IMAGE.subarray(1)],
    ['longer', Buffer.concat([IMAGE, Uint8Array.of(0)])],
    ['empty', new Uint8Array()],
  ])('a body that is %s is refused before it is read', async (_, body) => {
    const { answer, image } = await proposed();
    expect(await control.put(image.url, body)).toMatchObject(refusal(422, 'UPLOAD_MISMATCH'));
    expect(incoming(answer.id)).toEqual([]);
  });

  test('what stands is not replaced, not even by itself', async () => {
    const { image } = await proposed();
    expect((await control.put(image.url, IMAGE)).status).toBe(201);
    expect(await control.put(image.url, IMAGE)).toMatchObject(refusal(412, 'CONDITION_FAILED'));
  });

  test('after the time of its address nothing is taken', async () => {
    const { answer, image } = await proposed();
    const { url } = image;
    const until = answer.uploadsUntil;
    const ahead = until - Date.now();
    control.advance(ahead);
    try {
      expect(await control.put(url, IMAGE)).toMatchObject(refusal(403, 'UPLOAD_EXPIRED'));
    } finally {
      control.advance(-ahead);
    }
    expect(incoming(answer.id)).toEqual([]);
  });

  test.each([
    ['its length', (url: string) => url.replace(/length=\d+/, 'length=1')],
    ['its digest', (url: string) => url.replace(/sha256=../, 'sha256=ff')],
    ['its expiry', (url: string) => url.replace(/until=\d/, 'until=9')],
    ['its file', (url: string) => url.replace('gateway.js', 'other.js')],
    ['its product', (url: string) => url.replace('/gateway/', '/other/')],
    ['its permission', (url: string) => url.replace(/permission=.*/, `permission=${'0'.repeat(64)}`)],
    ['a member more', (url: string) => `${url}&x=1`],
    ['a member twice', (url: string) => url.replace('length=', 'length=1&length=')],
    ['a step up', (url: string) => url.replace('gateway.js', '..%2f..%2fx')],
    ['a hidden name', (url: string) => url.replace('gateway.js', '.x')],
    ['an encoded name', (url: string) => url.replace('gateway.js', 'gateway%2ejs')],
  ])('an address with another value of %s opens nothing', async (_, change) => {
    const { answer, image } = await proposed();
    expect(change(image.url)).not.toBe(image.url);
    expect(await control.put(change(image.url), IMAGE)).toMatchObject(refusal(403, 'UPLOAD_REFUSED'));
    expect(incoming(answer.id)).toEqual([]);
  });

  test('an address takes PUT only, and shows nothing of what stands there', async () => {
    const { image } = await proposed();
    await control.put(image.url, IMAGE);
    expect(await control.ask('GET', image.url)).toMatchObject(refusal(405, 'METHOD_NOT_ALLOWED'));
  });
});

describe('completing', () => {
  test('before all files stand there is refused, and says which is missing', async () => {
    const { token, answer, image } = await proposed();
    await control.put(image.url, IMAGE);
    const said = await control.ask('POST', `${PROPOSALS}/${answer.id}/complete`, { token });
    expect(said).toMatchObject(refusal(409, 'PROPOSAL_INCOMPLETE'));
    expect(said.body).toContain('gateway/provenance.json is missing');
    expect(said.body).not.toContain('gateway.js');
  });

  test('a proposal that does not exist is not found', async () => {
    const token = await control.token();
    const said = await control.ask('POST', `${PROPOSALS}/${'0'.repeat(32)}/complete`, { token });
    expect(said).toMatchObject(refusal(404, 'NOT_FOUND'));
  });

  test.each([
    ['DELETE', PROPOSALS],
    ['PUT', PROPOSALS],
    ['GET', `${PROPOSALS}/${'0'.repeat(32)}/complete`],
  ])('%s %s is no method of that address', async (method, path) => {
    expect(await control.ask(method, path)).toMatchObject(refusal(405, 'METHOD_NOT_ALLOWED'));
  });
});

test('neither log nor answers repeat a token or the permission of an address', async () => {
  const token = await control.token();
  const { uploads } = await control.proposeAll(token);
  await control.propose(`${token}x`);
  const [upload] = uploads;
  await control.put(`${upload?.url ?? ''}0`, PROVENANCE);
  const log = JSON.stringify(control.events);
  expect(log).toContain('TOKEN_SIGNATURE_INVALID');
  expect(log).toContain('UPLOAD_REFUSED');
  expect(log).not.toContain(token.slice(-40));
  expect(log).not.toContain('permission=');
  expect(control.events.filter(({ event }) => event === 'bug' || event === 'store-fault')).toEqual([]);
});
