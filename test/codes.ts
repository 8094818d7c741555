/**
 * `docs/formats/codes.md`, made from the table of codes.
 *
 * - The table in `formats/codes.ts` is the source; the document is never edited by hand.
 * - `node cli/node24.js test/codes.ts --write` writes it; without `--write` it is shown.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { CODE_GROUPS } from '../formats/codes.ts';

/** Where the document stands. */
export const CODES_DOCUMENT: string = fileURLToPath(new URL('../docs/formats/codes.md', import.meta.url));

const HEAD = `# Codes

Every refusal and every failure carries one of these codes, in the JSON of a command, in a problem answer over HTTP and in a
device's report alike. A code is never reused or renamed. The codes of a group are raised in the folders that it names, and in no
others; whoever calls these hands them on. The table is made from \`formats/codes.ts\` by
\`node cli/node24.js test/codes.ts --write\`.
`;

/** One cell: a bar would end it. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** The document as it should stand, formatted like every other file. */
export async function codesDocument(): Promise<string> {
  const sections = CODE_GROUPS.map(({ heading, raisedIn, codes }) => {
    const rows = Object.entries(codes).map(
      ([code, { means, todo }]) => `| \`${code}\` | ${cell(means)} | ${cell(todo)} |`,
    );
    const folders = raisedIn.map((folder) => `\`${folder}/\``).join(', ');
    return `## ${heading}\n\nRaised in ${folders}.\n\n| code | meaning | what to do |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  const options = await resolveConfig(CODES_DOCUMENT);
  return format([HEAD, ...sections].join('\n'), { ...options, parser: 'markdown' });
}

if (import.meta.main) {
  const text = await codesDocument();
  if (process.argv.includes('--write')) writeFileSync(CODES_DOCUMENT, text);
  else process.stdout.write(text);
}
