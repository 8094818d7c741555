/** Samples of what identities are made of: a factory, its manifest, a device with its secret, a boot. */
import type { MeasuredBoot } from '../../formats/boot-statement.ts';
import { encodeHex, parseHex } from '../../formats/bytes.ts';
import { deviceIdOf } from '../../formats/device-id.ts';
import { deriveKeySeed } from '../../formats/dice.ts';
import { ed25519PublicKey } from '../../formats/ed25519-key.ts';
import type { FactoryManifest } from '../../formats/factory-manifest.ts';
import type { Factory, IdentityAnchor } from '../../formats/identity-trust.ts';
import { seededSigner } from '../seeded-signer.ts';
import { SAMPLE_ID } from './sample-repository.ts';

export const SAMPLE_SECRET: Uint8Array = new Uint8Array(32).fill(7);
export const SAMPLE_DEVICE_KEY: string = encodeHex(ed25519PublicKey(deriveKeySeed(SAMPLE_SECRET)));
export const SAMPLE_DEVICE_ID: string = deviceIdOf(parseHex(SAMPLE_DEVICE_KEY) ?? new Uint8Array());

export const SAMPLE_FACTORY: Factory = {
  id: 'graz',
  key: seededSigner('factory graz').key,
  notAfter: Date.UTC(2026, 5, 1),
  countMax: 2,
};
export const SAMPLE_ANCHOR: IdentityAnchor = { name: 'ca-1', key: seededSigner('ca 1').key };

export const SAMPLE_MANIFEST: FactoryManifest = {
  product: SAMPLE_ID.product,
  root: SAMPLE_ID.rootOneSha256,
  factory: 'graz',
  batch: '2026-01',
  devices: [
    {
      deviceId: SAMPLE_DEVICE_ID,
      publicKey: SAMPLE_DEVICE_KEY,
      class: 'claimed',
      components: [{ component: 'gateway', hardwareId: 'gw-1' }],
    },
  ],
};

export const SAMPLE_BOOT: MeasuredBoot = {
  product: SAMPLE_ID.product,
  root: SAMPLE_ID.rootOneSha256,
  deviceId: SAMPLE_DEVICE_ID,
  release: '1.0.0',
  components: [{ component: 'gateway', firmwareVersion: '1.0.0', securityCounter: 1, image: 'ab'.repeat(32) }],
  channel: 'stable',
  channelVersion: 3,
  slot: 'a',
  mode: 'normal',
};
