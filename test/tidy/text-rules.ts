/**
 * Rules about the text of every file, whatever its kind.
 *
 * - Nothing is left for later, no file knows the machine it was written on, and no download address is pinned into the project.
 * - Every package that package.json names has its line in `docs/DEPENDENCIES.md`.
 * - Each decision in `docs/adr` has a number of its own, the next one, and says it in its first line.
 */
import type { Packages } from './import-rules.ts';
import type { Fault, SourceFile } from './source-tree.ts';

// The brackets keep a pattern from finding itself.
const BANNED: readonly (readonly [RegExp, string])[] = [
  [/\b(?:T[O]DO|FIX[M]E|X[X]X)\b/, 'work left for later: do it or leave it out'],
  [/(?<![\w./-])\/(?:work|root|tmp)\//, 'a path of some machine: derive it, or ask the system for a temporary folder'],
  [
    /(?:registry\.(?:npmjs|yarnpkg)|npm[j]s\.com|pypi[.]org|files[.]pythonhosted|proxy[.]golang)/,
    'the address of a registry',
  ],
];

/** Where a file says what no file should say. */
export function textFaults(file: SourceFile): readonly Fault[] {
  return file.text.split('\n').flatMap((text, index) =>
    BANNED.flatMap(([pattern, what]) => {
      const found = pattern.exec(text);
      return found === null ? [] : [{ path: file.path, line: index + 1, what: `${found[0]}: ${what}` }];
    }),
  );
}

/** Packages that the document of dependencies does not name. */
export function dependencyFaults(document: string, packages: Packages): readonly Fault[] {
  const names = [...packages.production, ...packages.development];
  return names
    .filter((name) => !document.includes(`\`${name}\``))
    .map((name) => ({ path: 'docs/DEPENDENCIES.md', line: 1, what: `has no line for ${name}` }));
}

/** Decisions whose number is another's, leaves one out, or is not said in the first line. */
export function decisionFaults(files: readonly SourceFile[]): readonly Fault[] {
  const decisions = files.filter(({ path }) => path.startsWith('docs/adr/'));
  return decisions.flatMap(({ path, text }, index) => {
    const number = String(index + 1).padStart(4, '0');
    const isNext = path.startsWith(`docs/adr/${number}-`) && text.startsWith(`# ${number}: `);
    return isNext ? [] : [{ path, line: 1, what: `decision ${number} is expected here, as "# ${number}: TITLE"` }];
  });
}
