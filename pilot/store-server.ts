/** The data plane over what is published, as a process of its own: `firmament serve`. */
import { textOf } from './child.ts';
import type { SignerProcess } from './signer-process.ts';
import { PRODUCT } from './stage.ts';
import { startVerb } from './verb-process.ts';

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
  const { answer, end } = await startVerb(['serve', '--port', '0', ...options]);
  const est = answer.get('est');
  return {
    url: textOf(answer, 'url'),
    est: typeof est === 'string' ? est : undefined,
    close: async () => void (await end('SIGTERM')),
    kill: async () => void (await end('SIGKILL')),
  };
}

/** The options for a front of identities that asks `signer`. */
export function frontOptions({ socket }: Pick<SignerProcess, 'socket'>): readonly string[] {
  return ['--signer', socket, '--est-port', '0', '--product', PRODUCT];
}
