/**
 * Where changes of the pilot's firmware are pushed to while `npm start` stays up: a unix socket, in a folder that its owner alone can enter.
 *
 * - `POST /` with `{"release","what"}`; answered by the draft, or by 409 and what refused it. It signs nothing and publishes nothing.
 * - `.run/now` leads to the newest run, and from there to its sockets, which lie elsewhere because their names have to be short.
 */
import { once } from 'node:events';
import { mkdtemp, readlink, rename, rm, symlink } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { decodeJson, object, refine, shape, text, type Decoder } from '../formats/decode.ts';
import { firmwareVersionDecoder } from '../formats/names.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { readBody } from '../ota-server/request-body.ts';
import type { Push, TakePush } from './next-release.ts';

/** Said once pushes are taken. */
export const YOUR_TURN =
  'Your turn: change the firmware and bring it to the device, as README.md says under "The first ten minutes".';
const PUSH_SOCKET = 'push.sock';
const SIGNER_SOCKET = 'signer.sock';
const LINK = 'now';
const BODY_BYTES_MAX = 4_096;
const WHAT_LENGTH_MAX = 200;

const whatDecoder: Decoder<string> = refine(text(WHAT_LENGTH_MAX), (what) =>
  what.trim() === '' ? shape(': one sentence on what is new') : accept(what),
);
const pushDecoder: Decoder<Push> = object('refused', { release: firmwareVersionDecoder, what: whatDecoder });

/** The socket of the newest run below `runs`. */
export function pushSocket(runs: string): string {
  return join(runs, LINK, PUSH_SOCKET);
}

/**
 * Listens for pushes of the run in `folder`, and has `.run/now` lead to it.
 * @param signer the socket of the run's signer.
 * @returns what ends it.
 */
export async function servePushes(
  folder: string,
  { take, signer }: { readonly take: TakePush; readonly signer: string },
): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    void answer(request, take).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
      response.end(`${JSON.stringify(body)}\n`);
    });
  });
  const own = await mkdtemp(join(tmpdir(), 'firmament-push-'));
  server.listen(join(own, PUSH_SOCKET));
  await once(server, 'listening');
  await symlink(join(own, PUSH_SOCKET), join(folder, PUSH_SOCKET));
  await symlink(signer, join(folder, SIGNER_SOCKET));
  await lead(folder);
  return async () => {
    server.close();
    server.closeAllConnections();
    await rm(own, { recursive: true, force: true });
    const now = linkBeside(folder);
    if ((await readlink(now).catch(() => undefined)) === basename(folder)) await rm(now, { force: true });
  };
}

function linkBeside(folder: string): string {
  return join(dirname(folder), LINK);
}

/** Has `.run/now` lead to `folder`, whatever it led to before. */
async function lead(folder: string): Promise<void> {
  const next = join(folder, LINK);
  await symlink(basename(folder), next);
  await rename(next, linkBeside(folder));
}

async function answer(
  request: IncomingMessage,
  take: TakePush,
): Promise<{ readonly status: number; readonly body: object }> {
  const push = await readPush(request);
  if (!push.ok) return { status: 400, body: { detail: push.detail } };
  try {
    return { status: 200, body: await take(push.value) };
  } catch (fault) {
    return { status: 409, body: { detail: fault instanceof Error ? fault.message : 'an unknown fault' } };
  }
}

async function readPush(request: IncomingMessage): Promise<Verdict<Push, 'BODY_REFUSED'>> {
  const body = await readBody(request, BODY_BYTES_MAX);
  if (body === undefined) return reject('BODY_REFUSED', 'longer than a push is');
  const push = decodeJson(body, BODY_BYTES_MAX, pushDecoder);
  return push.ok ? push : reject('BODY_REFUSED', push.detail);
}
