/** The refusals of the control plane, and the table of them in the document. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reject } from '../../formats/verdict.ts';
import { controlProblem, type ControlRefusal } from '../../ota-server/control-problem.ts';

const DOCUMENT = readFileSync(new URL('../../docs/formats/proposal.md', import.meta.url), 'utf8');

const REFUSALS: Readonly<Record<ControlRefusal, true>> = {
  ...{ PROPOSAL_MALFORMED: true, PROPOSAL_CONFLICT: true, PROPOSAL_INCOMPLETE: true, PROPOSER_REFUSED: true },
  ...{ TOKEN_MISSING: true, TOKEN_MALFORMED: true, TOKEN_ISSUER_UNKNOWN: true, TOKEN_ALGORITHM_REFUSED: true },
  ...{ TOKEN_KEY_UNKNOWN: true, TOKEN_SIGNATURE_INVALID: true, TOKEN_AUDIENCE_MISMATCH: true, TOKEN_EXPIRED: true },
  ...{ TOKEN_NOT_YET_VALID: true, TOKEN_REPLAYED: true, UPLOAD_REFUSED: true, UPLOAD_EXPIRED: true },
  ...{ UPLOAD_MISMATCH: true, CONDITION_FAILED: true, RATE_LIMITED: true, JSON_TOO_LARGE: true, NOT_FOUND: true },
  ...{ METHOD_NOT_ALLOWED: true, ISSUER_MALFORMED: true },
};

test('the document lists every refusal with its status, and no other', () => {
  const documented = [...DOCUMENT.matchAll(/^\| (\d{3}) \| `([A-Z_]+)`/gm)].map(
    ([, status, code]) => `${status} ${code}`,
  );
  const refusals = (Object.keys(REFUSALS) as ControlRefusal[]).map((code) => {
    const { status, body } = controlProblem(reject(code, 'x'));
    expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({ code, detail: 'x', status });
    return `${status} ${code}`;
  });
  expect(documented.toSorted()).toEqual(refusals.toSorted());
});
