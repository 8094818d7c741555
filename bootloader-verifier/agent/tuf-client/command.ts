/**
 * The command line of `tuf-client`: `init`, `refresh` and `download`.
 *
 * - Exits are 0 and 1, and nothing else. What was refused, with its code, stands on standard error; credentials in addresses do not.
 * - `init` asks nothing of the network; the others run one refresh, `download` then takes the targets in their order, to the first
 *   that fails.
 */
import { createReadStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { concatBytes } from '../../../formats/bytes.ts';
import type { Instant } from '../../../formats/instant.ts';
import { OperationError } from '../../../formats/operation-error.ts';
import { ROOT_BYTES_MAX } from '../../../formats/tuf-root.ts';
import { reject, type Verdict } from '../../../formats/verdict.ts';
import type { TufRootCode } from '../../boot/verify-root.ts';
import { downloadTarget, type Download, type DownloadCode } from './download-target.ts';
import { codeOf } from '../plain-file.ts';
import { fetcherHttp } from './fetcher-http.ts';
import { targetFinder } from './find-target.ts';
import { openFolder, openMetadataFolder } from './metadata-folder.ts';
import { keepInitialRoot, refreshMetadata, type ClientCode, type TufClient } from './refresh-metadata.ts';
import { checkSignatureClient } from './signature-check-client.ts';

const USAGE = `usage:
  tuf-client --metadata-dir DIR init ROOTFILE
  tuf-client --metadata-url URL --metadata-dir DIR refresh
  tuf-client --metadata-url URL --metadata-dir DIR --target-name NAME [--target-name NAME ...]
             --target-dir DIR --target-base-url URL download
`;
const SILENCE_MS_MAX = 30_000;

/** What the command takes from the process that it runs in. */
export type Host = {
  readonly now: Instant;
  readonly pid: number;
  /** Rejects with `OperationError` where nobody takes it. */
  readonly writeLine: (line: string) => Promise<void>;
  readonly writeNote: (text: string) => void;
  /** Aborted when the process is asked to end. */
  readonly stop: AbortSignal;
};

type CommandCode = ClientCode | DownloadCode | TufRootCode | 'USAGE';
type Options = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Runs the command. Answers the exit of the process. */
export async function runCommand(args: readonly string[], host: Host): Promise<0 | 1> {
  try {
    const verdict = await dispatch(args, host);
    if (verdict.ok) return 0;
    host.writeNote(`tuf-client: ${verdict.code}: ${shown(verdict.detail)}\n`);
    if (verdict.code === 'USAGE') host.writeNote(USAGE);
  } catch (fault) {
    const code = fault instanceof OperationError ? fault.code : 'BUG';
    host.writeNote(`tuf-client: ${code}: ${shown(fault instanceof Error ? fault.message : String(fault))}\n`);
  }
  return 1;
}

/** `detail` without the credentials of the addresses in it. */
function shown(detail: string): string {
  return detail.replaceAll(/(https?:\/\/)[^\s/?#]*@/gi, '$1');
}

async function dispatch(args: readonly string[], host: Host): Promise<Verdict<unknown, CommandCode>> {
  const line = parseLine(args);
  if (line === undefined) return reject('USAGE', 'the command line is not understood');
  const { options, verb, rest } = line;
  const folder = textOf(options, 'metadata-dir');
  const metadataUrl = textOf(options, 'metadata-url');
  const [rootFile] = rest;
  if (folder === undefined) return reject('USAGE', '--metadata-dir is missing');
  if (verb === 'init' && rootFile !== undefined && rest.length === 1) return init(folder, rootFile, host);
  if (rest.length > 0 || (verb !== 'refresh' && verb !== 'download')) return reject('USAGE', 'no such command');
  if (metadataUrl === undefined) return reject('USAGE', '--metadata-url is missing');
  const wrong = [metadataUrl, textOf(options, 'target-base-url')].find((url) => url !== undefined && /[?#]/.test(url));
  if (wrong !== undefined) return reject('USAGE', `${wrong} takes no name at its end`);
  const client: TufClient = {
    store: await openMetadataFolder(folder, host.pid),
    fetcher: fetcherHttp({ silenceMsMax: SILENCE_MS_MAX, stop: host.stop }),
    metadataUrl: slashed(metadataUrl),
    check: checkSignatureClient,
    now: host.now,
  };
  return verb === 'refresh' ? refreshMetadata(client) : download(client, options, host);
}

async function init(folder: string, rootFile: string, host: Host): Promise<Verdict<unknown, CommandCode>> {
  const bytes = await readRootFile(rootFile);
  return keepInitialRoot({ store: await openMetadataFolder(folder, host.pid), check: checkSignatureClient }, bytes);
}

/** The file, from a pipe as well, up to one byte beyond what a root may have. */
async function readRootFile(path: string): Promise<Uint8Array> {
  try {
    const chunks: Uint8Array[] = [];
    const read: AsyncIterable<Uint8Array> = createReadStream(path, { end: ROOT_BYTES_MAX });
    for await (const chunk of read) chunks.push(chunk);
    return concatBytes(...chunks);
  } catch (cause) {
    throw new OperationError('FILE_UNREADABLE', `${path} (${codeOf(cause)})`, { retriable: false, cause });
  }
}

async function download(client: TufClient, options: Options, host: Host): Promise<Verdict<unknown, CommandCode>> {
  const [folder, baseUrl] = [textOf(options, 'target-dir'), textOf(options, 'target-base-url')];
  const names = options['target-name'];
  if (folder === undefined || baseUrl === undefined || typeof names !== 'object') {
    return reject('USAGE', '--target-name, --target-dir and --target-base-url are needed');
  }
  const trusted = await refreshMetadata(client);
  if (!trusted.ok) return trusted;
  await openFolder(folder, host.pid);
  const isConsistent = trusted.value.root.metadata.signed.consistentSnapshot;
  const place: Download = {
    ...{ fetcher: client.fetcher, baseUrl: slashed(baseUrl) },
    ...{ folder, pid: host.pid, isConsistent },
  };
  const find = targetFinder(client, trusted.value);
  for (const name of names) {
    const file = await find(name);
    if (!file.ok) return file;
    const path = await downloadTarget(place, { ...file.value, name });
    if (!path.ok) return path;
    await host.writeLine(path.value);
  }
  return trusted;
}

type Line = { readonly options: Options; readonly verb: string | undefined; readonly rest: readonly string[] };

/** The parts of the command line, or undefined where it has an option that is not known. */
function parseLine(args: readonly string[]): Line | undefined {
  const text = { type: 'string' } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'metadata-dir': text,
        'metadata-url': text,
        'target-dir': text,
        'target-base-url': text,
        'target-name': { ...text, multiple: true },
      },
    });
    const [verb, ...rest] = positionals;
    return { options: values, verb, rest };
  } catch (fault) {
    if (fault instanceof TypeError) return undefined;
    throw fault;
  }
}

function textOf(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function slashed(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}
