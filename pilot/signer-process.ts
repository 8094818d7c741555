/**
 * The signer of the pilot: `firmament signer`, a process of its own, which alone holds the online keys from the founding on.
 *
 * - It is reached through its socket alone; whoever publishes hands in what people signed, and holds no key.
 * - The socket lies in a folder of its own below the system's temporary one: the name of a socket has to be short.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Company, Holder } from './company.ts';
import { PRODUCT, tell, type Stage } from './stage.ts';
import { startVerb, type VerbProcess } from './verb-process.ts';

/** How often it looks for what is due, in milliseconds. */
const LOOK_MS = '1000';
/** How long an identity lives. */
const CERTIFICATE_HOURS = '4';

export type SignerProcess = {
  /** Its socket, as `--signer` names it. */
  readonly socket: string;
  readonly stop: () => Promise<void>;
};

/** Starts the signer over the store of `stage`, before anything is published there. */
export async function startSigner(stage: Stage, company: Company): Promise<SignerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'firmament-signer-'));
  const socket = join(folder, 'signer.sock');
  const { snapshot, timestamp, log, rollout, ca } = company;
  const run = await tell(stage, { step: 'signer', by: 'signer' }, async () => ({
    ...(await runSigner(stage, { socket, holders: [snapshot, timestamp, log, rollout], ca })),
    detail: 'a process of its own, which alone holds the online keys and that of the CA, behind a socket',
  }));
  return {
    socket,
    stop: async () => {
      await run.end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function runSigner(
  stage: Stage,
  { socket, holders, ca }: { readonly socket: string; readonly holders: readonly Holder[]; readonly ca: Holder },
): Promise<VerbProcess> {
  return startVerb([
    ...['signer', ...stage.store.options],
    ...['--socket', socket, '--product', PRODUCT, '--state', join(stage.folder, 'signer'), '--look-ms', LOOK_MS],
    ...['--key', ...holders.map(({ keyFile }) => keyFile)],
    ...['--passphrase-file', ...holders.map(({ passphraseFile }) => passphraseFile)],
    ...['--ca-key', ca.keyFile, '--ca-passphrase-file', ca.passphraseFile, '--certificate-hours', CERTIFICATE_HOURS],
  ]);
}
