/**
 * `firmament mirror`: a static copy of a published repository for any web server, verified object by object.
 *
 * - It needs no key and no right to list: it brings what devices may ask for, from a server or a store, and believes neither.
 * - Run it again to go on after a cut, and as often as the source changes.
 */
import assert from 'node:assert';
import { join } from 'node:path';
import type { Command } from 'commander';
import { SILENCE_MS_MAX } from '../bootloader-verifier/agent/repository-client-http.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { mirrorPlaceFolder, removeLeftovers } from '../signer/care/mirror-place-folder.ts';
import { mirrorRepository } from '../signer/care/mirror-repository.ts';
import type { PublishedSource } from '../signer/care/published-source.ts';
import { whileLocked } from '../signer/lock-file.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import { openCareStore } from './care-store.ts';
import { readInput } from './files.ts';
import { productUrlValue } from './option-values.ts';
import { sourceHttp } from './source-http.ts';
import { storeValue, type StoreAddress } from './store-address.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = {
  readonly url?: URL;
  readonly store?: StoreAddress;
  readonly storeCredentials?: string;
  readonly rootOne: string;
};

/** Adds the verb. */
export function defineMirror(command: Command, host: Host, conclude: Conclude): void {
  command
    .argument('<folder>', 'where the mirror is kept: point a web server at it')
    .requiredOption('--root-one <file>', 'root version 1 of the product')
    .option('--url <address>', "the product's address, like http://127.0.0.1:8080/r/gateway/", productUrlValue)
    .option('--store <where>', 'or the store itself: a folder, or s3+http(s)://HOST:PORT/BUCKET', storeValue)
    .option('--store-credentials <file>', 'for a bucket: {"accessKey":"…","secretKey":"…"}, readable by you alone')
    .action(async (folder: string, options: Options) => {
      const { url, store } = options;
      if ((url === undefined) === (store === undefined)) command.error('error: either --url or --store is expected');
      conclude(await mirror(folder, options, host));
    });
}

async function mirror(folder: string, options: Options, host: Host): Promise<Verdict<Answer>> {
  const repository = repositoryIdOf(await readInput(options.rootOne));
  if (!repository.ok) return repository;
  const { product } = repository.value;
  const source = await openSource(options, product, host);
  if (!source.ok) return source;
  const mirrored = await whileLocked(join(folder, `.${product}.lock`), async () => {
    await removeLeftovers(folder, product);
    return mirrorRepository({
      source: source.value,
      place: mirrorPlaceFolder(folder),
      repository: repository.value,
      check: checkSignature,
      now: host.now(),
    });
  });
  if (!mirrored.ok) return mirrored;
  const { timestampVersion, logSize, brought, kept } = mirrored.value;
  const text = `${product}: timestamp ${timestampVersion}, ${logSize ?? 'no'} entries in the log; ${brought} objects brought, ${kept} were there\n  next: have a web server answer /r/${product}/ from ${join(folder, product)}`;
  return accept({ facts: { product, folder, timestampVersion, logSize, brought, kept }, text });
}

async function openSource(options: Options, product: string, { stop }: Host): Promise<Verdict<PublishedSource>> {
  const { url, store, storeCredentials } = options;
  if (url !== undefined) return accept(sourceHttp(url, product, { silenceMsMax: SILENCE_MS_MAX, stop }));
  assert(store !== undefined, 'one of both was asked for');
  const opened = await openCareStore(storeCredentials === undefined ? { store } : { store, storeCredentials });
  return opened.ok ? accept(opened.value.source) : opened;
}
