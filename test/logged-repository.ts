/** A tiny repository whose root demands a log, and the log that its publisher keeps: devices fetch both from `files`. */
import type { LogChange } from '../signer/draft-log-policy.ts';
import { makeFaultStore } from '../simulation/fault-store.ts';
import { accepted } from './accepted.ts';
import { publishAll } from './signer/publishing.ts';
import { LOG_ORIGIN, LOG_SIGNER } from './tiny-log.ts';
import { makeTinyRepository, type TinyOptions, type TinyRepository } from './tiny-repository.ts';

export const NO_CHANGE: LogChange = { origin: undefined, keys: [], lessened: [], witnesses: [], quorum: undefined };
/** What a first root says to demand the log of the tests. */
export const LOGGED: LogChange = { ...NO_CHANGE, origin: LOG_ORIGIN, keys: [LOG_SIGNER.key] };

export type LoggedRepository = {
  readonly repository: TinyRepository;
  /** Logs all that people have signed so far. */
  readonly log: () => Promise<void>;
};

/** The repository, with its first release logged. */
export async function makeLoggedRepository(options: TinyOptions = {}): Promise<LoggedRepository> {
  const repository = await makeTinyRepository({ log: LOGGED, ...options });
  const store = makeFaultStore();
  const log = async (): Promise<void> => {
    accepted(await publishAll(repository, store));
    const folder = `${repository.id.product}/`;
    for (const [name, bytes] of store.objects) {
      if (name.startsWith(`${folder}log/`)) repository.files.set(name.slice(folder.length), bytes);
    }
  };
  await log();
  return { repository, log };
}
