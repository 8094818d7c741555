/**
 * The executable as it is committed, run in this process: its own text, over HTTP on the loopback and with a folder on the disk.
 *
 * - Answers what `SimulatedClient` answers, so that one test may ask both.
 * - Its clock is the test's, and nothing is forced to the disk, since no power fails here. What depends on a process of its own is for `executable.test.ts`.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as promises from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import { expect, onTestFinished } from 'vitest';
import { TUF_CLIENT } from '../../../bootloader-verifier/agent/tuf-client/bundle.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { oddServer, type Handler, type OddServer } from '../odd-server.ts';
import { NOW, versionsOf, type SimulatedRepository } from './simulated-repository.ts';

type Outcome = { readonly exit: number; readonly note: string; readonly lines: readonly string[] };
type Executable = (require: (name: string) => unknown, process: unknown, date: unknown) => void;

/** What stands between the head and the foot of the executable; a text that is compiled by itself cannot import, but require. */
function compileExecutable(): Executable {
  const [, body = ''] =
    /\(\(require\) => \{\n(.*)\n {2}\}\)\(createRequire/s.exec(readFileSync(TUF_CLIENT, 'utf8')) ?? [];
  const requiring = body.replaceAll(/\bimport\(("[^"]+")\)/g, 'Promise.resolve(require($1))');
  return compileFunction(requiring, ['require', 'process', 'Date']) as Executable;
}

const require = createRequire(TUF_CLIENT);

/** `require`, whose files and folders are not forced to the disk. */
function requireUnforced(name: string): unknown {
  const found: unknown = require(name);
  if (name !== 'node:fs/promises') return found;
  const open: typeof promises.open = async (...args) =>
    Object.assign(await promises.open(...args), { sync: () => Promise.resolve() });
  return { ...promises, open };
}

/** Runs the executable once. @param clock answers the time, each time that it is asked. */
function runLoaded(executable: Executable, args: readonly string[], clock: () => number = () => NOW): Promise<Outcome> {
  class TestDate extends Date {
    static override now(): number {
      return clock();
    }
  }
  let note = '';
  const lines: string[] = [];
  return new Promise((resolve) => {
    const host = {
      argv: ['node', TUF_CLIENT, ...args],
      pid: process.pid,
      kill: process.kill.bind(process),
      stdout: {
        on: () => undefined,
        write: (line: string, done: () => void) => {
          lines.push(line.trimEnd());
          done();
        },
      },
      stderr: { on: () => undefined, write: (text: string) => (note += text) },
      set exitCode(exit: number) {
        resolve({ exit, note, lines });
      },
    };
    executable(requireUnforced, host, TestDate);
  });
}

const EXECUTABLE = compileExecutable();

/** A client with folders of its own, which start empty. */
export class LoadedClient {
  now: number = NOW;
  /** Answers the time where it does not stand still. */
  clock: () => number = () => this.now;
  readonly repository: SimulatedRepository;
  /** Two folders deep, so that whatever climbs is seen. */
  readonly #outer: string = mkdtempSync(join(tmpdir(), 'firmament-tuf-client-'));
  readonly folder: string = join(this.#outer, 'a', 'b');
  /** Serves `repository`, until it is told otherwise. */
  readonly server: OddServer;

  constructor(repository: SimulatedRepository, server: OddServer) {
    this.repository = repository;
    this.server = server;
    mkdirSync(this.folder, { recursive: true });
    onTestFinished(() => {
      rmSync(this.#outer, { recursive: true });
    });
  }

  static async of(repository: SimulatedRepository): Promise<LoadedClient> {
    const server = await oddServer();
    server.answer(handlerOf(repository));
    return new LoadedClient(repository, server);
  }

  run(...args: readonly string[]): Promise<Outcome> {
    return runLoaded(EXECUTABLE, ['--metadata-dir', join(this.folder, 'metadata'), ...args], this.clock);
  }

  async init(): Promise<void> {
    const file = join(this.folder, 'root.json');
    writeFileSync(file, this.repository.files.get('metadata/1.root.json') ?? '');
    expect(await this.run('init', file)).toEqual({ exit: 0, note: '', lines: [] });
  }

  /** Refreshes; the code of the refusal, or what is kept, each role with its version. */
  async refresh(): Promise<string> {
    this.repository.requests.length = 0;
    const outcome = await this.run('--metadata-url', `${this.server.base.href}metadata`, 'refresh');
    return codeOf(outcome) ?? this.versions();
  }

  /** The words of a command line that downloads `names`. */
  downloading(...names: readonly string[]): readonly string[] {
    const metadata = [
      '--metadata-dir',
      join(this.folder, 'metadata'),
      '--metadata-url',
      `${this.server.base.href}metadata`,
    ];
    const targets = [
      '--target-dir',
      join(this.folder, 'targets'),
      '--target-base-url',
      `${this.server.base.href}targets`,
    ];
    return [...metadata, ...targets, ...names.map((name) => `--target-name=${name}`), 'download'];
  }

  /** Downloads each of `names`, as one call; their digests, or the code of the refusal. */
  async find(...names: readonly string[]): Promise<readonly string[]> {
    this.repository.requests.length = 0;
    const outcome = await runLoaded(EXECUTABLE, this.downloading(...names), this.clock);
    const code = codeOf(outcome);
    return code === undefined ? outcome.lines.map((path) => sha256Hex(readFileSync(path))) : [code];
  }

  /** What was written elsewhere than into the folders of metadata and targets, or below one of them. */
  strays(): readonly string[] {
    const all = readdirSync(this.#outer, { recursive: true, encoding: 'utf8' });
    return all.filter((path) => !/^a(\/b(\/root\.json|\/(metadata|targets)(\/[^/]+)?)?)?$/s.test(path));
  }

  /** What is kept, by role. */
  get kept(): ReadonlyMap<string, Uint8Array> {
    const folder = join(this.folder, 'metadata');
    const names = readdirSync(folder);
    const roleOf = (name: string): string => decodeURIComponent(name).replace(/\.json$/, '');
    return new Map(names.map((name) => [roleOf(name), new Uint8Array(readFileSync(join(folder, name)))]));
  }

  /** What is kept, each role with its version. */
  versions(): string {
    return versionsOf(this.kept);
  }
}

function codeOf({ exit, note }: Outcome): string | undefined {
  expect(exit === 0).toBe(note === '');
  return exit === 0 ? undefined : note.split(': ')[1];
}

/** Answers as `repository` does, and tells it what it was asked. */
function handlerOf(repository: SimulatedRepository): Handler {
  return (request, response) => {
    const path = request.url?.replace('/r/gateway/', '') ?? '';
    repository.requests.push(path.replace('metadata/', ''));
    const bytes = repository.fileAt(path);
    response.writeHead(repository.statuses.get(path) ?? (bytes === undefined ? 404 : 200)).end(bytes);
  };
}
