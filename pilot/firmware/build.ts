/**
 * The build script of the firmware: `node build.ts VERSION`, run in this folder, writes `dist/gateway.js`.
 *
 * - One self-contained ES module; nothing is imported from outside but Node's own modules.
 * - The output depends on the sources and on esbuild's version alone: no settings from folders above, no path, no time.
 */
import { build } from 'esbuild';

const version = process.argv[2];
if (version === undefined || !/^[0-9]+\.[0-9]+\.[0-9]+$/.test(version)) {
  process.stderr.write('usage: node build.ts VERSION\n');
  process.exitCode = 64;
} else {
  await build({
    absWorkingDir: import.meta.dirname,
    entryPoints: [`versions/${version}.ts`],
    outfile: 'dist/gateway.js',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    charset: 'utf8',
    legalComments: 'none',
    tsconfigRaw: {},
  });
}
