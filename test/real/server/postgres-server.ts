/**
 * A PostgreSQL of the test's own: Debian's, over a folder that ends with it, on the loopback and a unix socket, set up as the manual says.
 *
 * - PostgreSQL refuses to run as root: there it runs as the user that Debian's package made.
 * - Passwords are asked for on every way in. Waits are for conditions; a server that does not come up fails the test with its last words.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { PROJECT } from '../../results.ts';
import { postgresFolder } from '../parts.ts';

export type PostgresServer = {
  readonly port: number;
  /** The folder of its socket. */
  readonly socket: string;
  /** The file of credentials of the user that the manual makes. */
  readonly credentials: string;
  /** Kills it and all that it has started at once, as `kill -9` does. */
  readonly kill: () => Promise<void>;
  /** Starts it again over the same data, and waits until it serves. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export const USER = { user: 'firmament', password: 'a-password-of-the-test' };
const OPERATOR = { user: 'operator', password: 'another password of the test' };
const READY_MS_MAX = 60_000;
const LOOK_MS = 50;
const WORDS_LENGTH_MAX = 4_000;

/** Starts PostgreSQL and sets it up as the manual says. */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-postgres-'));
  const data = join(folder, 'data');
  const port = await freePort();
  const as = whoRuns();
  if (as.uid !== undefined && as.gid !== undefined) chownSync(folder, as.uid, as.gid);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, OPERATOR.password);
  chmodSync(passwordFile, 0o644);
  const bin = postgresFolder();
  const setUp = ['-D', data, '-U', OPERATOR.user, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8'];
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const options = ['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1'];
    child = spawn(join(bin, 'postgres'), options, { ...as, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    await ready(child, port);
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || hasEnded(child)) return;
    const ended = once(child, 'close');
    // Its children see that it is gone and end by themselves.
    child.kill('SIGKILL');
    await ended;
  };
  const stop = async (): Promise<void> => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const credentials = join(folder, 'credentials.json');
  try {
    execFileSync(join(bin, 'initdb'), [...setUp, '--locale=C'], { ...as, cwd: folder, stdio: 'pipe' });
    rmSync(passwordFile);
    await start();
    await followManual(port);
    writeFileSync(credentials, JSON.stringify(USER), { mode: 0o600 });
  } catch (fault) {
    // Whoever gets no server has none to stop.
    await stop();
    throw fault;
  }
  return { port, socket: folder, credentials, kill, start, stop };
}

/** Who runs it: whoever we are, unless that is root. */
function whoRuns(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function ready(child: ChildProcess, port: number): Promise<void> {
  let words = '';
  child.stderr?.on('data', (said: Buffer) => (words = (words + said.toString()).slice(-WORDS_LENGTH_MAX)));
  const until = Date.now() + READY_MS_MAX;
  while (!(await answers(port))) {
    if (hasEnded(child) || Date.now() > until) throw new Error(`PostgreSQL does not come up: ${words}`);
    await wait(LOOK_MS);
  }
}

async function answers(port: number): Promise<boolean> {
  const client = operator(port);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function operator(port: number): Client {
  const client = new Client({ host: '127.0.0.1', port, database: 'postgres', ...OPERATOR });
  client.on('error', () => undefined);
  return client;
}

/** Makes the user and the database with the statements of the manual, each as it stands there. */
async function followManual(port: number): Promise<void> {
  const manual = readFileSync(join(PROJECT, 'docs', 'OPERATIONS.md'), 'utf8');
  const chapter = manual.split(/^## /m).find((text) => text.startsWith('A database')) ?? '';
  const statements = /```sql\n([^`]*)```/.exec(chapter)?.[1];
  if (statements === undefined) throw new Error('the manual does not say how to set up PostgreSQL');
  const client = operator(port);
  await client.connect();
  for (const statement of statements.trim().split('\n')) await client.query(statement.replace('…', USER.password));
  await client.end();
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
