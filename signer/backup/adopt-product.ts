/**
 * Moves the memory of a signer of one product into that of a deployment, with its books and its ledger.
 *
 * - At no moment both may sign: the deployment's row is written as `arriving`, the file is then marked as `moved`, for ever, and only
 *   then the row is released. A cut leaves one of them held, or both; running again finishes.
 * - No daemon and no publisher works with the file meanwhile; the deployment may run.
 * - Books and ledger are copied before: until the file is moved they may grow, and what has grown is copied by the next run.
 */
import { join } from 'node:path';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { createFile, MODE_SECRET, readFileBounded, replaceFile } from '../durable-file.ts';
import { signerMemoryFile } from '../signer-memory-file.ts';
import type { SignerMemory, SignerState } from '../signer-state.ts';
import { asPublisher } from '../state-owner.ts';
import { KEPT_BYTES_MAX, keptBeside, keptKind, STATE_FILE } from './kept-files.ts';

export type AdoptInput = {
  /** The folder of the signer of one product. */
  readonly from: string;
  /** The folder of the deployment, and its memory. */
  readonly to: string;
  readonly memoryOf: (product: string) => SignerMemory;
};

/** Moves it. @returns the product; faults of the world throw `OperationError`, `SIGNER_RUNNING` where a daemon works with it. */
export function adoptProduct({ from, to, memoryOf }: AdoptInput): Promise<Verdict<SignerState>> {
  const path = join(from, STATE_FILE);
  return asPublisher(path, async () => {
    const file = signerMemoryFile(path);
    const state = await file.read();
    if (state === undefined) return reject('SIGNER_STATE_MISSING', `${path} is not there`);
    if (state.held === 'restored') return reject('SIGNER_STATE_RESTORED', `${path} is from a backup: resume it first`);
    const memory = memoryOf(state.product);
    const moved = state.held === 'moved' ? accept(undefined) : await moveIn({ from, to, file, memory, state });
    return moved.ok ? release(memory, state) : moved;
  });
}

type Move = Pick<AdoptInput, 'from' | 'to'> & {
  readonly file: SignerMemory;
  readonly memory: SignerMemory;
  readonly state: SignerState;
};

/** Until the file is marked as moved. */
async function moveIn({ from, to, file, memory, state }: Move): Promise<Verdict<void>> {
  const standing = await memory.read();
  if (standing !== undefined && standing.held !== 'arriving') {
    return reject('REPOSITORY_CONFLICT', `the deployment publishes ${state.product} already`);
  }
  await copyBeside(state.product, { from, to });
  const log = await file.readLog();
  const logged = log === undefined ? accept(undefined) : await memory.writeLog(log, await memory.readLog());
  if (!logged.ok) return logged;
  const arrived = await memory.write({ ...state, held: 'arriving' }, standing);
  return arrived.ok ? file.write({ ...state, held: 'moved' }, state) : arrived;
}

async function copyBeside(product: string, { from, to }: Pick<AdoptInput, 'from' | 'to'>): Promise<void> {
  for await (const name of keptBeside(from)) {
    const bytes = await readFileBounded(join(from, ...name.split('/')), KEPT_BYTES_MAX);
    const [top = '', ...rest] = name.split('/');
    const path = join(to, top, product, ...rest);
    if (bytes === undefined) continue;
    if (keptKind(name) === 'ledger') await replaceFile(path, { bytes, mode: MODE_SECRET });
    else await createFile(path, { bytes, mode: MODE_SECRET });
  }
}

async function release(memory: SignerMemory, { product }: SignerState): Promise<Verdict<SignerState>> {
  const standing = await memory.read();
  if (standing?.held !== 'arriving') return reject('SIGNER_STATE_MOVED', `${product} has moved already`);
  const { held: _, ...released } = standing;
  const written = await memory.write(released, standing);
  return written.ok ? accept(released) : written;
}
