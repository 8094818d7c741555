/** The data plane over what is published, as a process of its own: `firmament serve`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { encodeUtf8 } from '../formats/bytes.ts';
import { isJsonObject, parseJson } from '../formats/json.ts';
import { CLI, textOf } from './child.ts';
import type { SignerProcess } from './signer-process.ts';
import { PRODUCT } from './stage.ts';

export type StoreServer = {
  /** The address below which each product has its folder, with a slash at its end. */
  readonly url: string;
  /** The address for identities, where the options name a port for them. */
  readonly est: string | undefined;
  readonly close: () => Promise<void>;
  /** Ends it as a power cut would. */
  readonly kill: () => Promise<void>;
};

/** Serves the store that `options` name, on a port that the system chooses unless they name one. */
export async function serveStore(options: readonly string[]): Promise<StoreServer> {
  const child = spawn(process.execPath, [CLI, 'serve', '--port', '0', ...options, '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value: line } = await lines.next();
  const answer = parseJson(encodeUtf8(line ?? ''), { bytesMax: 65_536 });
  if (!answer.ok || !isJsonObject(answer.value)) throw new Error(`firmament serve did not start: ${line ?? 'no word'}`);
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  const est = answer.value.get('est');
  return {
    url: textOf(answer.value, 'url'),
    est: typeof est === 'string' ? est : undefined,
    close: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** The options for a front of identities that asks `signer`. */
export function frontOptions({ socket }: Pick<SignerProcess, 'socket'>): readonly string[] {
  return ['--signer', socket, '--est-port', '0', '--product', PRODUCT];
}
