/**
 * The options of `firmament signer` that make it the issuing CA, and the verbs that it has then.
 *
 * - The CA's key is an encrypted key file like the online keys, and another than all of them.
 * - A CA is of one product, for whoever relies on certificates sees the CA and not our extension: a signer of many products is given
 *   a key for each product that is to have identities, and no key serves two.
 * - The ledger lies beside memory and books. Nonces belong to the process: none of before a start is taken.
 */
import assert from 'node:assert';
import type { Command } from 'commander';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { identityVerbs } from '../signer/daemon/identity-verbs.ts';
import type { VerbTable } from '../signer/daemon/verb-table.ts';
import { identityLedgerFolder } from '../signer/identity/identity-ledger.ts';
import { openNonces } from '../signer/identity/nonces.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import type { RolloutSigner } from '../signer/rollout/run-rollout.ts';
import type { Signer } from '../signer/signer.ts';
import { readInput } from './files.ts';
import { openSigner } from './open-signer.ts';
import { hoursValue, nameValue } from './option-values.ts';
import type { Host } from './verb.ts';

export type IdentityOptions = {
  readonly state: string;
  readonly caKey: readonly CaKey[];
  readonly caPassphraseFile: readonly string[];
  readonly certificateHours: number;
};
/** A key file, and of which product it is; undefined: of the one that is served. */
type CaKey = { readonly product: string | undefined; readonly file: string };
/** The CAs by product. */
export type CaSigners = ReadonlyMap<string, Signer>;

const NONCE_KEY_BYTES = 32;
const HOUR_MS = 3_600_000;

/** Adds the options. */
export function addIdentityOptions(command: Command): Command {
  return command
    .option(
      '--ca-key <file...>',
      'the key of the issuing CA: devices that prove their boot get certificates under it; of many products PRODUCT=FILE for each',
      caKeyValue,
      [],
    )
    .option('--ca-passphrase-file <file...>', 'where their passphrases stand, in the same order', [])
    .option('--certificate-hours <number>', 'how long a certificate lives', hoursValue, 24);
}

function caKeyValue(value: string, before: readonly CaKey[]): readonly CaKey[] {
  const at = value.indexOf('=');
  const product = at < 0 ? undefined : nameValue(value.slice(0, at));
  return [...before, { product, file: value.slice(at + 1) }];
}

/** Whether the keys say of which product each is: each does where many are served, one at most is given where one is. */
export function isCaKeyClear({ caKey }: IdentityOptions, served: string | undefined): boolean {
  if (served !== undefined) return caKey.length <= 1 && caKey.every(({ product = served }) => product === served);
  const products = caKey.map(({ product }) => product);
  return !products.includes(undefined) && new Set(products).size === products.length;
}

/** Opens the keys of the CAs. @param served the one product that is served, where it is one. */
export async function openCaSigners(
  { caKey, caPassphraseFile }: IdentityOptions,
  { served, online }: { readonly served: string | undefined; readonly online: readonly Signer[] },
  host: Host,
): Promise<Verdict<CaSigners>> {
  const opened = new Map<string, Signer>();
  const used = new Set(online.map(({ keyid }) => keyid));
  for (const [index, { product = served, file }] of caKey.entries()) {
    assert(product !== undefined, 'it is clear of which product it is');
    const from = { file, passphraseFile: caPassphraseFile[index] };
    const caSigner = await openSigner(await readInput(file), from, host);
    if (!caSigner.ok) return caSigner;
    if (used.has(caSigner.value.keyid)) {
      return reject('KEY_NOT_OF_ROLE', `${file} is an online key, or the CA of another product: each has one purpose`);
    }
    used.add(caSigner.value.keyid);
    opened.set(product, caSigner.value);
  }
  return accept(opened);
}

/** The verbs of identities over what `signer` publishes, under the CA `caSigner`. @param ledger the folder of its ledger. */
export function openIdentityVerbs(
  { publishing, register }: RolloutSigner,
  {
    caSigner,
    ledger,
    certificateHours,
  }: Pick<IdentityOptions, 'certificateHours'> & {
    readonly caSigner: Signer;
    readonly ledger: string;
  },
  host: Host,
): VerbTable {
  const { store, memory, product } = publishing;
  return identityVerbs({
    ...{ store, memory, product, register, caSigner },
    ledger: identityLedgerFolder(ledger),
    nonces: openNonces(host.newKey(NONCE_KEY_BYTES)),
    check: checkSignature,
    lifetimeMs: certificateHours * HOUR_MS,
    random: host.newKey,
  });
}
