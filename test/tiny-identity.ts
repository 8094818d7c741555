/**
 * A tiny repository whose devices have identities: a factory, a CA, a device with a secret, and the signer's side of issuing.
 *
 * - Everything is real but the store: what is published is read from memory.
 * - `randomBytes` counts, so that the same calls give the same bytes.
 */
import { encodeHex } from '../formats/bytes.ts';
import { deriveKeySeed } from '../formats/dice.ts';
import { ed25519PublicKey } from '../formats/ed25519-key.ts';
import { encodeEnvelope, preAuthEncoding } from '../formats/dsse.ts';
import { encodeFactoryManifest, MANIFEST_PAYLOAD_TYPE, type DeviceClass } from '../formats/factory-manifest.ts';
import type { Factory, IdentityAnchor } from '../formats/identity-trust.ts';
import type { HeldIdentity } from '../formats/held-identities.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import { freshKeyNode } from '../bootloader-verifier/agent/identity-key-node.ts';
import { proveIdentity, type IdentityRequest } from '../bootloader-verifier/agent/prove-identity.ts';
import type { BootIdentity } from '../bootloader-verifier/boot/measure-boot.ts';
import { provisionFlash } from '../bootloader-verifier/boot/protected-store.ts';
import { identityLedgerFolder } from '../signer/identity/identity-ledger.ts';
import { issueIdentity, type Issuing, type IssuingView } from '../signer/identity/issue-identity.ts';
import { openNonces } from '../signer/identity/nonces.ts';
import { verifyApprovedReleases } from '../signer/identity/verify-approved-releases.ts';
import { verifyManifests } from '../signer/identity/verify-manifests.ts';
import { faultFlash, SMALL_FLASH } from '../simulation/fault-flash.ts';
import { accepted } from './accepted.ts';
import { seededSigner } from './seeded-signer.ts';
import { temporaryFolder, type Ends } from './temporary-folder.ts';
import { makeTinyDevice, type TinyDevice } from './tiny-device.ts';
import { makeTinyRepository, type TinyRepository } from './tiny-repository.ts';

export const LIFETIME_MS: number = 12 * 3_600_000;

export type TinyIdentity = {
  readonly repository: TinyRepository;
  readonly issuing: Issuing;
  /** A device that the manifest names, provisioned and settled. */
  readonly device: TinyDevice;
  readonly deviceId: string;
  /** The manifest that names it, as its factory signed it. */
  readonly manifest: Uint8Array;
  /** What the targets role says of factories and CA. */
  readonly trust: { readonly factories: readonly Factory[]; readonly identityAnchors: readonly IdentityAnchor[] };
  /** What the signer believes now. */
  readonly view: (now?: number) => IssuingView;
  /** A nonce of the signer. */
  readonly nonce: (now?: number) => Uint8Array;
  /** What the boot stage hands the system at a start of `device`. */
  readonly boot: (device?: TinyDevice) => Promise<BootIdentity>;
};
export type Asked = {
  readonly purpose: 'enrol' | 'rotate';
  readonly csr: Uint8Array;
  readonly proof: Uint8Array;
  readonly seed: Uint8Array;
};

/** A device of `repository` with the secret of 32 times `seed`. */
export async function deviceWithSecret(repository: TinyRepository, seed: number): Promise<TinyDevice> {
  const flash = faultFlash(SMALL_FLASH);
  await provisionFlash(flash.view('factory'), { ...repository.factory, secret: new Uint8Array(32).fill(seed) });
  return makeTinyDevice(repository, { flash });
}

/** The whole scene. @param deviceClass what the manifest says of the device. @param ends when the ledger's folder goes. */
export async function makeTinyIdentity(deviceClass: DeviceClass = 'claimed', ends?: Ends): Promise<TinyIdentity> {
  const repository = await makeTinyRepository();
  const device = await deviceWithSecret(repository, 7);
  await device.live();
  const identity = await bootOf(device);
  const { deviceId } = identity.boot;
  const manifest = await signManifest(repository, device, deviceClass);
  const factory = seededSigner('factory').key;
  const factories = [{ id: 'graz', key: factory, notAfter: repository.now + 1, countMax: 10 }];
  const check = checkSignature;
  let counted = 0;
  const random = (count: number): Uint8Array => new Uint8Array(count).fill(++counted);
  const nonces = openNonces(new Uint8Array(32).fill(1));
  const devicesAt = (now: number): IssuingView['devices'] =>
    accepted(verifyManifests([manifest], { repository: repository.id, factories, admitted: new Set(), now, check }));
  const known = devicesAt(repository.now);
  return {
    repository,
    device,
    deviceId,
    manifest,
    trust: { factories, identityAnchors: [{ name: 'ca-1', key: seededSigner('ca 1').key }] },
    issuing: {
      repository: repository.id,
      caSigner: seededSigner('ca 1'),
      ledger: identityLedgerFolder(temporaryFolder('identity', ends)),
      nonces,
      check,
      lifetimeMs: LIFETIME_MS,
      random,
    },
    view: (now = repository.now) => ({
      devices: known,
      ca: { name: 'ca-1', signer: seededSigner('ca 1') },
      approved: accepted(verifyApprovedReleases(publishedOf(repository), repository.id, { now, check })),
      now,
    }),
    nonce: (now = repository.now) => nonces.make(random(16), now),
    boot: (from = device) => bootOf(from),
  };
}

/** What a store would hold. */
function publishedOf(repository: TinyRepository): Parameters<typeof verifyApprovedReleases>[0] {
  const roles = new Map(['targets', 'stable'].map((role) => [role, repository.newest(role)]));
  return { state: undefined, roots: repository.roots(), timestamp: undefined, snapshot: undefined, roles };
}

async function bootOf(device: TinyDevice): Promise<BootIdentity> {
  const started = await device.start();
  if (started.kind !== 'started' || started.identity === undefined) throw new Error('the device has no identity');
  return accepted(started.identity);
}

async function signManifest(
  repository: TinyRepository,
  device: TinyDevice,
  deviceClass: DeviceClass,
): Promise<Uint8Array> {
  const { boot } = await bootOf(device);
  const publicKey = encodeHex(ed25519PublicKey(deriveKeySeed(new Uint8Array(32).fill(7))));
  const payload = encodeFactoryManifest({
    product: repository.id.product,
    root: repository.id.rootOneSha256,
    factory: 'graz',
    batch: 'one',
    devices: [
      {
        deviceId: boot.deviceId,
        publicKey,
        class: deviceClass,
        components: repository.factory.components.map(({ component, hardwareId }) => ({ component, hardwareId })),
      },
    ],
  });
  const sig = await seededSigner('factory').sign(preAuthEncoding(MANIFEST_PAYLOAD_TYPE, payload));
  return encodeEnvelope({ payloadType: MANIFEST_PAYLOAD_TYPE, payload, signatures: [{ keyid: '', sig }] });
}

/** A request of `identity` with a fresh key. */
export async function ask(
  identity: BootIdentity,
  request: { readonly nonce: Uint8Array; readonly former?: HeldIdentity } & Partial<IdentityRequest>,
): Promise<Asked> {
  const { seed, csr } = await freshKeyNode();
  const proof = proveIdentity(identity, { confirmed: true, former: undefined, csr, ...request });
  return { purpose: request.former === undefined ? 'enrol' : 'rotate', csr, proof, seed };
}

/** Asks the signer and takes the identity that it issues. */
export async function obtain(scene: TinyIdentity, former?: HeldIdentity, now?: number): Promise<HeldIdentity> {
  const asked = await ask(await scene.boot(), { nonce: scene.nonce(now), ...(former && { former }) });
  const issued = accepted(await issueIdentity(scene.issuing, scene.view(now), asked));
  return { seed: asked.seed, certificate: issued.certificate };
}
