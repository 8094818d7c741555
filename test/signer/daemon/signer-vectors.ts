/**
 * The vectors of `docs/formats/signer.md`: a life of a signer, from the first publication to an identity in use, as requests and the
 * answers that they got at its socket; and bodies that say nothing.
 *
 * - `node cli/node24.js test/signer/daemon/signer-vectors.ts --write` writes them; a test lives that life again, byte for byte.
 * - Keys, time and randomness are fixed, so whoever implements a verb can play the requests in their order.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { concatBytes, encodeBase64, encodeUtf8, parseBase64, parseUtf8 } from '../../../formats/bytes.ts';
import { encodeIssueRequest } from '../../../formats/issue-request.ts';
import { isJsonObject, parseJson } from '../../../formats/json.ts';
import { encodePublishRequest, type RequestPart } from '../../../formats/publish-request.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { freshKeyNode } from '../../../bootloader-verifier/agent/identity-key-node.ts';
import { proveIdentity, signIdentityUse } from '../../../bootloader-verifier/agent/prove-identity.ts';
import { identityVerbs } from '../../../signer/daemon/identity-verbs.ts';
import { serveVerbs } from '../../../signer/daemon/serve-verbs-http.ts';
import { signerVerbs } from '../../../signer/daemon/signer-verbs.ts';
import type { VerbTable } from '../../../signer/daemon/verb-table.ts';
import { deviceRegister } from '../../../signer/identity/device-register.ts';
import { publishQueue } from '../../../signer/publish-queue.ts';
import { makeFaultBooks } from '../../../simulation/fault-books.ts';
import { makeFaultStore } from '../../../simulation/fault-store.ts';
import { accepted } from '../../accepted.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { temporaryFolder, type Ends } from '../../temporary-folder.ts';
import { manifestOf, publishFactory, tinyFleet, wordOf } from '../../tiny-fleet.ts';
import { makeTinyIdentity, type TinyIdentity } from '../../tiny-identity.ts';
import { receiptOf } from '../../tiny-receipt.ts';
import { HOUR_MS, publishHalt, publishPlanned } from '../../tiny-rollout.ts';
import { allChanges, optionsFor } from '../publishing.ts';

/** Where the vectors stand. */
export const SIGNER_VECTORS: string = fileURLToPath(new URL('../../vectors/signer/', import.meta.url));

/** A request and its answer. `body` is in base64. */
export type Exchange = {
  readonly says: string;
  readonly verb: string;
  readonly body: string;
  readonly status: number;
  readonly answer: string;
};

const SEED = new Uint8Array(32).fill(8);
const NOTHING: Uint8Array = new Uint8Array();
const FLEET = tinyFleet(4);
const DAY_MS = 24 * HOUR_MS;
const NO_CHANNELS: ReadonlyMap<string, Uint8Array> = new Map();

export type SignerScene = { readonly identity: TinyIdentity; readonly verbs: VerbTable };

/** A signer that has nothing yet, beside the people, the factories and the devices that will ask it. */
export async function signerScene(ends: Ends): Promise<SignerScene> {
  const identity = await makeTinyIdentity('claimed', ends);
  const { repository, trust, issuing } = identity;
  await publishFactory(repository);
  const factories = trust.factories.map((factory) => ({ ...factory, notAfter: repository.now + DAY_MS }));
  await repository.publishTargets({ ...trust, factories });
  await publishPlanned(repository, '2.0.0', { offline: true });
  const { now: _, ...options } = optionsFor(repository, makeFaultStore());
  const onlineSigners = [...options.onlineSigners, ...(repository.signers.get('stable-rollout') ?? [])];
  const publishing = { ...options, onlineSigners };
  const books = makeFaultBooks();
  const register = deviceRegister(books);
  const { store, memory, product } = publishing;
  const rollout = { publishing, publish: publishQueue(publishing), books, register, open: new Map() };
  const issuer = { ...issuing, store, memory, product, register, caSigner: seededSigner('ca 1') };
  return { identity, verbs: new Map([...signerVerbs(rollout), ...identityVerbs(issuer)]) };
}

/** The life, as it was lived. @param ends when what it needed on disk goes. */
export async function signerLife(ends: Ends): Promise<readonly Exchange[]> {
  const { identity, verbs } = await signerScene(ends);
  const { repository } = identity;
  let now = repository.now;
  const socketPath = join(temporaryFolder('signer-vectors', ends), 'signer.sock');
  const daemon = await serveVerbs({ socketPath, verbs, now: () => now, log: () => undefined });
  ends(() => daemon.close());
  const lived: Exchange[] = [];
  const ask = async (says: string, verb: string, body = NOTHING): Promise<string> => {
    const { status, answer } = await post(socketPath, verb, body);
    lived.push({ says, verb, body: encodeBase64(body), status, answer });
    return answer;
  };

  const first = encodePublishRequest(requestOf(identity));
  await ask('nothing is published: there are no rollouts', 'waves');
  await ask('a CA that nobody has listed yet shows no certificate', 'cacerts');
  await ask(
    'the first publication lacks an image that it names',
    'publish',
    encodePublishRequest(requestOf(identity, 1)),
  );
  await ask('the first publication', 'publish', first);
  await ask('the same once more changes nothing but the timestamp', 'publish', first);
  await ask('a body that is no publish request', 'publish', encodeUtf8('{}'));
  await ask('the online roles are signed anew', 'refresh');

  const manifest = await manifestOf(repository, FLEET);
  await ask('a factory lists devices', 'manifest', manifest);
  await ask('a list that was altered', 'manifest', turned(manifest));
  await ask('a list of another factory', 'manifest', identity.manifest);
  now += HOUR_MS;
  await ask('the first wave opens', 'step');
  await ask('how it stands', 'waves');
  const [one = FLEET[0], two = one] = FLEET;
  if (one === undefined || two === undefined) throw new Error('there is a fleet');
  const word = await wordOf(repository, one);
  await ask('a device confirms', 'confirm', word);
  await ask('it says so again', 'confirm', word);
  await ask('what it says was altered', 'confirm', turned(word));
  const receipt = await receiptOf(repository, two);
  await ask('what another device said was carried back', 'receipt', receipt);
  await ask('it is carried back again', 'receipt', receipt);
  await ask('a receipt that is none', 'receipt', word);
  await publishHalt(repository, now);
  await ask('a manager halts', 'halt', repository.newest('stable-halt'));
  await ask('a channel is no halt', 'halt', repository.newest('stable'));
  await ask('a halted plan is not stepped', 'step');

  await ask("the CA's certificate", 'cacerts');
  const boot = await identity.boot();
  const { csr } = await freshKeyNode(SEED);
  const nonce = parseBase64(memberOf(await ask('a nonce', 'nonce'), 'nonce')) ?? NOTHING;
  const proof = proveIdentity(boot, { nonce, csr, confirmed: true, former: undefined });
  const wanted = encodeIssueRequest({ purpose: 'enrol', csr, proof });
  await ask('a proof for another purpose', 'issue', encodeIssueRequest({ purpose: 'rotate', csr, proof }));
  const issued = memberOf(await ask('an identity is issued for what was proven', 'issue', wanted), 'certificates');
  await ask('a nonce serves once', 'issue', wanted);
  await ask('a body that is no issue request', 'issue', encodeUtf8('{"version":1}'));
  const certificate = certificateIn(parseBase64(issued) ?? NOTHING);
  const { product, rootOneSha256: root } = repository.id;
  const use = { product, root, deviceId: identity.deviceId, certificate: sha256Hex(certificate) };
  const used = signIdentityUse(use, { seed: SEED, certificate });
  await ask('its first use', 'use', used);
  await ask('a use that was altered', 'use', turned(used));

  await ask('no verb', 'approve', encodeUtf8('{}'));
  await ask('a body that is longer than its verb reads', 'refresh', encodeUtf8('x'));
  return lived;
}

/** All that people have signed, as one request; `without` files less. */
function requestOf({ repository }: TinyIdentity, without = 0): readonly RequestPart[] {
  const { roots = [], targets = NOTHING, channels = NO_CHANNELS, targetFiles = [] } = allChanges(repository);
  const part = (kind: RequestPart['kind'], bytes: Uint8Array, name?: string): RequestPart => ({ kind, name, bytes });
  return [
    ...roots.map((bytes) => part('root', bytes)),
    part('targets', targets),
    ...[...channels].map(([name, bytes]) => part('channel', bytes, name)),
    ...targetFiles.slice(without).map((bytes) => part('file', bytes)),
  ];
}

/** An envelope with another letter in the middle of its signature. */
function turned(envelope: Uint8Array): Uint8Array {
  const text = parseUtf8(envelope) ?? '';
  const at = text.lastIndexOf('"sig":"') + 20;
  return encodeUtf8(text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1));
}

/** The text at `name` in an answer. */
function memberOf(answer: string, name: string): string {
  const json = accepted(parseJson(encodeUtf8(answer), { bytesMax: answer.length }));
  const value = isJsonObject(json) ? json.get(name) : undefined;
  if (typeof value !== 'string') throw new Error(`no ${name}: ${answer}`);
  return value;
}

/** The one certificate in an answer of EST: the last sequence that its own length fills up to the empty lists behind it. */
function certificateIn(pkcs7: Uint8Array): Uint8Array {
  const start = pkcs7.findIndex((byte, i) => byte === 0xa0 && i > 20) + 4;
  const length = 4 + (pkcs7[start + 2] ?? 0) * 256 + (pkcs7[start + 3] ?? 0);
  return pkcs7.slice(start, start + length);
}

function post(socketPath: string, verb: string, body: Uint8Array): Promise<Pick<Exchange, 'status' | 'answer'>> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, method: 'POST', path: `/${verb}` }, (response) => {
      const chunks: Uint8Array[] = [];
      response.on('data', (chunk: Uint8Array) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, answer: parseUtf8(concatBytes(...chunks)) ?? '' });
      });
    });
    request.on('error', reject).end(body);
  });
}

/** The file of the exchanges, one a line. */
export function exchangesFile(lived: readonly Exchange[]): string {
  return `[\n${lived.map((exchange) => JSON.stringify(exchange)).join(',\n')}\n]\n`;
}

if (import.meta.main && process.argv.includes('--write')) {
  const ends: (() => void | Promise<void>)[] = [];
  mkdirSync(SIGNER_VECTORS, { recursive: true });
  writeFileSync(`${SIGNER_VECTORS}exchanges.json`, exchangesFile(await signerLife((end) => ends.push(end))));
  for (const end of ends.reverse()) await end();
}
