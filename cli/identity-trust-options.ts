/** The options of `firmament targets-draft` that say which factories name devices, and under which keys a CA issues to them. */
import { InvalidArgumentError, type Command } from 'commander';
import type { Factory, IdentityAnchor } from '../formats/identity-trust.ts';
import type { Instant } from '../formats/instant.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { parsePublicKeyFile } from '../signer/key-file.ts';
import { readInput } from './files.ts';
import { countValue, daysValue, nameValue } from './option-values.ts';

type FactoryOption = {
  readonly id: string;
  readonly lifetimeMs: number;
  readonly countMax: number;
  readonly file: string;
};
type AnchorOption = { readonly name: string; readonly file: string };
export type IdentityTrustOptions = {
  readonly factory: readonly FactoryOption[];
  readonly withoutFactory: readonly string[];
  readonly identityAnchor: readonly AnchorOption[];
  readonly withoutIdentityAnchor: readonly string[];
};
export type IdentityTrust = {
  readonly factories: readonly Factory[];
  readonly identityAnchors: readonly IdentityAnchor[];
};

const SECOND_MS = 1_000;

/** Adds the options. */
export function addIdentityTrustOptions(command: Command): Command {
  return command
    .option(
      '--factory <id:days:count:file>',
      'a factory, its days, its count of devices, its public key; may be repeated',
      addFactory,
      [],
    )
    .option('--without-factory <id...>', 'factories that count no longer', [])
    .option('--identity-anchor <name:file>', 'a CA and its public key; may be repeated', addAnchor, [])
    .option('--without-identity-anchor <name...>', 'CAs that count no longer', []);
}

/** What the options say, with the keys that they name. */
export async function readIdentityTrust(
  { factory, identityAnchor }: IdentityTrustOptions,
  now: Instant,
): Promise<Verdict<IdentityTrust, 'KEY_MALFORMED'>> {
  const factories: Factory[] = [];
  for (const { id, lifetimeMs, countMax, file } of factory) {
    const key = parsePublicKeyFile(await readInput(file));
    if (!key.ok) return key;
    // Whole seconds, as it is written.
    const notAfter = Math.floor((now + lifetimeMs) / SECOND_MS) * SECOND_MS;
    factories.push({ id, key: key.value, notAfter, countMax });
  }
  const identityAnchors: IdentityAnchor[] = [];
  for (const { name, file } of identityAnchor) {
    const key = parsePublicKeyFile(await readInput(file));
    if (!key.ok) return key;
    identityAnchors.push({ name, key: key.value });
  }
  return accept({ factories, identityAnchors });
}

function addFactory(value: string, before: readonly FactoryOption[]): readonly FactoryOption[] {
  const [, id, days, count, file] = /^([^:]+):([^:]+):([^:]+):(.+)$/.exec(value) ?? [];
  if (id === undefined || days === undefined || count === undefined || file === undefined) {
    throw new InvalidArgumentError('ID:DAYS:COUNT:FILE is expected');
  }
  return [...before, { id: nameValue(id), lifetimeMs: daysValue(days), countMax: countValue(count), file }];
}

function addAnchor(value: string, before: readonly AnchorOption[]): readonly AnchorOption[] {
  const [, name, file] = /^([^:]+):(.+)$/.exec(value) ?? [];
  if (name === undefined || file === undefined) throw new InvalidArgumentError('NAME:FILE is expected');
  return [...before, { name: nameValue(name), file }];
}
