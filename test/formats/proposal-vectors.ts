/**
 * The vectors of `docs/formats/proposal.md`, made from the sample and from the table of refusals.
 *
 * - `node cli/node24.js test/formats/proposal-vectors.ts --write` writes them; a test holds the files equal, byte for byte.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseUtf8 } from '../../formats/bytes.ts';
import { encodeProposalAnswer } from '../../formats/proposal-answer.ts';
import { encodeProposal } from '../../formats/proposal.ts';
import { encodeStoredProposal } from '../../formats/stored-proposal.ts';
import { PROPOSAL_REFUSALS } from './proposal-refusals.ts';
import { SAMPLE_ANSWER, SAMPLE_PROPOSAL, SAMPLE_STORED } from './sample-proposal.ts';

/** Where the vectors stand. */
export const PROPOSAL_VECTORS: string = fileURLToPath(new URL('../vectors/proposal/', import.meta.url));

/** Every vector file by its name. */
export function proposalVectorFiles(): ReadonlyMap<string, string> {
  const short = PROPOSAL_REFUSALS.filter(({ text }) => text.length < 4_000);
  const refused = short.map(({ says, text }) => JSON.stringify({ says, code: 'PROPOSAL_MALFORMED', text }));
  return new Map([
    ['proposal.json', textOf(encodeProposal(SAMPLE_PROPOSAL))],
    ['answer.json', textOf(encodeProposalAnswer(SAMPLE_ANSWER))],
    ['stored.json', textOf(encodeStoredProposal(SAMPLE_STORED))],
    ['refused.json', `[\n${refused.join(',\n')}\n]\n`],
  ]);
}

function textOf(bytes: Uint8Array): string {
  return parseUtf8(bytes) ?? '';
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(PROPOSAL_VECTORS, { recursive: true });
  for (const [name, content] of proposalVectorFiles()) writeFileSync(`${PROPOSAL_VECTORS}${name}`, content);
}
