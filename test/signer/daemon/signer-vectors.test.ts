/** The verbs of the signer as their document has them: one table, and a life of requests and answers that is lived again. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { encodeUtf8, parseBase64 } from '../../../formats/bytes.ts';
import { CODES } from '../../../formats/codes.ts';
import { parseIssueRequest } from '../../../formats/issue-request.ts';
import { parsePublishAnswer } from '../../../formats/publish-answer.ts';
import { parsePublishRequest } from '../../../formats/publish-request.ts';
import { parseRolloutStatuses } from '../../../formats/rollout-status.ts';
import { parseSignerAnswer } from '../../../formats/signer-answer.ts';
import { accepted } from '../../accepted.ts';
import { exchangesFile, signerLife, signerScene, SIGNER_VECTORS, type Exchange } from './signer-vectors.ts';

const stored = JSON.parse(readFileSync(`${SIGNER_VECTORS}exchanges.json`, 'utf8')) as readonly Exchange[];
const done = stored.filter(({ status }) => status === 200);
const bodyOf = ({ body }: Exchange): Uint8Array => parseBase64(body) ?? expect.unreachable();

test('a signer that is asked the same gives the same answers, byte for byte, and nothing else stands beside them', async () => {
  expect(readdirSync(SIGNER_VECTORS)).toEqual(['exchanges.json']);
  expect(exchangesFile(await signerLife(onTestFinished))).toBe(readFileSync(`${SIGNER_VECTORS}exchanges.json`, 'utf8'));
});

test('the document names every verb with its limit, the vectors ask each of them, and each is refused what is not signed for it', async () => {
  const document = readFileSync(new URL('../../../docs/formats/signer.md', import.meta.url), 'utf8');
  const { verbs } = await signerScene(onTestFinished);
  for (const [name, { bodyBytesMax }] of verbs) {
    const row = new RegExp(`^\\| \`${name}\` +\\|([^|]*)\\|`, 'm').exec(document)?.[1];
    const limit = /up to ([\d,]+) bytes/.exec(row ?? '')?.[1];
    if (bodyBytesMax === 0) expect(row?.trim(), name).toBe('none');
    else expect(Number(limit?.replaceAll(',', '')), name).toBe(bodyBytesMax);
    expect(
      done.some(({ verb }) => verb === name),
      `${name} is done`,
    ).toBe(true);
    const isProven = bodyBytesMax > 0;
    expect(!isProven || stored.some(({ verb, status }) => verb === name && status === 409), `${name} is refused`).toBe(
      true,
    );
  }
});

test('every answer is read as the document says, and every refusal has a code of the table', () => {
  for (const { says, status, answer } of stored) {
    const { ok, code, detail } = accepted(parseSignerAnswer(encodeUtf8(answer)));
    expect([ok, status], says).toEqual(ok ? [true, 200] : [false, 409]);
    if (!ok) expect([Object.keys(CODES).includes(code ?? ''), (detail ?? '').length > 0], says).toEqual([true, true]);
  }
  const factsOf = (verb: string): readonly ReturnType<typeof parseSignerAnswer>[] =>
    done.filter((each) => each.verb === verb).map(({ answer }) => parseSignerAnswer(encodeUtf8(answer)));
  for (const verb of ['publish', 'halt', 'refresh']) {
    for (const facts of factsOf(verb)) expect(parsePublishAnswer(accepted(facts).facts).ok, verb).toBe(true);
  }
  for (const verb of ['step', 'waves']) {
    for (const facts of factsOf(verb)) expect(parseRolloutStatuses(accepted(facts).facts).ok, verb).toBe(true);
  }
});

test('the requests are whole, and those that say nothing are refused before anything is looked at', () => {
  const of = (verb: string): readonly Exchange[] => stored.filter((each) => each.verb === verb);
  for (const exchange of of('publish')) {
    expect(parsePublishRequest(bodyOf(exchange)).ok, exchange.says).toBe(
      !exchange.answer.includes('REQUEST_MALFORMED'),
    );
  }
  for (const exchange of of('issue')) {
    expect(parseIssueRequest(bodyOf(exchange)).ok, exchange.says).toBe(
      !exchange.answer.includes('ENROLMENT_MALFORMED'),
    );
  }
});
