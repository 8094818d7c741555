/**
 * A publisher in a process of its own: `FOLDER CHANGES KILL`. It publishes what the request in the file `CHANGES` asks for into the store
 * and the database in `FOLDER`, and kills itself once its write number `KILL` is done; with 0 it lives, and prints `done`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePublishRequest } from '../../formats/publish-request.ts';
import { changesOfRequest } from '../../signer/changes-of-request.ts';
import { objectStoreFolder } from '../../signer/object-store-folder.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { openStateDatabase } from '../../signer/signer-state-database.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { LOG_SIGNER } from '../tiny-log.ts';
import { TINY_NOW } from '../tiny-repository.ts';

const [folder = '', changes = '', kill = '0'] = process.argv.slice(2);
let writes = 0;

/** `write`, counted; the one that was chosen is the last thing that this process does. */
function last<A extends unknown[], R>(write: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  return async (...args) => {
    const written = await write(...args);
    if (++writes === Number(kill)) process.kill(process.pid, 'SIGKILL');
    return written;
  };
}

const database = await openStateDatabase(join(folder, 'state.db'));
const store = objectStoreFolder(join(folder, 'store'));
const memory = database.memoryOf('gateway');
const done = await publishChanges(
  {
    store: { get: store.get, put: last(store.put) },
    memory: { ...memory, write: last(memory.write), writeLog: last(memory.writeLog) },
    product: 'gateway',
    now: TINY_NOW,
    onlineSigners: [seededSigner('online of many processes'), LOG_SIGNER],
  },
  accepted(changesOfRequest(accepted(parsePublishRequest(readFileSync(changes))))),
);
accepted(done);
database.close();
process.stdout.write('done\n');
