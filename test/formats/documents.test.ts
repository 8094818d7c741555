/** Every format that is frozen has a document, vectors, and a test that reads them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENTS = `${PROJECT}docs/formats/`;
const VECTORS = `${PROJECT}test/vectors/`;
/** What is no file or message, but conduct or data of its own: where it is held to its document instead. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['codes.md', 'test/codes.test.ts'],
  ['data-plane.md', 'test/ota-server/data-plane.test.ts'],
  ['image-contract.md', 'test/bootloader-verifier/agent/image-runner-node.test.ts'],
  ['policy.md', 'test/policies/release-policy.test.ts'],
]);

const documents = readdirSync(DOCUMENTS).map((name) => [name, readFileSync(`${DOCUMENTS}${name}`, 'utf8')] as const);
/** The vectors that each document names: folders and files. */
const named = documents.map(
  ([name, text]) => [name, [...text.matchAll(/`test\/vectors\/([\w./-]+)`/g)].map(([, path = '']) => path)] as const,
);

test('every document of a format names vectors that there are, or is held to by a test of its own', () => {
  for (const [name, paths] of named) {
    for (const path of paths) expect(existsSync(`${VECTORS}${path}`), `${name}: ${path}`).toBe(true);
    const elsewhere = ELSEWHERE.get(name);
    expect(paths.length > 0, `${name} names vectors`).toBe(elsewhere === undefined);
    if (elsewhere !== undefined) expect(existsSync(`${PROJECT}${elsewhere}`), elsewhere).toBe(true);
  }
  for (const name of ELSEWHERE.keys()) expect(documents.map(([document]) => document)).toContain(name);
});

test('every folder of vectors is named by a document, and read by a test', () => {
  const tests = readdirSync(`${PROJECT}test`, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  const sources = tests.map((path) => readFileSync(`${PROJECT}test/${path}`, 'utf8'));
  for (const folder of readdirSync(VECTORS)) {
    const by = named.filter(([, paths]) => paths.some((path) => path.startsWith(`${folder}/`)));
    expect(by, `${folder} is named`).not.toEqual([]);
    expect(
      sources.some((text) => text.includes(`vectors/${folder}/`)),
      `${folder} is read`,
    ).toBe(true);
  }
});
