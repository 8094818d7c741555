/**
 * `firmament why-not DEVICE RELEASE`: why a device does not run a release, in words, each reason with its code and what to do.
 *
 * - DEVICE is what `firmament-device status` wrote; what is published is read as the device reads it, with this machine's clock.
 */
import type { Command } from 'commander';
import { checkSignature } from '../signer/signature-check-node.ts';
import { parseDeviceStatus } from '../formats/device-status.ts';
import { CODES } from '../formats/codes.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { repositoryClientHttp, SILENCE_MS_MAX } from '../bootloader-verifier/agent/repository-client-http.ts';
import { explainWhyNot, type WhyNot } from '../bootloader-verifier/agent/why-not.ts';
import { readInput } from './files.ts';
import { productUrlValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';

/** Adds the verb. */
export function defineWhyNot(command: Command, host: Host, conclude: Conclude): void {
  command
    .argument('<device>', 'what firmament-device status wrote of it')
    .argument('<release>', 'the release that it does not run')
    .requiredOption('--url <address>', "the product's address, like http://127.0.0.1:8080/r/gateway/", productUrlValue)
    .action(async (device: string, release: string, { url }: { readonly url: URL }) =>
      conclude(await whyNot({ device, release, url }, host)),
    );
}

async function whyNot(
  { device, release, url }: { readonly device: string; readonly release: string; readonly url: URL },
  host: Host,
): Promise<Verdict<Answer>> {
  const status = parseDeviceStatus(await readInput(device));
  if (!status.ok) return status;
  const client = repositoryClientHttp(url, { silenceMsMax: SILENCE_MS_MAX, stop: host.stop });
  const why = await explainWhyNot({ status: status.value, release, client, check: checkSignature, now: host.now() });
  if (!why.ok) return why;
  const { answer, runs, reasons } = why.value;
  return accept({ facts: { release, runs, answer, reasons }, text: describe(why.value, release) });
}

/** The answer in words. */
export function describe({ answer, runs, reasons }: WhyNot, release: string): string {
  if (answer === 'runs') return `It runs ${release}.`;
  if (answer === 'next-poll') return `Nothing stands in the way: it takes ${release} at its next poll.`;
  const lines = reasons.map(
    ({ code, detail }, i) =>
      `${i + 1}. ${code}: ${detail}\n   It means: ${CODES[code].means}.\n   To do: ${CODES[code].todo}.`,
  );
  const what = runs === undefined ? 'The device' : `The device runs ${runs}, and`;
  return `${what} does not take ${release}:\n${lines.join('\n')}`;
}
