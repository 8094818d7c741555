/** What a version from before ADR 0010 left: a memory of the log that knows its tree alone, and a claim in the store. */
import { encodeBase64 } from '../../formats/bytes.ts';
import { extendLog } from '../../signer/extend-log.ts';
import type { LogClaim } from '../../signer/log-claim.ts';
import type { LogMemory } from '../../signer/log-memory.ts';
import { readLog } from '../../signer/read-log.ts';
import { signNote } from '../../signer/sign-note.ts';
import type { Signer } from '../../signer/signer.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import { accepted } from '../accepted.ts';
import { LOG_ORIGIN, LOG_POLICY, LOG_SIGNER } from '../tiny-log.ts';
import { checkOnce } from './care/published.ts';

export const CLAIM = 'gateway/log/claim';

/** What an earlier version remembers of `log`. */
export function treeOf({ origin, size, rootHash }: LogMemory): LogMemory {
  return { origin, size, rootHash };
}

/** The store and the memory of `published`, as an earlier version would have them. */
export async function asEarlier(published: FaultStore): Promise<FaultStore> {
  const store = makeFaultStore();
  for (const [name, bytes] of published.objects) store.objects.set(name, bytes);
  const [state, log] = [await published.memory.read(), await published.memory.readLog()];
  if (state === undefined || log === undefined) throw new Error('something is published');
  accepted(await store.memory.write(state, undefined));
  accepted(await store.memory.writeLog(treeOf(log), undefined));
  store.restore();
  return store;
}

/** Puts the claim to `entries` behind the log that is published, signed by a key of it or by another. */
export async function putEarlierClaim(
  { store, memory, objects }: FaultStore,
  entries: readonly Uint8Array[],
  by: Signer = LOG_SIGNER,
): Promise<LogClaim> {
  const place = { store, product: 'gateway', policies: [LOG_POLICY], check: checkOnce };
  const { head } = extendLog(accepted(await readLog(place, await memory.readLog())), entries);
  const lines = ['firmament log claim v1', LOG_ORIGIN, String(head.size), encodeBase64(head.rootHash)];
  objects.set(CLAIM, await signNote([...lines, ...entries.map(encodeBase64), ''].join('\n'), LOG_ORIGIN, [by]));
  return { origin: LOG_ORIGIN, ...head, entries };
}
