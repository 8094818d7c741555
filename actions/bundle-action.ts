/**
 * Bundles an action into the one file that runners run: `node cli/node24.js actions/bundle-action.ts --write`.
 *
 * - The bytes depend on the sources, the locked packages and esbuild's version alone: no path, no time, no setting from elsewhere.
 * - It is committed, because runners run what is committed; a test holds it equal to its source, byte for byte.
 * - It is an ES module, as package.json says of this repository. Packages in it that are not get the `require` that they expect.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
/** Every action that is run from its bundle. */
export const BUNDLED_ACTIONS = ['propose'] as const;
const REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

export type BundledAction = (typeof BUNDLED_ACTIONS)[number];

/** Where the bundle of an action stands, below the project. */
export function bundleFile(action: BundledAction): string {
  return `actions/${action}/dist/index.js`;
}

/** The bundle of an action. */
export async function bundleAction(action: BundledAction): Promise<Uint8Array> {
  const { outputFiles } = await build({
    absWorkingDir: PROJECT,
    entryPoints: [`actions/${action}/index.ts`],
    outfile: bundleFile(action),
    write: false,
    bundle: true,
    // Names and statements stay: shortened ones would change with code that is not even in the bundle.
    minifyWhitespace: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    charset: 'utf8',
    legalComments: 'eof',
    banner: { js: REQUIRE },
    tsconfigRaw: {},
    preserveSymlinks: true,
    logLevel: 'silent',
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error('one entry has one output');
  return bundle.contents;
}

if (import.meta.main && process.argv.includes('--write')) {
  for (const action of BUNDLED_ACTIONS) writeFileSync(`${PROJECT}${bundleFile(action)}`, await bundleAction(action));
}
