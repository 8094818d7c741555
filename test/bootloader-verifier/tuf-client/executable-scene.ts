/** The executable of the client as people run it, against a server that tells its requests. */
import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { TUF_CLIENT } from '../../../bootloader-verifier/agent/tuf-client/bundle.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { simulate, type SimulatedRepository } from './simulated-repository.ts';

export type Scene = {
  readonly repository: SimulatedRepository;
  /** Paths that were asked for. */
  readonly asked: string[];
  readonly folder: string;
  readonly run: (...args: readonly string[]) => Promise<{ readonly exit: number | null; readonly note: string }>;
  /** What names the repository, the folders of metadata and of targets. */
  readonly metadata: readonly string[];
  readonly targets: readonly string[];
  readonly refresh: () => ReturnType<Scene['run']>;
  readonly download: (...names: readonly string[]) => ReturnType<Scene['run']>;
  readonly kept: () => readonly string[];
  readonly loaded: () => readonly string[];
};

/** A repository that expires in the real future, its server, and a folder for the client, which has its root already. */
export async function makeScene(change: (repository: SimulatedRepository) => void = () => undefined): Promise<Scene> {
  const { repository } = await simulate((r) => {
    for (const role of ['root', 'targets', 'snapshot', 'timestamp']) r.expires.set(role, Date.UTC(2090, 0, 1));
    change(r);
  }, 'fresh');
  const folder = temporaryFolder('tuf-client');
  const asked: string[] = [];
  const server = await listen(repository, asked);
  onTestFinished(() => void server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const run = (...args: readonly string[]): ReturnType<Scene['run']> => runClient(TUF_CLIENT, args);
  const metadata = ['--metadata-url', `${url}/metadata`, '--metadata-dir', join(folder, 'metadata')];
  const targets = ['--target-dir', join(folder, 'targets'), '--target-base-url', `${url}/targets/`];
  writeFileSync(join(folder, 'root.json'), repository.files.get('metadata/1.root.json') ?? '');
  expect((await run('--metadata-dir', join(folder, 'metadata'), 'init', join(folder, 'root.json'))).exit).toBe(0);
  return {
    ...{ repository, asked, folder, run, metadata, targets },
    refresh: () => run(...metadata, 'refresh'),
    download: (...names) =>
      run(...metadata, ...names.flatMap((name) => ['--target-name', name]), ...targets, 'download'),
    kept: () => readdirSync(join(folder, 'metadata')).sort(),
    loaded: () => readdirSync(join(folder, 'targets')).sort(),
  };
}

function listen(repository: SimulatedRepository, asked: string[]): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const bytes = repository.files.get(path.slice(1));
    if (path.startsWith('/targets/moved')) response.writeHead(302, { location: path.replace('moved', 'here') }).end();
    else response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** Runs the client at `path`. */
export function runClient(path: string, args: readonly string[]): ReturnType<Scene['run']> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let note = '';
    child.stderr.on('data', (chunk: Buffer) => (note += chunk.toString()));
    child.on('error', reject);
    child.on('close', (exit) => resolve({ exit, note }));
  });
}
