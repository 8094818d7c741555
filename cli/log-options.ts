/** The options of `root-draft` about the log: where it begins, whose signature counts, and who must have cosigned. */
import { InvalidArgumentError, type Command } from 'commander';
import { originDecoder } from '../formats/checkpoint.ts';
import { nameDecoder } from '../formats/names.ts';
import type { LogKey, LogKeyState, Witness } from '../formats/root-part.ts';
import { parseVerifierKey } from '../formats/signed-note.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import type { LogChange } from '../signer/draft-log-policy.ts';
import { readQuorum } from './draft-output.ts';
import { countValue } from './option-values.ts';

type Frozen = { readonly file: string; readonly size: number };
export type LogOptions = {
  readonly logOrigin?: string;
  readonly logKey: readonly string[];
  readonly logFreeze: readonly Frozen[];
  readonly logDistrust: readonly string[];
  readonly logWitness: readonly Witness[];
  readonly logQuorum?: number;
};

/** Adds them. */
export function addLogOptions(command: Command): Command {
  return command
    .option(
      '--log-origin <name>',
      'demand that all is logged: the name of the log, as example.com/gateway',
      originValue,
    )
    .option('--log-key <file...>', 'public keys that sign the log', [])
    .option('--log-freeze <file=size>', 'a key of the log that counts up to this size; may be repeated', addFrozen, [])
    .option('--log-distrust <file...>', 'keys of the log that count for nothing any more', [])
    .option(
      '--log-witness <who=vkey>',
      'a witness, by administration and verifier key; may be repeated',
      addWitness,
      [],
    )
    .option('--log-quorum <n>', 'how many administrations of witnesses must have cosigned', countValue);
}

/** What they ask for. */
export async function readLogChange(options: LogOptions): Promise<Verdict<LogChange, 'KEY_MALFORMED'>> {
  const { logOrigin: origin, logFreeze, logDistrust, logWitness: witnesses, logQuorum: quorum } = options;
  const keys = await readQuorum(options.logKey, 1);
  if (!keys.ok) return keys;
  const states: readonly (readonly [string, LogKeyState])[] = [
    ...logFreeze.map(({ file, size }) => [file, { frozen: size }] as const),
    ...logDistrust.map((file) => [file, 'distrusted'] as const),
  ];
  const lessened: LogKey[] = [];
  for (const [file, state] of states) {
    const key = await readQuorum([file], 1);
    if (!key.ok) return key;
    lessened.push(...key.value.keys.map((listed) => ({ key: listed, state })));
  }
  return accept({ origin, keys: keys.value.keys, lessened, witnesses, quorum });
}

function originValue(value: string): string {
  if (!originDecoder(value).ok) throw new InvalidArgumentError('a name like example.com/gateway is expected');
  return value;
}

function addFrozen(value: string, former: readonly Frozen[]): readonly Frozen[] {
  const at = value.lastIndexOf('=');
  if (at < 1) throw new InvalidArgumentError('FILE=SIZE is expected');
  return [...former, { file: value.slice(0, at), size: countValue(value.slice(at + 1)) }];
}

function addWitness(value: string, former: readonly Witness[]): readonly Witness[] {
  const at = value.indexOf('=');
  const administration = nameDecoder(value.slice(0, Math.max(at, 0)));
  const vkey = parseVerifierKey(value.slice(at + 1));
  if (!administration.ok || vkey?.type !== 'cosignature') {
    throw new InvalidArgumentError('ADMINISTRATION=VKEY with the key of an Ed25519 cosigner is expected');
  }
  return [...former, { name: vkey.name, key: vkey.key, administration: administration.value }];
}
