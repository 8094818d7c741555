/**
 * `firmament identity`: carries one identity between the signer and a device without network, over a folder that both can reach.
 *
 * - The signer's nonce is good for minutes, so whoever carries stands between the two: a technician's computer with the signer's socket
 *   on one side, the device's folder on the other (rule R23).
 * - It believes nothing and decides nothing: the signer judges what the device signed, the device judges what it gets.
 * - What lies there and cannot be a request or a use is passed over and named; it is no reason to end a visit.
 * - It ends once the device has said that it uses the new identity, or after `--wait` seconds; the next call goes on with what lies there.
 */
import type { Dirent } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { withPlainFile } from '../bootloader-verifier/agent/plain-file.ts';
import { encodeUtf8, parseBase64 } from '../formats/bytes.ts';
import { carriedFile, carriedNonce, isCarried, type CarriedKind } from '../formats/carried-identity.ts';
import { encodeJson } from '../formats/encode-json.ts';
import { ISSUE_REQUEST_BYTES_MAX } from '../formats/issue-request.ts';
import type { JsonObject } from '../formats/json.ts';
import { OperationError } from '../formats/operation-error.ts';
import { accept, reject, type Rejected, type Verdict } from '../formats/verdict.ts';
import { MODE_PUBLIC, replaceFile } from '../signer/durable-file.ts';
import { askSigner, type AskedSigner } from './ask-signer.ts';
import { countValue, digestValue, nameValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = {
  readonly signer: string;
  readonly product?: string;
  readonly folder: string;
  readonly device: string;
  readonly wait: number;
};
type Carrier = {
  readonly signer: AskedSigner;
  readonly folder: string;
  readonly device: string;
  readonly passOver: (name: string, why: string) => undefined;
};

/** Less than a nonce lives. */
const WAIT_S = 280;
const LOOK_EVERY_MS = 100;
const DETAIL_MAX = 1_024;
const NOTHING = new Uint8Array();
const NO_FILE = 'is no plain file';

/** Adds the verb. */
export function defineIdentity(command: Command, host: Host, conclude: Conclude): void {
  command
    .requiredOption('--signer <socket>', 'the signer, which holds the CA')
    .option('--product <name>', 'the product, of a signer that has many', nameValue)
    .requiredOption('--folder <folder>', "what the device was given as --identities: a stick, or the device's own")
    .requiredOption('--device <id>', 'the device, as its factory names it: 64 hex digits', digestValue)
    .option('--wait <seconds>', 'how long the device may take', countValue, WAIT_S)
    .action(async ({ signer: socket, product, folder, device, wait: seconds }: Options) => {
      const carrier = { signer: { socket, product }, folder, device, passOver: passOverOnce(host) };
      conclude(await carry(carrier, host.now() + Math.min(seconds, WAIT_S) * 1000, host));
    });
}

async function carry(carrier: Carrier, until: number, host: Host): Promise<Verdict<Answer>> {
  const { signer, folder, device } = carrier;
  const before = await handInUses(carrier);
  // What lies there from another visit is about the nonce of that one.
  for (const kind of ['enrolment', 'identity'] as const) await removeAll(carrier, kind);
  const asked = await askSigner(signer, 'nonce', NOTHING);
  if (!asked.ok) return asked;
  const nonce = join(folder, carriedNonce(device));
  await write(nonce, bytesOf(asked.value, 'nonce'));
  try {
    let issued: Issued = {};
    while (host.now() < until && !host.stop.aborted) {
      const answered = await answerRequests(carrier, issued);
      if (!answered.ok) return answered;
      issued = answered.value;
      const { taken, refused } = await handInUses(carrier);
      if (taken > 0) return accept(answer(device, issued));
      if (refused !== undefined) return refused;
      await wait(LOOK_EVERY_MS, undefined, { signal: host.stop }).catch(() => undefined);
    }
  } finally {
    await remove(nonce);
  }
  if (before.taken > 0) return accept(answer(device, {}));
  const asks = `device ${device.slice(0, 12)} has asked for nothing here`;
  return before.refused ?? reject('NOT_FOUND', `${asks}: nothing is due, or it does not look here`);
}

/** What the signer said of the last certificate. */
type Issued = { readonly notAfter?: string };

/** After these the device asks again by itself: to enrol anew, or under the nonce that lies there now. */
const ASKED_AGAIN: ReadonlySet<string> = new Set(['IDENTITY_UNKNOWN', 'EVIDENCE_STALE']);

/** Hands requests of the device to the signer, and leaves its answers. */
async function answerRequests(carrier: Carrier, before: Issued): Promise<Verdict<Issued>> {
  let issued = before;
  for await (const { name, bytes } of filesOf(carrier, 'enrolment')) {
    const judged = await askSigner(carrier.signer, 'issue', bytes);
    const left = judged.ok ? encodeUtf8(textIn(judged.value, 'certificates')) : encodeRefusal(judged);
    await write(join(carrier.folder, carriedFile(carrier.device, 'identity', bytes)), left);
    await remove(join(carrier.folder, name));
    if (judged.ok) issued = { notAfter: textIn(judged.value, 'notAfter') };
    else if (!ASKED_AGAIN.has(judged.code)) return judged;
  }
  return accept(issued);
}

function encodeRefusal({ code, detail }: Rejected): Uint8Array {
  return encodeJson(new Map(Object.entries({ code, detail: detail.slice(0, DETAIL_MAX) })));
}

type Told = { readonly taken: number; readonly refused: Rejected | undefined };

/** Hands in what the device says of the use of an identity. What the signer refuses is no use to keep either. */
async function handInUses(carrier: Carrier): Promise<Told> {
  let taken = 0;
  let refused: Rejected | undefined;
  for await (const { name, bytes } of filesOf(carrier, 'use')) {
    const told = await askSigner(carrier.signer, 'use', bytes);
    if (told.ok) taken++;
    else refused = told;
    await remove(join(carrier.folder, name));
  }
  if (taken > 0) await removeAll(carrier, 'identity');
  return { taken, refused };
}

type CarriedFile = { readonly name: string; readonly bytes: Uint8Array };

/** The files of that kind, one after the other. What is named like one and cannot be one is passed over, and said once. */
async function* filesOf(carrier: Carrier, kind: CarriedKind): AsyncGenerator<CarriedFile> {
  for (const entry of await entriesOf(carrier, kind)) {
    const bytes = entry.isFile() ? await readCarried(carrier, entry.name) : carrier.passOver(entry.name, NO_FILE);
    if (bytes !== undefined) yield { name: entry.name, bytes };
  }
}

async function readCarried({ folder, passOver }: Carrier, name: string): Promise<Uint8Array | undefined> {
  try {
    return await withPlainFile(join(folder, name), async (file) => {
      if (file === undefined || file.length <= ISSUE_REQUEST_BYTES_MAX) return file?.read(0, file.length);
      return passOver(name, `has ${file.length} bytes, at most ${ISSUE_REQUEST_BYTES_MAX} are read`);
    });
  } catch (fault) {
    if (fault instanceof OperationError) return passOver(name, `cannot be read: ${fault.message}`);
    throw fault;
  }
}

/** Says of each name once why it is passed over: the folder is looked at many times in a visit. */
function passOverOnce(host: Host): Carrier['passOver'] {
  const said = new Set<string>();
  return (name, why) => {
    if (!said.has(name)) host.say(`passed over: ${name} ${why}\n`);
    said.add(name);
    return undefined;
  };
}

/** Removes the plain files of that kind; a link on a stick leads nowhere. */
async function removeAll(carrier: Carrier, kind: CarriedKind): Promise<void> {
  const entries = await entriesOf(carrier, kind);
  for (const { name } of entries.filter((entry) => entry.isFile())) await remove(join(carrier.folder, name));
}

async function entriesOf({ folder, device }: Carrier, kind: CarriedKind): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter(({ name }) => isCarried(name, device, kind))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  } catch (cause) {
    throw new OperationError('FILE_UNREADABLE', folder, { retriable: true, cause });
  }
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (cause) {
    throw new OperationError('FILE_UNWRITABLE', `${path} cannot be removed`, { retriable: true, cause });
  }
}

function write(path: string, bytes: Uint8Array): Promise<void> {
  return replaceFile(path, { bytes, mode: MODE_PUBLIC });
}

function textIn(facts: JsonObject, name: string): string {
  const value = facts.get(name);
  return typeof value === 'string' ? value : '';
}

function bytesOf(facts: JsonObject, name: string): Uint8Array {
  return parseBase64(textIn(facts, name)) ?? NOTHING;
}

function answer(device: string, { notAfter }: Issued): Answer {
  const until = notAfter === undefined ? '' : `, until ${notAfter}`;
  return { facts: { device, notAfter }, text: `device ${device.slice(0, 12)} uses its new identity${until}` };
}
