/**
 * Passphrases: from a file that only its owner can read, or typed at the terminal without being shown.
 *
 * - Never from an argument or the environment: both are seen by others.
 * - A new one is typed twice: a slip would lock the key away for ever.
 */
import { Writable } from 'node:stream';
import { createInterface } from 'node:readline/promises';
import { parseUtf8 } from '../formats/bytes.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { isOpenToOthers, readInput } from './files.ts';
import type { Host } from './verb.ts';

type Passphrase = Verdict<string, 'PASSPHRASE_REFUSED'>;

/** The passphrase in `file`, or typed by the person at the terminal. @param prompt what the person is asked. */
export async function readPassphrase(file: string | undefined, prompt: string, host: Host): Promise<Passphrase> {
  const passphrase = file === undefined ? await ask(prompt, host) : await readPassphraseFile(file);
  return passphrase.ok && passphrase.value.length === 0 ? refuse('the passphrase is empty') : passphrase;
}

/** The same for a key that is about to be made. */
export async function readNewPassphrase(file: string | undefined, host: Host): Promise<Passphrase> {
  const first = await readPassphrase(file, 'New passphrase: ', host);
  if (!first.ok || file !== undefined) return first;
  const second = await readPassphrase(file, 'The same again: ', host);
  if (!second.ok) return second;
  return first.value === second.value ? first : refuse('the two passphrases differ');
}

async function readPassphraseFile(file: string): Promise<Passphrase> {
  const text = parseUtf8(await readInput(file));
  if (text === undefined) return refuse(`${file} is not text`);
  if (await isOpenToOthers(file)) return refuse(`${file} can be read by others: chmod 600 it`);
  return accept(text.replace(/\r?\n$/, ''));
}

/** Asks without echo: what is typed goes to a stream that shows nothing. */
async function ask(prompt: string, host: Host): Promise<Passphrase> {
  if (!host.isInteractive) return refuse('no terminal to ask at: name a --passphrase-file');
  host.say(prompt);
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silence, terminal: true });
  try {
    return accept(await lines.question('', { signal: host.stop }));
  } catch (fault) {
    // Ctrl+C, and a process that is asked to end.
    if (fault instanceof Error && fault.name === 'AbortError') return refuse('nothing was typed');
    throw fault;
  } finally {
    lines.close();
    host.say('\n');
  }
}

function refuse(detail: string): Passphrase {
  return reject('PASSPHRASE_REFUSED', detail);
}
