/**
 * `firmament receipt`: reads what a device without network has answered, and says in words what the device did.
 *
 * - A receipt is held against the manifests of the factories that people trust: its device, its start, its very images.
 * - With `--channel-file` it is held against what is published, too: whether it speaks of the release in force.
 * - With `--signer` it is handed in, and counts as its device's confirmation, once; the signer decides by itself whom it knows.
 * - All are handed in, also after one that does not count, is none, or cannot be read: what came back on a stick before stands there still,
 *   and so may anything else.
 */
import type { Command } from 'commander';
import { withPlainFile } from '../bootloader-verifier/agent/plain-file.ts';
import { parseChannelPart } from '../formats/channel-part.ts';
import { encodeInstant } from '../formats/instant.ts';
import { planDigest } from '../formats/plan.ts';
import { parseReceipt, RECEIPT_FILE_BYTES_MAX, RECEIPT_PAYLOAD_TYPE, type Receipt } from '../formats/receipt.ts';
import { parseEnvelope } from '../formats/dsse.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { OperationError } from '../formats/operation-error.ts';
import { parseTargets } from '../formats/tuf-targets.ts';
import { accept, reject, type Rejected, type Verdict } from '../formats/verdict.ts';
import { verifyReceipt } from '../formats/verify-receipt.ts';
import { verifyManifests } from '../signer/identity/verify-manifests.ts';
import { readPeoplesTrust } from '../signer/judging-trust.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import { askSigner } from './ask-signer.ts';
import { readChannelFile } from './event-files.ts';
import { readInput } from './files.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = {
  readonly root: readonly string[];
  readonly targets?: string;
  readonly manifest: readonly string[];
  readonly channelFile?: string;
  readonly signer?: string;
};
type Read = { readonly bytes: Uint8Array; readonly receipt: Receipt };
const TOGETHER = '--root, --targets and --manifest go together: they say whose receipts are read';

/** Adds the verb. */
export function defineReceipt(command: Command, host: Host, conclude: Conclude): void {
  command
    .argument('<file...>', 'receipts, as devices wrote them')
    .option('--root <file...>', 'all roots, oldest first, as signed', [])
    .option('--targets <file>', 'the targets file, as signed: it names the factories')
    .option('--manifest <file...>', "the factories' manifests, as signed", [])
    .option('--channel-file <file>', 'the newest file of the channel, or the event that brought it')
    .option('--signer <socket>', 'the signer to hand them to')
    .action(async (files: readonly string[], options: Options) => {
      const given = [options.root.length > 0, options.targets !== undefined, options.manifest.length > 0];
      const isWhole = given.every((part) => part);
      if (!isWhole && given.includes(true)) command.error(TOGETHER, { exitCode: 64 });
      if (!isWhole && options.signer === undefined) command.error(`${TOGETHER}; or --signer`, { exitCode: 64 });
      conclude(await receipt(files, options, host));
    });
}

async function receipt(files: readonly string[], options: Options, host: Host): Promise<Verdict<Answer>> {
  const reader = await receiptReader(options, host);
  if (!reader.ok) return reader;
  const inForce = await readInForce(options.channelFile);
  if (!inForce.ok) return inForce;
  const said: object[] = [];
  const texts: string[] = [];
  const missed: (Rejected | OperationError)[] = [];
  for (const file of files) {
    const told = await readAndHandIn(file, reader.value, options.signer);
    if (told instanceof OperationError || !told.ok) {
      missed.push(told instanceof OperationError ? told : reject(told.code, `${file}: ${told.detail}`));
      continue;
    }
    const { receipt: one, counts } = told.value;
    said.push({ ...factsOf(one), file, counts });
    texts.push([describe(one), ...inForce.value(one), ...(counts ? ['  it counts'] : [])].join('\n'));
  }
  const [first, ...others] = missed;
  if (first === undefined) return accept({ facts: { receipts: said }, text: texts.join('\n') });
  texts.push(...others.map((each) => `${each.code}: ${each instanceof OperationError ? each.message : each.detail}`));
  if (texts.length > 0) host.say(`${texts.join('\n')}\n`);
  if (first instanceof OperationError) throw first;
  return first;
}

/** Reads one receipt and, where there is a signer, hands it in. */
async function readAndHandIn(
  file: string,
  reader: (bytes: Uint8Array) => Verdict<Receipt>,
  signer: string | undefined,
): Promise<Verdict<{ readonly receipt: Receipt; readonly counts: boolean }> | OperationError> {
  const bytes = await readReceiptFile(file);
  if (bytes instanceof OperationError) return bytes;
  const read = reader(bytes);
  if (!read.ok) return read;
  const counted = await handIn({ bytes, receipt: read.value }, signer);
  return counted.ok ? accept({ receipt: read.value, counts: counted.value }) : counted;
}

/** The bytes of a plain file, up to one beyond what a receipt may have, which is too many for its judge. */
async function readReceiptFile(path: string): Promise<Uint8Array | OperationError> {
  try {
    return await withPlainFile(path, async (file) =>
      file === undefined ? missing(path) : file.read(0, Math.min(file.length, RECEIPT_FILE_BYTES_MAX + 1)),
    );
  } catch (fault) {
    if (fault instanceof OperationError) return fault;
    throw fault;
  }
}

function missing(path: string): OperationError {
  return new OperationError('FILE_UNREADABLE', `${path} is no plain file, or is not there`, { retriable: false });
}

/** Reads receipts: verified where manifests are at hand; else the signer does that before one counts. */
async function receiptReader(options: Options, host: Host): Promise<Verdict<(bytes: Uint8Array) => Verdict<Receipt>>> {
  if (options.targets === undefined) {
    return accept((bytes) => {
      const envelope = parseEnvelope(bytes, RECEIPT_PAYLOAD_TYPE);
      return envelope.ok ? parseReceipt(envelope.value.payload) : envelope;
    });
  }
  const roots = await Promise.all(options.root.map(readInput));
  const trust = readPeoplesTrust({ roots, targets: await readInput(options.targets) }, host.now());
  if (!trust.ok) return trust;
  const manifests = await Promise.all(options.manifest.map(readInput));
  const { repository, part } = trust.value;
  const { factories = [] } = part;
  // These devices were listed before: the days of a factory bind what is new at the signer alone.
  const admitted = new Set(manifests.map(sha256Hex));
  const listed = { repository, factories, admitted, now: host.now(), check: checkSignature };
  const devices = verifyManifests(manifests, listed);
  if (!devices.ok) return devices;
  const keyOf = (deviceId: string): { keytype: string; scheme: string; public: string } | undefined => {
    const device = devices.value.get(deviceId);
    return device && { keytype: 'ed25519', scheme: 'ed25519', public: device.publicKey };
  };
  return accept((bytes) => verifyReceipt(bytes, { repository, keyOf }, checkSignature));
}

/** What can be said of a receipt beside the release in force. */
async function readInForce(file: string | undefined): Promise<Verdict<(receipt: Receipt) => readonly string[]>> {
  const bytes = await readChannelFile(file);
  if (bytes === undefined) return accept(() => []);
  const channel = parseTargets(bytes);
  if (!channel.ok) return channel;
  const part = parseChannelPart(channel.value.signed.firmament);
  if (!part.ok) return part;
  const { release, plan } = part.value;
  return accept((receipt) => {
    const place = { product: receipt.product, rootOneSha256: receipt.root, channel: receipt.channel };
    const isPlan = plan !== undefined && receipt.plan === planDigest(plan, place);
    const under = isPlan ? ', under the plan in force' : '';
    return [receipt.release === release ? `  that is the release in force${under}` : `  ${release} is in force now`];
  });
}

/** Hands a receipt of a trial to the signer. @returns whether it counts. */
async function handIn({ bytes, receipt }: Read, signer: string | undefined): Promise<Verdict<boolean>> {
  if (signer === undefined || receipt.outcome === 'refused') return accept(false);
  const answer = await askSigner({ socket: signer, product: receipt.product }, 'receipt', bytes);
  return answer.ok ? accept(true) : answer;
}

function factsOf({ deviceId, release, outcome, code, sequence, failures, plan, components }: Receipt): object {
  const images = components.map(({ component, image, securityCounter }) => ({ component, image, securityCounter }));
  return { deviceId, release, outcome, code, sequence, failures, plan, components: images };
}

function describe(receipt: Receipt): string {
  const { deviceId, release, outcome, code, capsule, failures, at, components } = receipt;
  const did = {
    confirmed: `installed ${release}, tried it and confirmed it`,
    failed: `tried ${release}, which failed (${code ?? ''}), and went back to what it ran before`,
    refused: `refused the file ${capsule?.slice(0, 12) ?? ''} (${code ?? ''}) and runs ${release} as before`,
  }[outcome];
  const when = at === undefined ? '' : ` at ${encodeInstant(at)}, by its own clock`;
  const images = components.map(
    ({ component, firmwareVersion, securityCounter, image }) =>
      `  ${component} ${firmwareVersion}, counter ${securityCounter}, image ${image.slice(0, 12)}`,
  );
  const failed = failures === 0 ? [] : [`  ${failures} failed trials so far`];
  return [`device ${deviceId.slice(0, 12)} ${did}${when}`, ...images, ...failed].join('\n');
}
