/**
 * A MinIO of the test's own: on a port that the system chose, over a folder that ends with it, set up as the manual says.
 *
 * - `docs/OPERATIONS.md` is run as it stands: its policies become files, its commands run in a shell.
 * - Waits are for conditions; a server that does not come up fails the test with its last words.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Client } from 'minio';
import { bucketMinio, minioClient, type StoreAccess } from '../../../cli/bucket-minio.ts';
import { readStoreCredentials, type StoreCredentials } from '../../../cli/store-credentials.ts';
import { STORE_LIMITS } from '../../../cli/store-limits.ts';
import { isAbsent, type Bucket } from '../../../formats/bucket.ts';
import type { PresignAccess } from '../../../ota-server/presigned-put.ts';
import { accepted } from '../../accepted.ts';
import { PROJECT } from '../../results.ts';
import { GO_FOLDER, MINIO } from '../parts.ts';

/** Who may do everything. */
export const OPERATOR: StoreCredentials = { accessKey: 'operator', secretKey: 'operator-secret' };
const READY_MS_MAX = 60_000;
const LOOK_MS = 50;
const WORDS_LENGTH_MAX = 4_000;

export type MinioServer = {
  /** The bucket, as `--store` names it. */
  readonly store: string;
  /** The credential files of the three users that the manual makes. */
  readonly files: {
    readonly publisher: string;
    readonly server: string;
    readonly control: string;
    readonly collector: string;
  };
  /** The bucket in the hands of one of them. */
  readonly bucketOf: (user: 'publisher' | 'server' | 'control' | 'collector') => Promise<Bucket>;
  /** With what one of them signs addresses. */
  readonly accessOf: (user: 'control') => Promise<PresignAccess & { readonly bucket: string }>;
  /** A bucket in the hands of somebody else. */
  readonly bucketWith: (credentials: StoreCredentials, bucket?: string) => Bucket;
  /** The client of the operator, who may do everything. */
  readonly operator: Client;
  /** Holds it up: it takes connections and answers nothing, until it is let go on. */
  readonly holdUp: () => void;
  readonly letGoOn: () => void;
  /** Kills MinIO at once, as `kill -9` does. */
  readonly kill: () => Promise<void>;
  /** Starts it again over the same data, and waits until it serves. */
  readonly start: () => Promise<void>;
  /** Everything in the bucket, by name. */
  readonly objects: () => Promise<ReadonlyMap<string, Uint8Array>>;
  readonly clear: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export const BUCKET = 'firmament';

/** Starts MinIO and sets it up as the manual says. */
export async function startMinio(): Promise<MinioServer> {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-minio-'));
  const port = await freePort();
  const store = `s3+http://127.0.0.1:${port}/${BUCKET}`;
  const accessOf = (credentials: StoreCredentials, bucket = BUCKET): StoreAccess => {
    const address = { tls: false, host: '127.0.0.1', port, bucket, region: 'us-east-1' };
    return { address, credentials, limits: STORE_LIMITS };
  };
  const operator = minioClient(accessOf(OPERATOR));
  const files = {
    publisher: join(folder, 'publisher.json'),
    server: join(folder, 'server.json'),
    control: join(folder, 'control.json'),
    collector: join(folder, 'collector.json'),
  };
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (child === undefined || hasEnded(child)) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  };
  const bucketOf = async (user: keyof typeof files): Promise<Bucket> =>
    bucketMinio(accessOf(accepted(await readStoreCredentials(files[user]))));
  const start = async (isReady: () => Promise<boolean>): Promise<void> => {
    child = await run(port, join(folder, 'data'), isReady);
  };
  const stop = async (): Promise<void> => {
    await kill();
    rmSync(folder, { recursive: true });
  };
  await start(() => answers(operator.listBuckets()));
  try {
    await followManual(folder, port);
  } catch (fault) {
    await stop();
    throw fault;
  }
  return {
    ...{ store, files, operator, kill, stop, bucketOf },
    holdUp: () => void child?.kill('SIGSTOP'),
    letGoOn: () => void child?.kill('SIGCONT'),
    accessOf: async (user) => {
      const credentials = accepted(await readStoreCredentials(files[user]));
      return { origin: `http://127.0.0.1:${port}`, bucket: BUCKET, region: 'us-east-1', ...credentials };
    },
    start: () => start(async () => (await knows(bucketOf('publisher'))) && knows(bucketOf('server'))),
    bucketWith: (credentials, bucket) => bucketMinio(accessOf(credentials, bucket)),
    objects: () => readAll(operator),
    clear: async () => {
      for (const name of await namesIn(operator)) await operator.removeObject(BUCKET, name);
    },
  };
}

/** A port that is free now. MinIO does not say which one it got when it is given 0. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function run(port: number, data: string, isReady: () => Promise<boolean>): Promise<ChildProcess> {
  const child = spawn(MINIO, ['server', '--quiet', '--address', `127.0.0.1:${port}`, data], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      HOME: data,
      MINIO_ROOT_USER: OPERATOR.accessKey,
      MINIO_ROOT_PASSWORD: OPERATOR.secretKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      // The data may lie on the disk of the system itself.
      MINIO_CI_CD: '1',
    },
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Uint8Array) => (words = (words + String(chunk)).slice(-WORDS_LENGTH_MAX)));
  const deadline = Date.now() + READY_MS_MAX;
  while (!(await isReady())) {
    if (hasEnded(child) || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`MinIO did not come up: ${words}`);
    }
    await wait(LOOK_MS);
  }
  return child;
}

function answers(asked: Promise<unknown>): Promise<boolean> {
  return asked.then(
    () => true,
    () => false,
  );
}

/** Whether MinIO knows the user of `bucket`: it loads its users after its listener is up. */
async function knows(bucket: Promise<Bucket>): Promise<boolean> {
  const ask = await bucket;
  return ask({ method: 'GET', name: 'nothing', bytesMax: 0 }).then(isAbsent, () => false);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Writes the policies of the manual to files and runs its commands, each as it stands there. */
async function followManual(folder: string, port: number): Promise<void> {
  const manual = readFileSync(join(PROJECT, 'docs', 'OPERATIONS.md'), 'utf8');
  const chapter = manual.split(/^## /m).find((text) => text.startsWith('The repository in MinIO')) ?? '';
  const policies = [...chapter.matchAll(/`([a-z-]+\.json)`:\n\n```json\n([^`]+)```/g)];
  for (const [, name = '', text = ''] of policies) writeFileSync(join(folder, name), text);
  const commands = /```sh\n([^`]*mc mb[^`]*)```/.exec(chapter)?.[1];
  if (policies.length !== 4 || commands === undefined) throw new Error('the manual does not say how to set up MinIO');
  await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commands], {
    cwd: folder,
    env: {
      PATH: [GO_FOLDER, process.env['PATH']].join(delimiter),
      HOME: folder,
      MC_HOST_store: `http://${OPERATOR.accessKey}:${OPERATOR.secretKey}@127.0.0.1:${port}`,
    },
  });
}

async function readAll(operator: Client): Promise<ReadonlyMap<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>();
  for (const name of await namesIn(operator)) {
    const chunks = await (await operator.getObject(BUCKET, name)).toArray();
    objects.set(name, Uint8Array.from(Buffer.concat(chunks as Buffer[])));
  }
  return objects;
}

async function namesIn(operator: Client): Promise<readonly string[]> {
  const items = (await operator.listObjectsV2(BUCKET, '', true).toArray()) as readonly { readonly name: string }[];
  return items.map(({ name }) => name);
}
