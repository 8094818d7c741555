/**
 * The real parts that Firmament is tested with: other people's programs, in the versions people run.
 *
 * - A new part is one entry here and test files `test/real/GROUP/PART*.test.ts`; a part without a test that ran is a failure.
 * - Everything but Debian's packages is installed below `build/real/`, so that a fresh clone needs nothing else.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../results.ts';

export type RealPart = {
  /** Letters, digits and dashes: it names folders and test files. */
  readonly name: string;
  readonly group: string;
  /** Packages of Debian. */
  readonly debian?: readonly string[];
  /** Requirements for pip, installed into an environment of the part's own. */
  readonly pip?: readonly string[];
  /** A Maven project whose libraries are copied into `jars/` of the part's folder. */
  readonly maven?: string;
  /** Commands of Go modules, each with its version, built into `GO_FOLDER`. */
  readonly go?: readonly string[];
  /** A command that builds a program of ours over the part: what takes minutes belongs here, not to the version. */
  readonly build?: readonly [string, ...string[]];
  /** The command whose first line of output is the version. It succeeds only where the part is in place. */
  readonly version: readonly [string, ...string[]];
};

/** Where all parts are installed that Debian does not bring. */
export const PARTS_FOLDER: string = join(PROJECT, 'build', 'real');
/** Where the commands built by Go stand. */
export const GO_FOLDER: string = join(PARTS_FOLDER, 'bin');
export const MINIO: string = join(GO_FOLDER, 'minio');
/** A program of ours over Go's own checksum database, and the folder of its source. */
export const LOG_ORACLE: string = join(GO_FOLDER, 'log-oracle');
const LOG_ORACLE_SOURCE = join(PROJECT, 'test', 'real', 'repository', 'log-oracle');
/** Programs of ours over go-tuf and tough, and the folders of their sources. */
export const GO_TUF_ORACLE: string = join(GO_FOLDER, 'go-tuf-oracle');
const GO_TUF_ORACLE_SOURCE = join(PROJECT, 'test', 'real', 'repository', 'go-tuf-oracle');
const TOUGH_TARGET = join(PARTS_FOLDER, 'tough', 'target');
export const TOUGH_ORACLE: string = join(TOUGH_TARGET, 'debug', 'tough-oracle');
const TOUGH_ORACLE_SOURCE = join(PROJECT, 'test', 'real', 'repository', 'tough-oracle');
const TOUGH_BUILD = ['--quiet', '--locked', '--manifest-path', join(TOUGH_ORACLE_SOURCE, 'Cargo.toml'), '--target-dir', TOUGH_TARGET]; // prettier-ignore
export const CHROMIUM = '/usr/bin/chromium';

const EST_CLIENT = join(PROJECT, 'test', 'real', 'identity', 'est-client');
/** The command that runs Bouncy Castle's EST client; its arguments follow. */
export const BOUNCY_CASTLE: readonly [string, ...string[]] = [
  ...(['java', '-cp'] as const),
  ...[join(PARTS_FOLDER, 'bouncy-castle', 'jars', '*'), join(EST_CLIENT, 'EstClient.java')],
];

/** The Python that sees what pip installed for the part `name`. */
export function pythonOf(name: string): string {
  return join(PARTS_FOLDER, name, 'bin', 'python');
}

export const REAL_PARTS: readonly RealPart[] = [
  {
    name: 'python-tuf',
    group: 'repository',
    pip: ['tuf==7.0.1', 'securesystemslib[crypto]==1.6.0'],
    version: [
      pythonOf('python-tuf'),
      '-c',
      'import tuf, securesystemslib as s; print(tuf.__version__, "with securesystemslib", s.__version__)',
    ],
  },
  {
    name: 'minio',
    group: 'repository',
    go: [
      'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c',
      'github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9',
    ],
    // MinIO built from its module does not know its own version; Go does.
    version: [
      ...(['sh', '-c'] as const),
      '"$0" --version > /dev/null && "$1" --version > /dev/null && go version -m "$1" | sed -n "s/^\\tmod\\t//p"',
      ...[join(GO_FOLDER, 'mc'), MINIO],
    ],
  },
  {
    // Built where its version is asked for: Go itself knows whether the source has changed.
    name: 'go-sumdb',
    group: 'repository',
    version: [
      ...(['sh', '-c'] as const),
      'cd "$0" && go build -o "$1" . && go list -m -f "{{.Path}} {{.Version}}" golang.org/x/mod',
      ...[LOG_ORACLE_SOURCE, LOG_ORACLE],
    ],
  },
  {
    name: 'bouncy-castle',
    group: 'identity',
    debian: ['openssl'],
    maven: join(EST_CLIENT, 'pom.xml'),
    version: [...BOUNCY_CASTLE, 'version'],
  },
  {
    name: 'go-tuf',
    group: 'repository',
    build: ['go', 'build', '-C', GO_TUF_ORACLE_SOURCE, '-o', GO_TUF_ORACLE, '.'],
    version: [
      ...(['sh', '-c'] as const),
      'cd "$0" && go build -o "$1" . && go list -m -f "{{.Path}} {{.Version}}" github.com/theupdateframework/go-tuf/v2',
      ...[GO_TUF_ORACLE_SOURCE, GO_TUF_ORACLE],
    ],
  },
  {
    name: 'tough',
    group: 'repository',
    build: ['cargo', 'build', ...TOUGH_BUILD],
    version: [
      ...(['sh', '-c'] as const),
      'cargo build "$@" && grep -A 1 \'^name = "tough"$\' "$0" | tr -d \'"\' | tr "\\n" " "',
      ...[join(TOUGH_ORACLE_SOURCE, 'Cargo.lock'), ...TOUGH_BUILD],
    ],
  },
  {
    // Comes with the packages of the project.
    name: 'tuf-js',
    group: 'repository',
    version: [
      process.execPath,
      '-p',
      '"tuf-js " + require(process.argv[1]).version',
      join(PROJECT, 'node_modules', 'tuf-js', 'package.json'),
    ],
  },
  {
    // The processes of the chain themselves, killed: nothing to install beyond the Node that runs them.
    name: 'processes',
    group: 'chain',
    version: [process.execPath, '--version'],
  },
  {
    name: 'chromium',
    group: 'chain',
    debian: ['chromium'],
    version: [CHROMIUM, '--version'],
  },
  {
    name: 'postgresql',
    group: 'server',
    debian: ['postgresql'],
    version: ['sh', '-c', '"$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)/postgres" --version'],
  },
];

/** Where the programs of the newest PostgreSQL stand, which Debian keeps from the search path. */
export function postgresFolder(): string {
  const all = '/usr/lib/postgresql';
  const newest = readdirSync(all).sort((a, b) => Number(b) - Number(a))[0];
  return join(all, newest ?? '', 'bin');
}
