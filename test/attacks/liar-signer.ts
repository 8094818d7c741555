/**
 * The signer that the liar speaks to: one daemon of several products, its memory, books and identities where no liar comes.
 *
 * - The daemon's own door and verbs over a unix socket; before the identities of the first product the front of EST, over HTTP.
 * - Each of its keys writes down what it signs, and what it lets out to the bucket is written down in order.
 */
import { request } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { concatBytes, equalBytes } from '../../formats/bytes.ts';
import { REQUEST_BYTES_MAX } from '../../formats/publish-request.ts';
import { parseSignerAnswer } from '../../formats/signer-answer.ts';
import { identityClientHttp } from '../../bootloader-verifier/agent/identity-client-http.ts';
import type { IdentityClient } from '../../bootloader-verifier/agent/identity-client.ts';
import { serveEst } from '../../ota-server/serve-est.ts';
import { signerClient } from '../../ota-server/signer-client.ts';
import { openDeployment } from '../../signer/daemon/deployment.ts';
import { identityVerbs } from '../../signer/daemon/identity-verbs.ts';
import { serveVerbs } from '../../signer/daemon/serve-verbs-http.ts';
import { signerVerbs } from '../../signer/daemon/signer-verbs.ts';
import { deviceRegister } from '../../signer/identity/device-register.ts';
import { identityLedgerFolder, type IdentityLedger } from '../../signer/identity/identity-ledger.ts';
import { openNonces } from '../../signer/identity/nonces.ts';
import { publishQueue } from '../../signer/publish-queue.ts';
import type { RolloutSigner } from '../../signer/rollout/run-rollout.ts';
import { checkSignature } from '../../signer/signature-check-node.ts';
import { openStateDatabase, type StateDatabase } from '../../signer/signer-state-database.ts';
import type { Signer } from '../../signer/signer.ts';
import { makeFaultBooks, type FaultBooks } from '../../simulation/fault-books.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import { temporaryFolder, type Ends } from '../temporary-folder.ts';

/** What a key of the signer signed. */
export type Signed = { readonly by: string; readonly message: Uint8Array; readonly signature: Uint8Array };
export type Written = { readonly name: string; readonly bytes: Uint8Array };
export type Answered = {
  readonly status: number;
  readonly code: string;
  /** Whether the signer says that it keeps a word. */
  readonly isKept: boolean;
};
export type LiarsSigner = {
  readonly caKey: Signer['key'];
  readonly ledger: IdentityLedger;
  /** The bucket. */
  readonly store: FaultStore;
  /** The books of the first product. */
  readonly books: FaultBooks;
  /** All that its keys ever signed. */
  readonly signed: readonly Signed[];
  /** All that it ever wrote to the bucket, in order; and what it wrote last, by name. Whatever became of it. */
  readonly writes: readonly Written[];
  readonly written: ReadonlyMap<string, Uint8Array>;
  /** What it or its front told of bugs of their own. */
  readonly bugs: string[];
  readonly socketPath: string;
  /** The front of EST. */
  readonly est: URL;
  /** Who speaks to the front as a device would. */
  readonly identities: IdentityClient;
  /** Says `body` at the socket, as whoever owns a plane can: to a verb of the first product, or at `r/PRODUCT/VERB`. */
  readonly ask: (path: string, body: Uint8Array) => Promise<Answered>;
  /** What the daemon does by itself at this time. */
  readonly due: () => Promise<string>;
};

const SOCKET_MS_MAX = 20_000;
const IDENTITY_LIFETIME_MS = 3_600_000;

type Recorder = {
  readonly signed: Signed[];
  readonly writes: Written[];
  readonly written: Map<string, Uint8Array>;
};
export type SignerParts = {
  /** The product whose devices have identities; what else it is asked for, it takes for another product. */
  readonly product: string;
  /** The online keys, by what they are for. */
  readonly online: readonly (readonly [string, Signer])[];
  readonly ca: Signer;
  readonly now: () => number;
  /** `count` bytes that nobody else knows. */
  readonly random: (count: number) => Uint8Array;
  /** When it ends; by default with the running test. */
  readonly ends?: Ends | undefined;
};

/** Starts the signer. */
export async function startLiarsSigner(parts: SignerParts): Promise<LiarsSigner> {
  const { product, now, random, ends = onTestFinished } = parts;
  const endings: (() => void | Promise<void>)[] = [];
  const folder = temporaryFolder('liar', (work) => endings.push(work));
  ends(async () => {
    for (const end of endings) await end();
  });
  const store = makeFaultStore();
  const recorder: Recorder = { signed: [], writes: [], written: new Map() };
  const database = await openStateDatabase(join(folder, 'state.db'));
  endings.unshift(() => database.close());
  const signers = openSigners(parts, { store, database, recorder });
  const deployment = openDeployment({ database, signerOf: signers });
  const own = signers(product);
  const caSigner = recorded(parts.ca, 'ca', recorder.signed);
  const ledger = identityLedgerFolder(join(folder, 'identities'));
  const identities = { ledger, nonces: openNonces(random(32)), lifetimeMs: IDENTITY_LIFETIME_MS, random, caSigner };
  const { publishing, register } = own;
  const verbs = new Map([
    ...signerVerbs(own),
    ...identityVerbs({ ...publishing, ...identities, register, check: checkSignature }),
  ]);
  const socketPath = join(folder, 'signer.sock');
  const bugs: string[] = [];
  const daemon = await serveVerbs({
    ...{ socketPath, now, verbs, product, productBodyBytesMax: REQUEST_BYTES_MAX },
    verbsOf: (name) => (name === product ? verbs : deployment.verbsOf(name)),
    log: (line) => bugs.push(line),
  });
  endings.unshift(() => daemon.close());
  const front = await serveEst({
    ...{ host: '127.0.0.1', port: 0, product, now, signer: signerClient(socketPath, SOCKET_MS_MAX) },
    log: (event) => void (event.event === 'bug' && bugs.push(event.detail)),
  });
  endings.unshift(() => front.close());
  const est = new URL(`http://127.0.0.1:${front.port}/.well-known/est/${product}/`);
  return {
    ...{ ...recorder, ledger, store, books: own.books, bugs, socketPath, est, caKey: caSigner.key },
    identities: identityClientHttp(est, new AbortController().signal),
    ask: (path, body) => post(socketPath, path, body),
    due: async () => {
      const lane = (name: string): string => (name === product ? '' : name);
      const { faults } = await deployment.doDue(now(), (work, name) => daemon.inTurn(work, lane(name)));
      return faults[0]?.code ?? 'done';
    },
  };
}

type OwnSigner = RolloutSigner & { readonly books: FaultBooks };

/** The signers of products, each made once, over one bucket. */
function openSigners(
  { online }: SignerParts,
  over: { readonly store: FaultStore; readonly database: StateDatabase; readonly recorder: Recorder },
): (product: string) => OwnSigner {
  const { store, database, recorder } = over;
  const known = new Map<string, OwnSigner>();
  const onlineSigners = online.map(([by, signer]) => recorded(signer, by, recorder.signed));
  return (product) => {
    const books = makeFaultBooks();
    const publishing = {
      ...{ store: watched(store, recorder), memory: database.memoryOf(product), product, onlineSigners },
    };
    const made = known.get(product) ?? {
      ...{ publishing, publish: publishQueue(publishing), books, register: deviceRegister(books), open: new Map() },
    };
    known.set(product, made);
    return made;
  };
}

/** `store`, writing down what is let out through it. */
function watched({ store, objects }: FaultStore, { writes, written }: Recorder): FaultStore['store'] {
  return {
    ...store,
    put: async (...put) => {
      const [name, bytes] = put;
      const done = await store.put(...put);
      const standing = objects.get(name);
      if (done.ok || (standing !== undefined && equalBytes(standing, bytes))) {
        writes.push({ name, bytes: bytes.slice() });
        written.set(name, bytes.slice());
      }
      return done;
    },
  };
}

/** `signer`, writing down what it signs. */
function recorded(signer: Signer, by: string, signed: Signed[]): Signer {
  return {
    ...signer,
    sign: async (message) => {
      const signature = await signer.sign(message);
      signed.push({ by, message: message.slice(), signature });
      return signature;
    },
  };
}

async function post(socketPath: string, path: string, body: Uint8Array): Promise<Answered> {
  return new Promise((resolve, refuse) => {
    const asked = request(
      { socketPath, path: `/${path}`, method: 'POST', headers: { 'content-length': body.length } },
      (response) => {
        const chunks: Uint8Array[] = [];
        response.on('data', (chunk: Uint8Array) => chunks.push(chunk));
        response.on('error', refuse);
        response.on('end', () => {
          const answer = parseSignerAnswer(concatBytes(...chunks));
          const facts = answer.ok ? answer.value.facts : new Map();
          const code = answer.ok ? (answer.value.code ?? '') : 'no answer';
          const detail = answer.ok ? answer.value.detail : undefined;
          const isKept = facts.get('isNew') === true || facts.get('counts') === true;
          resolve({ status: response.statusCode ?? 0, code: inner(code, detail), isKept });
        });
      },
    );
    asked.setTimeout(SOCKET_MS_MAX, () => asked.destroy(new Error(`${path}: the signer hangs`)));
    // What is refused unread is answered before it was sent.
    asked.on('error', (fault) => refuse(fault));
    asked.end(body);
  });
}

/** The code that a device would give, where the publisher's own stands around it. */
function inner(code: string, detail: string | undefined): string {
  const within = /^([A-Z][A-Z0-9_]+): /.exec(detail ?? '')?.[1];
  return code === 'PUBLICATION_REFUSED' && within !== undefined ? within : code;
}
