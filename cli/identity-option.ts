/**
 * The options of `firmament signer` that make it the issuing CA, and the verbs that it has then.
 *
 * - The CA's key is an encrypted key file like the online keys, and another than all of them.
 * - The ledger lies beside memory and books. Nonces belong to the process: none of before a start is taken.
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { identityVerbs } from '../signer/daemon/identity-verbs.ts';
import type { VerbTable } from '../signer/daemon/verb-table.ts';
import { identityLedgerFolder } from '../signer/identity/identity-ledger.ts';
import { openNonces } from '../signer/identity/nonces.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import type { RolloutSigner } from '../signer/rollout/run-rollout.ts';
import { readInput } from './files.ts';
import { openSigner } from './open-signer.ts';
import { hoursValue } from './option-values.ts';
import type { Host } from './verb.ts';

export type IdentityOptions = {
  readonly state: string;
  readonly caKey?: string;
  readonly caPassphraseFile?: string;
  readonly certificateHours: number;
};

const NONCE_KEY_BYTES = 32;
const HOUR_MS = 3_600_000;

/** Adds the options. */
export function addIdentityOptions(command: Command): Command {
  return command
    .option('--ca-key <file>', 'the key of the issuing CA: devices that prove their boot get certificates under it')
    .option('--ca-passphrase-file <file>', 'where its passphrase stands')
    .option('--certificate-hours <number>', 'how long a certificate lives', hoursValue, 24);
}

/** The verbs of identities over what `signer` publishes; none where no CA's key is given. */
export async function openIdentityVerbs(
  { state, caKey: file, caPassphraseFile: passphraseFile, certificateHours }: IdentityOptions,
  { publishing, register }: RolloutSigner,
  host: Host,
): Promise<Verdict<VerbTable>> {
  if (file === undefined) return accept(new Map());
  const caSigner = await openSigner(await readInput(file), { file, passphraseFile }, host);
  if (!caSigner.ok) return caSigner;
  if (publishing.onlineSigners.some(({ keyid }) => keyid === caSigner.value.keyid)) {
    return reject('KEY_NOT_OF_ROLE', 'the key of the CA is one of the online keys: each has one purpose');
  }
  const { store, memory, product } = publishing;
  return accept(
    identityVerbs({
      ...{ store, memory, product, register },
      caSigner: caSigner.value,
      ledger: identityLedgerFolder(join(state, 'identities')),
      nonces: openNonces(host.newKey(NONCE_KEY_BYTES)),
      check: checkSignature,
      lifetimeMs: certificateHours * HOUR_MS,
      random: host.newKey,
    }),
  );
}
