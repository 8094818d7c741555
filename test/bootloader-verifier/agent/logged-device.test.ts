/** P6 on a device: it acts on nothing that is not proven to be logged, online, from a file, and from its flash before every start. */
import { beforeEach, expect, test } from 'vitest';
import type { CapsuleFolder } from '../../../bootloader-verifier/agent/capsule-folder.ts';
import { readRecord } from '../../../bootloader-verifier/boot/flash-records.ts';
import { verifyBundle } from '../../../bootloader-verifier/boot/verify-bundle.ts';
import { packCapsule } from '../../../cli/pack-capsule.ts';
import { encodeBootBundle, parseBootBundle, type BootBundle } from '../../../formats/boot-bundle.ts';
import { bindingToJson } from '../../../formats/binding.ts';
import { parseCheckpoint } from '../../../formats/checkpoint.ts';
import { parseSeenMetadata } from '../../../formats/seen-metadata.ts';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { simulatedImage } from '../../../simulation/simulated-device.ts';
import { accepted } from '../../accepted.ts';
import { makeLoggedRepository, type LoggedRepository } from '../../logged-repository.ts';
import { makeTinyDevice, steps, type TinyDevice } from '../../tiny-device.ts';
import { signedOf, type TinyRepository } from '../../tiny-repository.ts';

const NOTHING = new Uint8Array();
let logged: LoggedRepository;
let repository: TinyRepository;
let device: TinyDevice;

beforeEach(async () => {
  logged = await makeLoggedRepository({ first: { image: simulatedImage('one', 'healthy') } });
  repository = logged.repository;
  device = await makeTinyDevice(repository);
});

function publish(name: string): ReturnType<TinyRepository['publishRelease']> {
  return repository.publishRelease({ image: simulatedImage(name, 'healthy'), securityCounter: 2 });
}

/** The boot bundle of the slot that runs. */
async function bundle(slot: 'a' | 'b' = 'a'): Promise<BootBundle> {
  return accepted(parseBootBundle((await readRecord(device.flash.view('system'), `bundle-${slot}`)) ?? NOTHING));
}
const judge = (change: BootBundle): ReturnType<typeof verifyBundle> =>
  verifyBundle(encodeBootBundle(change), repository.device());

test('a device installs what is logged, keeps its proof on flash, and remembers what the log showed', async () => {
  expect(steps(await device.live())).toEqual(expect.arrayContaining(['install', 'confirm']));
  expect(judge(await bundle()).ok).toBe(true);
  const seen = parseSeenMetadata((await readRecord(device.flash.view('system'), 'cache')) ?? NOTHING);
  expect(accepted(parseCheckpoint(seen?.checkpoint ?? NOTHING)).size).toBe(3);
});

test('a release that people have signed and nobody has logged is refused; once it is logged the device takes it', async () => {
  await device.live();
  const two = await publish('two');
  expect(steps(await device.live())).toContain('poll LOG_PROOF_MISSING');
  expect(device.runs.at(-1)?.sha256).not.toBe(sha256Hex(two.image));
  await logged.log();
  await device.live();
  expect(device.runs.at(-1)?.sha256).toBe(sha256Hex(two.image));
});

test('a bundle whose proof was stripped or exchanged starts nothing, whatever else is right about it', async () => {
  await device.live();
  const whole = await bundle();
  expect(judge({ ...whole, proofs: undefined })).toMatchObject({ ok: false, code: 'LOG_PROOF_MISSING' });
  const proofs = [...repository.files].filter(([name]) => name.startsWith('log/proof/')).map(([, bytes]) => bytes);
  const others = proofs.filter((proof) => sha256Hex(proof) !== sha256Hex(whole.proofs?.channel ?? NOTHING));
  expect(others.length).toBe(2);
  for (const channel of others) {
    expect(judge({ ...whole, proofs: { channel, roots: new Map() } })).toMatchObject({ code: 'LOG_PROOF_INVALID' });
  }
  await device.putSlot('a', {
    bundle: encodeBootBundle({ ...whole, proofs: undefined }),
    image: repository.releases.get('1.0.0')?.image ?? NOTHING,
  });
  const started = await device.start();
  expect(JSON.stringify(started)).toContain('LOG_PROOF_MISSING');
});

test('a next root is taken with its proof alone, and none takes the demand for a log away', async () => {
  await device.live();
  await repository.publishRoot();
  await logged.log();
  await device.live();
  const whole = await bundle();
  expect([whole.roots.length, [...(whole.proofs?.roots.keys() ?? [])]]).toEqual([2, [2]]);
  const { proofs } = whole;
  expect(judge({ ...whole, proofs: proofs && { ...proofs, roots: new Map() } })).toMatchObject({
    code: 'LOG_PROOF_MISSING',
  });
  const firmament = bindingToJson({ ...repository.id, role: 'root' });
  const without = await repository.sign('root', signedOf(whole.roots[1] ?? NOTHING).set('firmament', firmament));
  expect(judge({ ...whole, roots: [repository.factory.root, without] })).toMatchObject({ code: 'LOG_POLICY_WEAKENED' });
});

test('a root that demands pairs of signatures is refused by a device that cannot check them', async () => {
  await device.live();
  const whole = await bundle();
  const signed = signedOf(await repository.publishRoot());
  const firmament = bindingToJson({ ...repository.id, role: 'root' }, [['pairs', ['ml-dsa-44']]]);
  const root = await repository.sign('root', signed.set('firmament', firmament));
  expect(judge({ ...whole, roots: [repository.factory.root, root] })).toMatchObject({ code: 'PAIR_MISSING' });
});

test('a capsule carries the proofs: a device without network takes what is logged, and refuses what is not', async () => {
  const { client, id, factory, now } = repository;
  const common = { repository: id, rootOne: factory.root, channel: 'stable', components: [], now };
  const packed = accepted(await packCapsule({ client, ...common, check: checkSignaturePortable }));
  expect(packed.names.filter((name) => name.startsWith('log/proof/')).length).toBe(1);
  const folder = (bytes: Uint8Array): CapsuleFolder => ({
    list: () => Promise.resolve([{ name: '1.capsule', mark: sha256Hex(bytes) }]),
    read: (_, work) =>
      work({
        length: bytes.length,
        read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
      }),
  });
  const offline = await makeTinyDevice(repository, { source: { kind: 'capsules', folder: folder(packed.bytes) } });
  expect(steps(await offline.live())).toEqual(expect.arrayContaining(['install', 'confirm']));
  await publish('two');
  const unlogged = await packCapsule({ client, ...common, check: checkSignaturePortable });
  expect(unlogged).toMatchObject({ ok: false, code: 'LOG_PROOF_MISSING' });
});
