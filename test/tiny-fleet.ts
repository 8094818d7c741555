/**
 * A tiny fleet: devices that a factory has listed, and what they say of a rollout, signed by their own keys.
 */
import { deviceIdOf } from '../formats/device-id.ts';
import { parseHex } from '../formats/bytes.ts';
import { CONFIRMATION_PAYLOAD_TYPE, encodeConfirmation, type Confirmation } from '../formats/confirmation.ts';
import { encodeEnvelope, preAuthEncoding } from '../formats/dsse.ts';
import { encodeFactoryManifest, MANIFEST_PAYLOAD_TYPE } from '../formats/factory-manifest.ts';
import { planDigest } from '../formats/plan.ts';
import type { Signer } from '../signer/signer.ts';
import { seededSigner } from './seeded-signer.ts';
import type { TinyRepository } from './tiny-repository.ts';
import { placeOf, planInForce } from './tiny-rollout.ts';

const TINY_FACTORY: Signer = seededSigner('tiny factory');
const DAY_MS = 86_400_000;

/** A device of the fleet. */
export type FleetDevice = { readonly deviceId: string; readonly signer: Signer };

/** `count` devices; the same name gives the same devices. */
export function tinyFleet(count: number, name = 'fleet'): readonly FleetDevice[] {
  return Array.from({ length: count }, (_, i) => {
    const signer = seededSigner(`${name} device ${i + 1}`);
    return { deviceId: deviceIdOf(parseHex(signer.key.public) ?? new Uint8Array()), signer };
  });
}

/** Lists the factory in the targets role. */
export async function publishFactory(repository: TinyRepository): Promise<void> {
  const factory = { id: 'tiny', key: TINY_FACTORY.key, notAfter: repository.now + DAY_MS, countMax: 1000 };
  await repository.publishTargets({ factories: [factory] });
}

/** The manifest that lists `fleet`, as the factory signs it. */
export async function manifestOf(
  repository: TinyRepository,
  fleet: readonly FleetDevice[],
  batch = 'first',
): Promise<Uint8Array> {
  const payload = encodeFactoryManifest({
    product: repository.id.product,
    root: repository.id.rootOneSha256,
    factory: 'tiny',
    batch,
    devices: fleet.map(({ deviceId, signer }) => ({
      deviceId,
      publicKey: signer.key.public,
      class: 'claimed',
      components: [{ component: 'gateway', hardwareId: 'gw-1' }],
    })),
  });
  const sig = await TINY_FACTORY.sign(preAuthEncoding(MANIFEST_PAYLOAD_TYPE, payload));
  return encodeEnvelope({ payloadType: MANIFEST_PAYLOAD_TYPE, payload, signatures: [{ keyid: '', sig }] });
}

/** What `device` says of the plan in force. */
export async function wordOf(
  repository: TinyRepository,
  device: FleetDevice,
  change: Partial<Confirmation> = {},
): Promise<Uint8Array> {
  const plan = planInForce(repository);
  const payload = encodeConfirmation({
    product: repository.id.product,
    root: repository.id.rootOneSha256,
    plan: planDigest(plan, placeOf(repository)),
    release: plan.release,
    securityCounters: new Map([['gateway', 1]]),
    deviceId: device.deviceId,
    outcome: 'confirmed',
    code: undefined,
    sequence: 1,
    failures: 0,
    evidence: undefined,
    statement: undefined,
    at: undefined,
    ...change,
  });
  const sig = await device.signer.sign(preAuthEncoding(CONFIRMATION_PAYLOAD_TYPE, payload));
  return encodeEnvelope({ payloadType: CONFIRMATION_PAYLOAD_TYPE, payload, signatures: [{ keyid: '', sig }] });
}

/** The word of a failed trial. */
export const FAILED: Partial<Confirmation> = { outcome: 'failed', code: 'SELF_TEST_FAILED', failures: 1, sequence: 2 };
