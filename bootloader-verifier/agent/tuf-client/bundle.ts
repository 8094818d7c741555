/**
 * Makes `bootloader-verifier/tuf-client`: one file that runs as it is on Node 20 and newer, wherever it is copied.
 *
 * - Reproducible: the same source and the pinned esbuild give the same bytes; a test holds the committed file to it.
 * - Readable: nothing is shortened, so that it can be reviewed.
 * - A file without an extension is a CommonJS or an ES module by what stands around it; this one is valid as both, and takes
 *   `require` from `node:module`.
 * - What Node does faster than portable code takes the place of that in the executable: `BY_NODE`. A test holds both to one answer.
 * - What few repositories need is evaluated when it is first used: `WHEN_USED`. It costs the others no time at the start.
 * - `node cli/node24.js bootloader-verifier/agent/tuf-client/bundle.ts --write` writes it.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** Where the executable stands. */
export const TUF_CLIENT: string = fileURLToPath(new URL('../../tuf-client', import.meta.url));

/** The portable files that are replaced, each with what takes its place. */
const BY_NODE: readonly (readonly [portable: string, byNode: string])[] = [
  ['formats/sha256.ts', 'bootloader-verifier/agent/tuf-client/sha256-node.ts'],
  ['formats/sha512.ts', 'bootloader-verifier/agent/tuf-client/sha512-node.ts'],
  ['formats/utf8.ts', 'bootloader-verifier/agent/tuf-client/utf8-node.ts'],
];
/** A file of which one function is wanted, and seldom. */
const WHEN_USED = {
  file: 'bootloader-verifier/agent/tuf-client/signature-check-ml-dsa.ts',
  wants: 'checkSignatureMlDsa',
} as const;
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

const HEAD = [
  '#!/usr/bin/env node',
  '// Made from bootloader-verifier/agent/tuf-client/main.ts by bundle.ts beside it: a change belongs there.',
  "import('node:module').then(({ createRequire }) =>",
  '  ((require) => {',
];
const FOOT = ["  })(createRequire('/')),", ');'];

/** Puts the files of Node in the place of the portable ones. */
const byNode: Plugin = {
  name: 'by-node',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\.ts$/ }, ({ path, resolveDir }) => {
      const asked = join(resolveDir, path);
      const found = BY_NODE.find(([portable]) => join(PROJECT, portable) === asked);
      return found === undefined ? undefined : { path: join(PROJECT, found[1]) };
    });
  },
};

/** Puts a function that loads the file at its first call in the place of what the file exports. */
const whenUsed: Plugin = {
  name: 'when-used',
  setup: ({ onResolve, onLoad }) => {
    const file = join(PROJECT, WHEN_USED.file);
    const namespace = 'when-used';
    onResolve({ filter: /\.ts$/ }, ({ path, resolveDir, kind }) =>
      kind === 'import-statement' && join(resolveDir, path) === file ? { path: WHEN_USED.file, namespace } : undefined,
    );
    onLoad({ filter: /.*/, namespace }, () => ({
      contents: `export const ${WHEN_USED.wants} = (...given) => require(${JSON.stringify(file)}).${WHEN_USED.wants}(...given);`,
      resolveDir: PROJECT,
    }));
  },
};

/** The executable as it should stand. */
export async function bundleTufClient(): Promise<string> {
  const built = await build({
    entryPoints: ['bootloader-verifier/agent/tuf-client/main.ts'],
    absWorkingDir: PROJECT,
    plugins: [whenUsed, byNode],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    charset: 'utf8',
    tsconfigRaw: {},
    preserveSymlinks: true,
    legalComments: 'inline',
    banner: { js: HEAD.join('\n') },
    footer: { js: FOOT.join('\n') },
    logLevel: 'silent',
  });
  return built.outputFiles.map(({ text }) => text).join('');
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--write')) {
  writeFileSync(TUF_CLIENT, await bundleTufClient());
  chmodSync(TUF_CLIENT, 0o755);
}
