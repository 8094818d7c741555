/** What no control plane takes for a proposal: each the sample with one fault, in the form of the vectors. */
import { parseUtf8 } from '../../formats/bytes.ts';
import {
  encodeProposal,
  IMAGE_BYTES_MAX,
  NOTES_LENGTH_MAX,
  STATEMENT_FILE_BYTES_MAX,
  STATEMENTS_MAX,
} from '../../formats/proposal.ts';
import { SAMPLE_PROPOSAL } from './sample-proposal.ts';

type Plain = { [name: string]: unknown };
type PlainProposal = Plain & { components: (Plain & { image: Plain; statements: Plain[] })[] };

/** The sample as plain JSON, for a test to change. */
function plainProposal(change: (proposal: PlainProposal, first: PlainProposal['components'][number]) => void): string {
  const proposal = JSON.parse(parseUtf8(encodeProposal(SAMPLE_PROPOSAL)) ?? '') as PlainProposal;
  const [first] = proposal.components;
  if (first === undefined) throw new Error('the sample has components');
  change(proposal, first);
  return JSON.stringify(proposal);
}

const statements = (count: number): Plain[] =>
  Array.from({ length: count }, (_, i) => ({ name: `s${i}`, length: 1, sha256: 'a'.repeat(64) }));

/** Each limit and the greatest value within it. */
export const AT_LIMITS: readonly { readonly says: string; readonly text: string }[] = [
  { says: 'the longest image', text: plainProposal((_, first) => (first.image['length'] = IMAGE_BYTES_MAX)) },
  {
    says: 'as many statements as there may be, one of the longest',
    text: plainProposal((_, first) => {
      first.statements = statements(STATEMENTS_MAX);
      Object.assign(first.statements[0] ?? {}, { length: STATEMENT_FILE_BYTES_MAX });
    }),
  },
  { says: 'the longest notes', text: plainProposal((proposal) => (proposal['notes'] = 'é'.repeat(NOTES_LENGTH_MAX))) },
  { says: 'no notes', text: plainProposal((proposal) => delete proposal['notes']) },
  { says: 'no statements', text: plainProposal((_, first) => (first.statements = [])) },
];

const refused = (says: string, change: Parameters<typeof plainProposal>[0]) => ({ says, text: plainProposal(change) });

export const PROPOSAL_REFUSALS: readonly { readonly says: string; readonly text: string }[] = [
  refused('another version', (proposal) => (proposal['version'] = 2)),
  refused('a member that is not known', (proposal) => (proposal['approved'] = true)),
  refused('a member that is not known, of a component', (_, first) => (first['order'] = 1)),
  refused('a product that is a folder of the repository', (proposal) => (proposal['product'] = 'targets')),
  refused('no component', (proposal) => (proposal.components = [])),
  refused('nine components', (proposal) => {
    proposal.components = Array.from({ length: 9 }, (_, i) => ({ ...first(proposal), component: `c${i}` }));
  }),
  refused('two components of one name', (proposal) => (proposal.components[1] = first(proposal))),
  refused('a file name that goes up', (_, first) => (first.image['name'] = '../gateway.js')),
  refused('a hidden file', (_, first) => (first.image['name'] = '.gateway.js')),
  refused('a file name with a folder', (_, first) => (first.image['name'] = 'a/b')),
  refused('a file name with a percent sign', (_, first) => (first.image['name'] = 'a%2fb')),
  refused('two files of one name', (_, first) => (first.image['name'] = first.statements[0]?.['name'])),
  refused('two files whose names differ in case alone', (_, first) => (first.image['name'] = 'PROVENANCE.json')),
  refused('an empty image', (_, first) => (first.image['length'] = 0)),
  refused('an image longer than is taken', (_, first) => (first.image['length'] = IMAGE_BYTES_MAX + 1)),
  refused('a statement longer than is taken', (_, first) => {
    Object.assign(first.statements[0] ?? {}, { length: STATEMENT_FILE_BYTES_MAX + 1 });
  }),
  refused('one statement too many', (_, first) => (first.statements = statements(STATEMENTS_MAX + 1))),
  refused('a digest in upper case', (_, first) => (first.image['sha256'] = 'A'.repeat(64))),
  refused('a counter below zero', (_, first) => (first['securityCounter'] = -1)),
  refused('no hardware', (_, first) => (first['hardwareIds'] = [])),
  refused('an installer that nobody has', (_, first) => (first['installer'] = 'shell')),
  refused('notes that are empty', (proposal) => (proposal['notes'] = '')),
  refused('notes longer than are shown', (proposal) => (proposal['notes'] = 'é'.repeat(NOTES_LENGTH_MAX + 1))),
  refused('notes that clear the screen', (proposal) => (proposal['notes'] = 'fine\u001b[2J')),
  refused('notes that turn the direction of writing', (proposal) => (proposal['notes'] = 'counter \u202e7')),
];

function first({ components }: PlainProposal): PlainProposal['components'][number] {
  const [component] = components;
  if (component === undefined) throw new Error('the sample has components');
  return component;
}
