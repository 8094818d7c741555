/**
 * The devices of a product: those that the manifests of its factories name (rules R7 and R27).
 *
 * - A manifest counts if a factory of the targets role signed it, names that very factory and this repository.
 * - After a factory's last day none of its manifests is admitted any more; those that were admitted before stay.
 * - All manifests of a factory together name no more devices than it may make; a device is named once.
 * - One bad manifest refuses them all: nobody is left out without a word.
 */
import type { RepositoryId } from '../../formats/binding.ts';
import {
  MANIFEST_PAYLOAD_TYPE,
  parseFactoryManifest,
  type FactoryManifest,
  type ManifestDevice,
} from '../../formats/factory-manifest.ts';
import type { Factory } from '../../formats/identity-trust.ts';
import type { Instant } from '../../formats/instant.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import { verifyEnvelope } from '../../formats/verify-envelope.ts';

/** The devices of a product, by id. */
export type KnownDevices = Verified<ReadonlyMap<string, ManifestDevice>>;
export type ManifestTrust = {
  readonly repository: RepositoryId;
  /** As the targets role lists them. */
  readonly factories: readonly Factory[];
  /** SHA-256 of the manifests that were admitted before, in hex. */
  readonly admitted: ReadonlySet<string>;
  readonly now: Instant;
  readonly check: SignatureCheck;
};
export type ManifestsCode =
  'MANIFEST_MALFORMED' | 'FACTORY_NOT_TRUSTED' | 'FACTORY_COUNT_EXCEEDED' | 'REPOSITORY_MISMATCH';

/** The devices that `manifests`, envelopes as the factories signed them, name. */
export function verifyManifests(
  manifests: readonly Uint8Array[],
  trust: ManifestTrust,
): Verdict<KnownDevices, ManifestsCode> {
  const devices = new Map<string, ManifestDevice>();
  const counts = new Map<string, number>();
  for (const bytes of manifests) {
    const manifest = verifyOne(bytes, trust);
    if (!manifest.ok) return manifest;
    const { factory, value } = manifest.value;
    const count = (counts.get(factory.id) ?? 0) + value.devices.length;
    if (count > factory.countMax) {
      return reject('FACTORY_COUNT_EXCEEDED', `${factory.id} names ${count} devices, ${factory.countMax} are allowed`);
    }
    counts.set(factory.id, count);
    for (const device of value.devices) {
      if (devices.has(device.deviceId)) {
        return reject('MANIFEST_MALFORMED', `device ${device.deviceId.slice(0, 12)}… is named by two manifests`);
      }
      devices.set(device.deviceId, device);
    }
  }
  return accept(markVerified(devices));
}

type Signed = { readonly factory: Factory; readonly value: FactoryManifest };

function verifyOne(
  bytes: Uint8Array,
  { repository, factories, admitted, now, check }: ManifestTrust,
): Verdict<Signed, ManifestsCode> {
  for (const factory of factories) {
    const payload = verifyEnvelope(bytes, { payloadType: MANIFEST_PAYLOAD_TYPE, key: factory.key }, check);
    if (!payload.ok) continue;
    const manifest = parseFactoryManifest(payload.value);
    if (!manifest.ok) return manifest;
    const { value } = manifest;
    if (value.factory !== factory.id) {
      return reject('FACTORY_NOT_TRUSTED', `signed by ${factory.id}, it speaks for ${value.factory}`);
    }
    if (value.product !== repository.product || value.root !== repository.rootOneSha256) {
      return reject('REPOSITORY_MISMATCH', `a manifest of product ${value.product}, or of another root 1`);
    }
    if (now >= factory.notAfter && !admitted.has(sha256Hex(bytes))) {
      return reject('FACTORY_NOT_TRUSTED', `the days of ${factory.id} are over, and this manifest is new`);
    }
    return accept({ factory, value });
  }
  return reject('FACTORY_NOT_TRUSTED', 'no factory of the targets role has signed this manifest');
}
