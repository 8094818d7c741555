/**
 * The clients of the benchmark's repositories: ours and its peers, each as its users run it, a process of its own.
 *
 * - Each starts from root 1 and an empty folder, refreshes, finds one target and downloads it.
 * - What counts is the processor time of the whole process, its start among it, as the shell's `time` tells it.
 * - A client that takes longer than `CPU_S_MAX` of it is ended there by the system: its figure is then a lower bound.
 */
import assert from 'node:assert';
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TUF_CLIENT } from '../../bootloader-verifier/agent/tuf-client/bundle.ts';
import { encodeBase64 } from '../../formats/bytes.ts';
import { GO_TUF_ORACLE, pythonOf } from '../real/parts.ts';

const CPU_S_MAX = 60;
/** Metadata of the largest repository has 20 MB; the peers' own limits are lower. */
const BYTES_MAX = 64_000_000;

export type Errand = {
  /** The address of the repository, with a slash at its end. */
  readonly url: string;
  readonly root: Uint8Array;
  readonly rootFile: string;
  readonly target: string;
};
type Command = { readonly line: readonly [string, ...string[]]; readonly input?: string };
export type Client = (folder: string, errand: Errand) => Command;

const PYTHON = `
import sys
from tuf.ngclient import Updater, UpdaterConfig
folder, url, root, target, limit = sys.argv[1:]
config = UpdaterConfig(targets_max_length=int(limit), snapshot_max_length=int(limit))
with open(root, "rb") as file:
    updater = Updater(folder, url + "metadata/", folder + "/targets", url + "targets/", config=config, bootstrap=file.read())
updater.refresh()
updater.download_target(updater.get_targetinfo(target))
`;
const TUF_JS = `
const { Updater } = require(process.argv[1]);
const [folder, url, target, limit] = process.argv.slice(2);
const config = { targetsMaxLength: Number(limit), snapshotMaxLength: Number(limit) };
const updater = new Updater({ metadataDir: folder, metadataBaseUrl: url + 'metadata', targetDir: folder + '/targets',
  targetBaseUrl: url + 'targets', config });
updater.refresh().then(() => updater.getTargetInfo(target)).then((info) => updater.downloadTarget(info));
`;
const limit = String(BYTES_MAX);

/** Each by the name of the peer in `peers.ts`. */
export const CLIENTS: Readonly<Record<'ours' | 'python-tuf' | 'tuf-js' | 'go-tuf', Client>> = {
  ours: (folder, { url, rootFile, target }) => {
    const own = ['--metadata-dir', folder];
    const init = spawnSync(process.execPath, [TUF_CLIENT, ...own, 'init', rootFile]);
    assert(init.status === 0, 'root 1 of the bench is sound');
    const places = ['--target-dir', join(folder, 'targets'), '--target-base-url', `${url}targets`];
    const asked = ['--metadata-url', `${url}metadata`, '--target-name', target, ...places, 'download'];
    return { line: [process.execPath, TUF_CLIENT, ...own, ...asked] };
  },
  'python-tuf': (folder, { url, rootFile, target }) => ({
    line: [pythonOf('python-tuf'), '-c', PYTHON, folder, url, rootFile, target, limit],
  }),
  'tuf-js': (folder, { url, root, target }) => {
    writeFileSync(join(folder, 'root.json'), root);
    return {
      line: [
        process.execPath,
        '-e',
        TUF_JS,
        join(import.meta.dirname, '../../node_modules/tuf-js'),
        folder,
        url,
        target,
        limit,
      ],
    };
  },
  'go-tuf': (folder, { url, root, target }) => {
    const places = { Folder: folder, Metadata: `${url}metadata`, Files: `${url}targets`, Root: encodeBase64(root) };
    return { line: [GO_TUF_ORACLE], input: JSON.stringify({ Do: 'see', ...places, Ask: [target] }) };
  },
};

/** Runs `client` in a new folder below `folder`. Answers the seconds of processor time that it took. */
export async function cpuSecondsOf(client: Client, folder: string, errand: Errand): Promise<number> {
  const own = mkdtempSync(join(folder, 'client-'));
  mkdirSync(join(own, 'targets'));
  const { line, input } = client(own, errand);
  const timed = `ulimit -t ${CPU_S_MAX}; TIMEFORMAT='%3U %3S'; { time "$@" > /dev/null 2> "$0"; } 2>&1`;
  const words = join(own, 'words');
  // Nobody's client is started by our launcher, which says this to what it starts.
  const { MALLOC_ARENA_MAX: _, ...env } = process.env;
  const child = execFile('bash', ['-c', timed, words, ...line], { env });
  child.stdin?.end(input);
  let told = '';
  child.stdout?.on('data', (text: string) => (told += text));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const [user = Number.NaN, system = Number.NaN] = (/([0-9.]+) ([0-9.]+)\s*$/.exec(told) ?? []).slice(1).map(Number);
  const isEnded = user + system >= CPU_S_MAX * 0.95;
  assert(status === 0 || isEnded, `a client of the bench failed: ${line[0]}`);
  rmSync(own, { recursive: true });
  return user + system;
}
