/**
 * Identities of the pilot's devices, which the factory has listed: each proves each confirmed boot, and gets a certificate of hours for it.
 *
 * - What the device tells is held against what lies on its flash: the certificate there is of the CA that people listed, and names
 *   release, image and counter.
 */
import { readFile } from 'node:fs/promises';
import { flashFiles } from '../bootloader-verifier/agent/flash-files.ts';
import { verifyCertificate, type VerifiedCertificate } from '../bootloader-verifier/agent/verify-certificate.ts';
import { readRecord } from '../bootloader-verifier/boot/flash-records.ts';
import { parseHex } from '../formats/bytes.ts';
import { deviceIdOf } from '../formats/device-id.ts';
import { ed25519PublicKey } from '../formats/ed25519-key.ts';
import { parseFactoryRecord, repositoryOf } from '../formats/factory-record.ts';
import { parseHeldIdentities, type HeldIdentity } from '../formats/held-identities.ts';
import { parsePublicKeyFile } from '../signer/key-file.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import type { BuiltRelease } from './builds.ts';
import type { Company } from './company.ts';
import type { DeviceProcess } from './device-process.ts';
import { must } from './forgery.ts';
import { CA, COMPONENT, tell, type Stage } from './stage.ts';

/** Waits until the device has proven the boot of the release that it keeps, and holds its certificate. */
export async function seeIdentity(
  stage: Stage,
  device: DeviceProcess,
  { company, built, flash }: { readonly company: Company; readonly built: BuiltRelease; readonly flash: string },
): Promise<void> {
  const { release, outcome } = built.plan;
  if (outcome !== 'kept') return;
  await tell(stage, { step: `identity ${release}`, by: 'gateway-1' }, async () => {
    await device.next(`identity of ${release}`, ({ step, ok, detail }) => {
      return step === 'identity' && ok && detail.get('release') === release;
    });
    return identityOn(flash, { company, built });
  });
}

/** Whether the certificate in use on `flash` names release, image and counter of `built`, in words. */
export async function identityOn(
  flash: string,
  { company, built }: { readonly company: Company; readonly built: BuiltRelease },
): Promise<{ readonly ok: boolean; readonly digest: string | undefined; readonly detail: string }> {
  const { release, securityCounter } = built.plan;
  const { extension, serial, notAfter } = await certificateOn(flash, company);
  const named = extension.components.get(COMPONENT);
  const follows = extension.predecessor === undefined ? 'the first one' : 'it follows the one before, which has ended';
  return {
    ok: extension.release === release && named?.image === built.sha256 && named.securityCounter === securityCounter,
    digest: named?.image,
    detail: `${serial.slice(0, 8)}, ${extension.class}, counter ${String(named?.securityCounter)}, until ${new Date(notAfter).toISOString()}; ${follows}`,
  };
}

/** The certificate in use on `flash`, by the CA that people listed. */
async function certificateOn(flash: string, company: Company): Promise<VerifiedCertificate> {
  const held = await heldOn(flash);
  const record = must(
    parseFactoryRecord((await readRecord(flashFiles(flash, 'system'), 'factory')) ?? new Uint8Array()),
  );
  const { product, rootOneSha256: root } = repositoryOf(record);
  const deviceId = deviceIdOf(parseHex(record.deviceKey ?? '') ?? new Uint8Array());
  const key = must(parsePublicKeyFile(await readFile(company.ca.publicFile)));
  const expected = { boot: { product, root, deviceId }, publicKey: ed25519PublicKey(held.seed) };
  const trust = { anchors: [{ name: CA, key }], check: checkSignature };
  return must(verifyCertificate(held.certificate, expected, trust));
}

/** The identity in use on `flash`. */
export async function heldOn(flash: string): Promise<HeldIdentity> {
  const record = await readRecord(flashFiles(flash, 'system'), 'credentials');
  const held = record && parseHeldIdentities(record)?.current;
  if (held === undefined) throw new Error('the device holds no identity');
  return held;
}
