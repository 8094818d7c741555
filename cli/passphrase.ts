/**
 * Passphrases: from a file that only its owner can read, or typed at the terminal without being shown.
 *
 * - Never from an argument or the environment: both are seen by others.
 */
import { lstat } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { createInterface } from 'node:readline/promises';
import { parseUtf8 } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import { readInput } from './files.ts';
import type { Host } from './verb.ts';

const OTHERS = 0o077;

/** The passphrase in `file`, or typed by the person at the terminal. @param prompt what the person is asked. */
export async function readPassphrase(file: string | undefined, prompt: string, host: Host): Promise<string> {
  const passphrase = file === undefined ? await ask(prompt, host) : await readPassphraseFile(file);
  if (passphrase.length === 0) throw fault('the passphrase is empty');
  return passphrase;
}

async function readPassphraseFile(file: string): Promise<string> {
  const text = parseUtf8(await readInput(file));
  if (text === undefined) throw fault(`${file} is not text`);
  const { mode } = await lstat(file);
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
    throw fault(`${file} can be read by others: chmod 600 it`);
  }
  return text.replace(/\r?\n$/, '');
}

/** Asks without echo: what is typed goes to a stream that shows nothing. */
async function ask(prompt: string, host: Host): Promise<string> {
  if (!host.isInteractive) throw fault('no terminal to ask at: name a --passphrase-file');
  host.say(prompt);
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silence, terminal: true });
  try {
    return await lines.question('', { signal: host.stop });
  } finally {
    lines.close();
    host.say('\n');
  }
}

function fault(detail: string): OperationError {
  return new OperationError('FILE_UNREADABLE', detail, { retriable: false });
}
