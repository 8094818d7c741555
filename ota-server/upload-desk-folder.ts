/**
 * The desk over a local folder: the control plane takes the bytes itself.
 *
 * - Bytes are counted and digested while they come; only what is as long and has the digest that the address allows gets its name.
 * - A name is made once: what stands there is the same content, for the address allows no other.
 * - Names are parsed before they come here, and never begin with a dot.
 */
import assert from 'node:assert';
import { join } from 'node:path';
import type { Instant } from '../formats/instant.ts';
import { isIncomingName } from '../formats/stored-proposal.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { digestFile, discard, nameNew, spool } from './durable-folder.ts';
import type { Arrival, UploadDesk } from './upload-desk.ts';
import { encodePermission, verifyPermission } from './upload-permission.ts';

export type ArrivalCode = 'UPLOAD_REFUSED' | 'UPLOAD_EXPIRED' | 'UPLOAD_MISMATCH' | 'CONDITION_FAILED';
export type FolderDesk = UploadDesk & {
  /** Takes what arrives at an address of this desk. */
  readonly receive: (arrival: Arrival, now: Instant) => Promise<Verdict<void, ArrivalCode>>;
};

/** The desk in `folder`. @param key random, `UPLOAD_KEY_BYTES` long, of this process alone. */
export function uploadDeskFolder(folder: string, key: Uint8Array): FolderDesk {
  const pathOf = (name: string): string => {
    assert(isIncomingName(name), 'a name of an upload');
    return join(folder, ...name.split('/'));
  };
  return {
    invite: (order) => ({ url: `/${order.name}?${encodePermission(key, order)}`, fields: new Map() }),
    look: (name, lengthMax) => digestFile(pathOf(name), lengthMax),
    receive: async (arrival, now) => {
      const order = isIncomingName(arrival.name)
        ? verifyPermission(key, arrival, now)
        : reject('UPLOAD_REFUSED', 'this is no address of an upload');
      if (!order.ok) return order;
      const { length, sha256 } = order.value;
      if (arrival.length !== length) return reject('UPLOAD_MISMATCH', `Content-Length must say ${length}`);
      const path = pathOf(arrival.name);
      const spooled = await spool(path, arrival.bytes, length);
      if (spooled === undefined) return reject('UPLOAD_MISMATCH', `more than ${length} bytes came`);
      if (spooled.length === length && spooled.sha256 === sha256) {
        const isNew = await nameNew(spooled, path);
        return isNew ? accept(undefined) : reject('CONDITION_FAILED', 'it stands there already');
      }
      await discard(spooled.path);
      return reject('UPLOAD_MISMATCH', 'the bytes have another SHA-256');
    },
  };
}
