/** The step itself: inputs from the runner, outputs and a summary to it, and a failure with its code. */
import { setTimeout as wait } from 'node:timers/promises';
import { getIDToken, getInput, info, setFailed, setOutput, setSecret, summary } from '@actions/core';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { parseComponentList } from '../../formats/component-list.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { incomingFiles } from '../../formats/stored-proposal.ts';
import { reject } from '../../formats/verdict.ts';
import { isSafeAddress, propose, type Outcome, type Proposed, type Runner } from './run.ts';

const runner: Runner = {
  idToken,
  mask: setSecret,
  say: info,
  wait: (ms) => wait(ms),
};

try {
  const proposed = await run();
  if (proposed.ok) await tell(proposed.value);
  else fail(proposed.code, proposed.detail);
} catch (fault) {
  if (fault instanceof OperationError) fail(fault.code, fault.message);
  else fail('BUG', fault instanceof Error ? fault.message : 'something that is no error was thrown');
}

async function run(): Promise<Outcome<Proposed>> {
  const address = required('control-url');
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !isSafeAddress(url)) return reject('USAGE', 'control-url is no https address');
  const components = parseComponentList(encodeUtf8(required('components')));
  if (!components.ok) return components;
  const notes = getInput('notes');
  const draft = {
    product: required('product'),
    release: required('release'),
    components: components.value,
    notes: notes === '' ? undefined : notes,
    folder: process.env['GITHUB_WORKSPACE'] ?? process.cwd(),
  };
  const audience = getInput('audience');
  return propose(draft, { url, audience: audience === '' ? url.origin : audience }, runner);
}

function required(name: string): string {
  const value = getInput(name);
  if (value === '') throw new OperationError('USAGE', `the input ${name} is missing`, { retriable: false });
  return value;
}

/** A fresh token of this run. The toolkit tries again by itself, and hides the token from the log. */
async function idToken(audience: string): Promise<string> {
  try {
    return await getIDToken(audience);
  } catch (cause) {
    const detail = 'the runner gives no token: a job that proposes has the permission id-token: write';
    throw new OperationError('NETWORK_UNREACHABLE', detail, { retriable: false, cause });
  }
}

async function tell({ id, url, proposal }: Proposed): Promise<void> {
  setOutput('proposal-id', id);
  setOutput('proposal-url', url);
  info(`Proposed ${proposal.product} ${proposal.release} as ${id}`);
  // A runner that is older than summaries names no file for them.
  if (process.env['GITHUB_STEP_SUMMARY'] === undefined) return;
  const rows = incomingFiles(id, proposal).map(({ component, file }) => [
    `${component}/${file.name}`,
    String(file.length),
    file.sha256,
  ]);
  summary.addHeading(`Proposed: ${proposal.product} ${proposal.release}`, 2);
  summary.addRaw(`Proposal ${id}. It is released once the quorum of its channel has signed it.`, true);
  summary.addTable([['file', 'bytes', 'SHA-256'].map((data) => ({ data, header: true })), ...rows]);
  await summary.write();
}

/** What a code means, and what to do about it, stands in `docs/formats/codes.md`. */
function fail(code: string, detail: string): void {
  setFailed(`${code}: ${detail}`);
}
