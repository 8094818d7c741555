/**
 * The boot stage's last act before an image runs: it measures what it starts, and makes the key that proves it (Open DICE).
 *
 * - The evidence key comes of the device's secret, the images, root 1 and everything that the statement says: change one and the key is another.
 * - The factory key signs the statement and is gone; the system gets the statement and the evidence key, never the secret.
 * - A secret that cannot be read keeps no device from starting: it only proves nothing.
 * - The verifier itself is not measured here: what measures it must lie below it, in hardware. So its half of the code input is zero.
 */
import {
  BOOT_STATEMENT_PAYLOAD_TYPE,
  encodeBootStatement,
  encodeMeasuredBoot,
  type BootStatement,
} from '../../formats/boot-statement.ts';
import type { SlotId } from '../../formats/boot-state.ts';
import { concatBytes, encodeHex, parseHex } from '../../formats/bytes.ts';
import { deviceIdOf } from '../../formats/device-id.ts';
import { parseDeviceSecret } from '../../formats/device-secret.ts';
import { deriveAttestSecret, deriveKeySeed } from '../../formats/dice.ts';
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { ed25519PublicKey, signEd25519 } from '../../formats/ed25519-key.ts';
import { repositoryOf, type FactoryRecord } from '../../formats/factory-record.ts';
import { sha512Bytes } from '../../formats/sha512.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { readRecord } from './flash-records.ts';
import type { Flash } from './flash.ts';
import type { StartMode } from './plan-start.ts';
import type { BootPermit } from './verify-bundle.ts';

/** What the system can prove of this start. */
export type BootIdentity = {
  /** What the statement says. */
  readonly boot: BootStatement;
  /** The boot statement in its envelope, signed by the factory key. */
  readonly statement: Uint8Array;
  /** The 32-byte seed of the evidence key that the statement names. Secret. */
  readonly evidenceSeed: Uint8Array;
};
export type BootIdentityVerdict = Verdict<BootIdentity, 'DEVICE_SECRET_MISSING'>;

const UNMEASURED = new Uint8Array(32);
const NOTHING_HIDDEN = new Uint8Array(64);

/**
 * The identity of a start.
 * @param flash with the right to read `identity`.
 * @returns undefined for a device that was given no identity in the factory.
 */
export async function measureBoot(
  flash: Flash,
  factory: FactoryRecord,
  started: { readonly permit: BootPermit; readonly slot: SlotId; readonly mode: StartMode },
): Promise<BootIdentityVerdict | undefined> {
  const factoryKey = factory.deviceKey === undefined ? undefined : parseHex(factory.deviceKey);
  if (factoryKey === undefined) return undefined;
  const record = await readRecord(flash, 'identity');
  const secret = record === undefined ? undefined : parseDeviceSecret(record);
  if (secret?.ok !== true) return reject('DEVICE_SECRET_MISSING', 'the secret of this device cannot be read');
  const factorySeed = deriveKeySeed(secret.value);
  if (encodeHex(ed25519PublicKey(factorySeed)) !== factory.deviceKey) {
    return reject('DEVICE_SECRET_MISSING', 'the secret is not the one behind the factory key');
  }
  const deviceId = deviceIdOf(factoryKey);
  const boot = measured(factory, deviceId, started);
  const attestSecret = deriveAttestSecret(secret.value, {
    code: concatBytes(UNMEASURED, parseHex(started.permit.imagesSha256) ?? UNMEASURED),
    configuration: sha512Bytes(encodeMeasuredBoot(boot)),
    authority: sha512Bytes(factory.root),
    mode: 'normal',
    hidden: NOTHING_HIDDEN,
  });
  const evidenceSeed = deriveKeySeed(attestSecret);
  const said = { ...boot, evidenceKey: encodeHex(ed25519PublicKey(evidenceSeed)) };
  const payload = encodeBootStatement(said);
  const payloadType = BOOT_STATEMENT_PAYLOAD_TYPE;
  const sig = signEd25519(preAuthEncoding(payloadType, payload), factorySeed);
  const statement = encodeEnvelope({ payloadType, payload, signatures: [{ keyid: deviceId, sig }] });
  return accept({ boot: said, statement, evidenceSeed });
}

function measured(
  factory: FactoryRecord,
  deviceId: string,
  { permit, slot, mode }: { readonly permit: BootPermit; readonly slot: SlotId; readonly mode: StartMode },
): Parameters<typeof encodeMeasuredBoot>[0] {
  const { product, rootOneSha256: root } = repositoryOf(factory);
  return {
    product,
    root,
    deviceId,
    release: permit.release,
    components: permit.components.map(({ component, firmwareVersion, securityCounter, image }) => ({
      component,
      firmwareVersion,
      securityCounter,
      image: image.sha256,
    })),
    channel: permit.channel.name,
    channelVersion: permit.channel.version,
    slot,
    mode,
  };
}
