/** Problems, and the table of them in the document of the data plane. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OperationError } from '../../formats/operation-error.ts';
import { busyProblem, faultProblem, refusalProblem, type Problem, type Refusal } from '../../ota-server/problem.ts';

const DOCUMENT = readFileSync(new URL('../../docs/formats/data-plane.md', import.meta.url), 'utf8');

const REFUSALS: Readonly<Record<Refusal, true>> = {
  REQUEST_MALFORMED: true,
  NAME_REFUSED: true,
  NOT_FOUND: true,
  METHOD_NOT_ALLOWED: true,
  REQUEST_TIMEOUT: true,
  CONDITION_FAILED: true,
  BODY_REFUSED: true,
  URL_TOO_LONG: true,
  RANGE_NOT_SATISFIABLE: true,
  HEADERS_TOO_LARGE: true,
};

const row = ({ status, body }: Problem) =>
  `${status} ${(JSON.parse(Buffer.from(body).toString()) as { code: string }).code}`;

test('the document lists every refusal with its status, and no other', () => {
  const documented = [...DOCUMENT.matchAll(/^\| (\d{3}) +\| `([A-Z_]+)`/gm)].map(
    ([, status, code]) => `${status} ${code}`,
  );
  const refusals = (Object.keys(REFUSALS) as Refusal[]).map((code) => row(refusalProblem(code)));
  const faults = [faultProblem(new TypeError('x is not a function')), busyProblem()].map(row);
  expect(documented.toSorted()).toEqual([...refusals, ...faults].toSorted());
});

test('the problem of the document is the one that is sent, byte for byte', () => {
  const { fields, body } = refusalProblem('NOT_FOUND');
  const lines = fields.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${fields[i + 1]}`] : []));
  expect(DOCUMENT).toContain(`HTTP/1.1 404 Not Found\n${lines.join('\n')}\n\n${Buffer.from(body).toString()}`);
});

test('a fault shows its code and whether waiting helps, and none of its words', () => {
  for (const retriable of [true, false]) {
    const problem = faultProblem(new OperationError('FILE_UNREADABLE', '/srv/secret: EACCES', { retriable }));
    expect([row(problem), problem.fields.includes('Retry-After')]).toEqual(['503 FILE_UNREADABLE', retriable]);
    expect(Buffer.from(problem.body).toString()).not.toMatch(/srv|EACCES/);
  }
});
