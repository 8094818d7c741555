/** A server that carries a device's requests and answers as it likes: late, twice, in another order, or not at all. */
import { beforeEach, expect, test } from 'vitest';
import { X509Certificate } from 'node:crypto';
import { ed25519PublicKey } from '../../../formats/ed25519-key.ts';
import { encodeHex } from '../../../formats/bytes.ts';
import { parseHeldIdentities, type HeldIdentities } from '../../../formats/held-identities.ts';
import { OperationError } from '../../../formats/operation-error.ts';
import { accept, reject, type Verdict } from '../../../formats/verdict.ts';
import { freshKeyNode } from '../../../bootloader-verifier/agent/identity-key-node.ts';
import type { IdentityClient } from '../../../bootloader-verifier/agent/identity-client.ts';
import { keepIdentity, type Kept } from '../../../bootloader-verifier/agent/keep-identity.ts';
import { readRecord } from '../../../bootloader-verifier/boot/flash-records.ts';
import { confirmUse, issueIdentity } from '../../../signer/identity/issue-identity.ts';
import { ask, makeTinyIdentity, obtain, type TinyIdentity } from '../../tiny-identity.ts';

type Request = Parameters<IdentityClient['enrol']>[0];
let scene: TinyIdentity;
let honest: IdentityClient;
/** What the carrier has seen pass. */
let requests: Request[];
let words: Uint8Array[];

beforeEach(async () => {
  scene = await makeTinyIdentity();
  await scene.repository.publishTargets(scene.trust);
  await scene.device.live();
  requests = [];
  words = [];
  honest = {
    nonce: () => Promise.resolve(scene.nonce()),
    enrol: async (request) => {
      const issued = await issueIdentity(scene.issuing, scene.view(), request);
      return issued.ok ? accept(issued.value.certificate) : issued;
    },
    use: (said) => confirmUse(scene.issuing, said),
  };
});

/** The device's next look at its identity, through a carrier that does some things otherwise. */
async function keep(lies: Partial<IdentityClient> = {}): Promise<Verdict<Kept>> {
  const client: IdentityClient = {
    ...honest,
    ...lies,
    enrol: (request) => (requests.push(request), (lies.enrol ?? honest.enrol)(request)),
    use: (said) => (words.push(said), (lies.use ?? honest.use)(said)),
  };
  const { flash } = scene.device;
  const ports = { flash: flash.view('system'), client, freshKey: freshKeyNode, check: scene.issuing.check };
  return keepIdentity({ ...ports, now: scene.repository.now }, await scene.boot());
}

const silence = (): Promise<never> =>
  Promise.reject(new OperationError('NETWORK_UNREACHABLE', 'for a test', { retriable: true }));

async function held(): Promise<HeldIdentities> {
  const record = await readRecord(scene.device.flash.view('system'), 'credentials');
  return parseHeldIdentities(record ?? new Uint8Array()) ?? { current: undefined, next: undefined };
}

async function update(): Promise<void> {
  await scene.repository.publishRelease({ securityCounter: 1 });
  await scene.device.live();
}

/** Whether the device still gets from one identity to the next. */
async function goesOn(): Promise<void> {
  await update();
  expect(await keep()).toMatchObject({ ok: true, value: { kind: 'new' } });
  expect(await keep()).toEqual(accept({ kind: 'unchanged' }));
}

test('a request that is held back and handed in after the next one ends nobody', async () => {
  await keep();
  await update();
  await expect(keep({ enrol: silence })).rejects.toThrow(OperationError);
  expect(await keep()).toMatchObject({ value: { kind: 'new' } });
  const [, late] = requests;
  expect(await honest.enrol(late as Request)).toMatchObject({ code: 'IDENTITY_ENDED' });
  await goesOn();
});

test('requests that are handed in in another order than they were made are of one device', async () => {
  for (const round of ['the first identity', 'the next one']) {
    await expect(keep({ enrol: silence }), round).rejects.toThrow(OperationError);
    const late = requests.at(-1);
    const kept = await keep({
      enrol: async (request) => {
        const issued = await honest.enrol(request);
        expect(await honest.enrol(late as Request)).toMatchObject({ ok: true });
        return issued;
      },
    });
    expect(kept, round).toMatchObject({ ok: true, value: { kind: 'new' } });
    expect(await keep()).toEqual(accept({ kind: 'unchanged' }));
    await update();
  }
  await goesOn();
});

test('a use that is taken and never handed on, handed on late, or twice, ends nobody', async () => {
  await keep({ use: () => Promise.resolve(accept(undefined)) });
  await goesOn();
  for (const word of words) await honest.use(word);
  await goesOn();
});

test('a false "unknown" makes the device lose nothing: it asks again with the same key and keeps what it holds', async () => {
  await keep();
  const before = await held();
  await update();
  const unknown = (): Promise<Verdict<never>> => Promise.resolve(reject('IDENTITY_UNKNOWN', 'a lie'));
  expect(await keep({ enrol: unknown, use: unknown })).toMatchObject({ code: 'IDENTITY_UNKNOWN' });
  expect((await held()).current).toEqual(before.current);
  expect(await keep({ use: unknown })).toMatchObject({ ok: false });
  expect(await keep()).toMatchObject({ value: { kind: 'new' } });
  await goesOn();
});

test('a signer that has lost its ledger enrols the device anew', async () => {
  await keep();
  const lost = await makeTinyIdentity();
  scene = { ...scene, issuing: { ...lost.issuing, repository: scene.repository.id, nonces: scene.issuing.nonces } };
  await update();
  expect(await keep()).toMatchObject({ value: { kind: 'new' } });
  await goesOn();
});

test('whatever is certified for a device is a key of its own: the carrier can exchange no request and no answer', async () => {
  const stolen = await freshKeyNode();
  const mine = await keep({ enrol: (request) => honest.enrol({ ...request, csr: stolen.csr }) });
  expect(mine).toMatchObject({ ok: false, code: 'EVIDENCE_MISMATCH' });
  const other = await obtain(await makeTinyIdentity());
  const given = await keep({ enrol: () => Promise.resolve(accept(other.certificate)) });
  expect(given).toMatchObject({ ok: false, code: 'CERTIFICATE_REFUSED' });
  expect(await keep()).toMatchObject({ value: { kind: 'new' } });
  const { current } = await held();
  const key = new X509Certificate(current?.certificate ?? new Uint8Array()).publicKey.export({ format: 'jwk' });
  expect(Buffer.from(key.x ?? '', 'base64url').toString('hex')).toBe(
    encodeHex(ed25519PublicKey(current?.seed ?? new Uint8Array(32))),
  );
});

test('a copy of the device that follows with a key of its own is a fork all the same', async () => {
  await keep();
  const { current } = await held();
  await update();
  await keep();
  const copy = await ask(await scene.boot(), { nonce: scene.nonce(), former: current as NonNullable<typeof current> });
  expect(await honest.enrol(copy)).toMatchObject({ code: 'IDENTITY_FORKED' });
  await update();
  expect(await keep()).toMatchObject({ code: 'IDENTITY_FORKED' });
});
