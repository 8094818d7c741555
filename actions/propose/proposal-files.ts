/**
 * The files of a proposal, as they lie in a workspace: each read once, for its length and its SHA-256.
 *
 * - Only regular files count; where a path leads is the workflow's own affair.
 * - The proposal is read back by the control plane's own parser before it is sent.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { ListedComponent } from '../../formats/component-list.ts';
import { OperationError } from '../../formats/operation-error.ts';
import {
  encodeProposal,
  parseProposal,
  type Proposal,
  type ProposedComponent,
  type ProposedFile,
} from '../../formats/proposal.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';

export type ProposalFiles = {
  readonly proposal: Proposal;
  /** Where each file lies, by `COMPONENT/FILE`. */
  readonly paths: ReadonlyMap<string, string>;
};
export type Draft = {
  readonly product: string;
  readonly release: string;
  readonly components: readonly ListedComponent[];
  readonly notes: string | undefined;
  /** What paths are relative to. */
  readonly folder: string;
};

/** Reads every file and makes the proposal of them. */
export async function readProposal(draft: Draft): Promise<Verdict<ProposalFiles, 'PROPOSAL_MALFORMED'>> {
  const { product, release, notes, folder } = draft;
  const paths = new Map<string, string>();
  const components: ProposedComponent[] = [];
  for (const listed of draft.components) {
    const read = async (path: string): Promise<ProposedFile> => {
      paths.set(`${listed.component}/${basename(path)}`, resolve(folder, path));
      return describeFile(resolve(folder, path));
    };
    const image = await read(listed.image);
    const statements: ProposedFile[] = [];
    for (const path of listed.statements) statements.push(await read(path));
    components.push({ ...listed, image, statements });
  }
  const proposal = parseProposal(encodeProposal({ product, release, components, notes }));
  return proposal.ok ? accept({ proposal: proposal.value, paths }) : proposal;
}

async function describeFile(path: string): Promise<ProposedFile> {
  const hash = createHash('sha256');
  let length = 0;
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is no regular file');
    const bytes: AsyncIterable<Uint8Array> = createReadStream(path);
    for await (const chunk of bytes) {
      hash.update(chunk);
      length += chunk.length;
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown fault';
    throw new OperationError('FILE_UNREADABLE', `${path} cannot be read: ${why}`, { retriable: false, cause });
  }
  return { name: basename(path), length, sha256: hash.digest('hex') };
}
