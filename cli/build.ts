/**
 * `firmament build`: builds a source folder twice in varied surroundings and compares; attests what came out the same.
 *
 * - Without a key there is an image and no provenance: for trying out. Devices demand the provenance.
 */
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { attest } from '../actions/attest/run.ts';
import { buildTwice, type Build, type BuildRejection } from '../actions/build/run.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { readInput, writeNew } from './files.ts';
import { openSigner } from './open-signer.ts';
import { commitValue, countValue, uriValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = {
  readonly source: string;
  readonly output: string;
  readonly out: string;
  readonly env: readonly string[];
  readonly timeLimitSeconds: number;
  readonly key?: string;
  readonly passphraseFile?: string;
  readonly builder?: string;
  readonly sourceUri?: string;
  readonly commit?: string;
};

const TIME_LIMIT_SECONDS = 600;

/** Adds the verb. */
export function defineBuild(command: Command, host: Host, conclude: Conclude): void {
  command
    .argument('<command...>', 'the build command, after --; node is the Node that runs this')
    .requiredOption('--source <folder>', 'the folder to build')
    .requiredOption('--output <file>', 'what the command writes, relative to the folder')
    .requiredOption('--out <folder>', 'where the image and its provenance.json go')
    .option('--env <name...>', 'variables that the build may see; they are published, never list a secret', [])
    .option('--time-limit-seconds <n>', 'of one run', countValue, TIME_LIMIT_SECONDS)
    .option('--key <file>', "the builder's key; without it there is no provenance")
    .option('--passphrase-file <file>', 'where its passphrase stands; otherwise you are asked')
    .option('--builder <uri>', 'the identity of this builder', uriValue)
    .option('--source-uri <uri>', 'where the source comes from', uriValue)
    .option('--commit <hash>', 'the git commit that is checked out, unchanged', commitValue)
    .action(async (words: readonly string[], options: Options) => {
      const isAttested = options.key !== undefined;
      if (isAttested !== (options.builder !== undefined) || isAttested !== (options.sourceUri !== undefined)) {
        command.error('--key, --builder and --source-uri go together', { exitCode: 64 });
      }
      conclude(await build(words, options, host));
    });
}

async function build(words: readonly string[], options: Options, host: Host): Promise<Verdict<Answer>> {
  const built = await buildTwice({
    source: options.source,
    command: words,
    output: options.output,
    work: tmpdir(),
    env: host.env,
    envAllowed: options.env,
    timeLimitMs: options.timeLimitSeconds * 1000,
    clock: host.now,
  });
  if (!built.ok) {
    tellRejection(built, host);
    return built;
  }
  const imageFile = join(options.out, basename(options.output));
  await writeNew(imageFile, built.value.image);
  const provenanceFile = await attestTo(built.value, options, host);
  if (!provenanceFile.ok) return provenanceFile;
  const { sha256, image, sourceDirHash } = built.value;
  const facts = { image: imageFile, sha256, length: image.length, sourceDirHash, provenance: provenanceFile.value };
  return accept({ facts, text: `${imageFile}: ${image.length} bytes, SHA-256 ${sha256}, the same in both runs` });
}

/** Writes the provenance if there is a key to sign it with. */
async function attestTo(built: Build, options: Options, host: Host): Promise<Verdict<string | undefined>> {
  const { builder, sourceUri, key, passphraseFile, commit } = options;
  if (key === undefined || builder === undefined || sourceUri === undefined) return accept(undefined);
  const signer = await openSigner(await readInput(key), { file: key, passphraseFile }, host);
  if (!signer.ok) return signer;
  const envelope = await attest({
    build: built,
    imageName: basename(options.output),
    source: { uri: sourceUri, folder: '.', commit },
    builderId: builder,
    invocationId: `urn:uuid:${host.newId()}`,
    signer: signer.value,
  });
  const file = join(options.out, 'provenance.json');
  await writeNew(file, envelope);
  return accept(file);
}

/** What a person needs to mend the build: its output's end, or each difference with its cause. */
function tellRejection(rejection: BuildRejection, host: Host): void {
  if (rejection.code === 'BUILD_FAILED') host.say(`${rejection.output}\n`);
  if (rejection.code !== 'BUILD_NOT_REPRODUCIBLE') return;
  for (const { cause, line, column, module, first, second } of rejection.report.differences) {
    host.say(`${cause}: line ${line}, column ${column}${module === undefined ? '' : ` (${module})`}\n`);
    host.say(`  first run:  ${first}\n  second run: ${second}\n`);
  }
}
