/**
 * The signer's register of devices: every factory manifest that it has admitted, and when (rules R7 and R27).
 *
 * - A manifest is admitted once, by the trust of that moment, and kept as it was signed; it counts as long as a factory of the
 *   published targets role stands behind it.
 * - The moment of admission is the signer's own: a device is older than a plan only if it was listed before.
 * - Kept outside of the published store, appended one entry each: a cut leaves a manifest admitted or not.
 */
import { encodeBase64, equalBytes } from '../../formats/bytes.ts';
import { base64Bytes, decodeJson, literal, object, refine, type Decoder } from '../../formats/decode.ts';
import { ENVELOPE_BYTES_MAX } from '../../formats/dsse.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import { encodeInstant, instantDecoder, type Instant } from '../../formats/instant.ts';
import type { JsonValue } from '../../formats/json.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';
import type { BookStore } from '../book-store.ts';
import type { LiveDevice } from '../rollout/live-devices.ts';
import { verifyManifests, type KnownDevices, type ManifestsCode, type ManifestTrust } from './verify-manifests.ts';

type Admitted = { readonly admittedAt: Instant; readonly manifest: Uint8Array };
/** By whose word devices are listed: the targets role as published. */
export type RegisterTrust = Omit<ManifestTrust, 'admitted'>;

export type DeviceRegister = {
  /** Admits a manifest; one that is admitted already changes nothing. @returns how many devices are listed now. */
  readonly admit: (manifest: Uint8Array, trust: RegisterTrust) => Promise<Verdict<number, ManifestsCode>>;
  /** The devices, by id. */
  readonly read: (trust: RegisterTrust) => Promise<Verdict<ReadonlyMap<string, LiveDevice>, ManifestsCode>>;
  /** The devices as their manifests describe them, by id. */
  readonly describe: (trust: RegisterTrust) => Promise<Verdict<KnownDevices, ManifestsCode>>;
  /** Grows with every manifest that is admitted here: what was read at another revision is to be read again. */
  readonly revision: () => number;
};

const RECORD_BYTES_MAX = 700_000;
const admittedDecoder: Decoder<Admitted> = refine(
  object('refused', { version: literal(1), admittedAt: instantDecoder, manifest: base64Bytes(ENVELOPE_BYTES_MAX) }),
  ({ version: _, ...admitted }) => accept(admitted),
);

/** The register in `store`. */
export function deviceRegister(store: BookStore): DeviceRegister {
  let revision = 0;
  return {
    admit: async (manifest, trust) => {
      const admitted = await readAdmitted(store);
      const isKnown = admitted.some((known) => equalBytes(known.manifest, manifest));
      const all = isKnown ? admitted : [...admitted, { admittedAt: trust.now, manifest }];
      const devices = listDevices(all, { ...trust, admitted: digestsOf(admitted) });
      if (!devices.ok) return devices;
      if (!isKnown) {
        revision++;
        await append(store, admitted.length, { admittedAt: trust.now, manifest });
      }
      return accept(devices.value.size);
    },
    read: async (trust) => {
      const admitted = await readAdmitted(store);
      return listDevices(admitted, { ...trust, admitted: digestsOf(admitted) });
    },
    describe: async (trust) => {
      const admitted = await readAdmitted(store);
      const manifests = admitted.map(({ manifest }) => manifest);
      return verifyManifests(manifests, { ...trust, admitted: digestsOf(admitted) });
    },
    revision: () => revision,
  };
}

function digestsOf(admitted: readonly Admitted[]): ReadonlySet<string> {
  return new Set(admitted.map(({ manifest }) => sha256Hex(manifest)));
}

/** The devices of each manifest, with the moment at which it was admitted. */
function listDevices(
  admitted: readonly Admitted[],
  trust: ManifestTrust,
): Verdict<ReadonlyMap<string, LiveDevice>, ManifestsCode> {
  const all = verifyManifests(
    admitted.map(({ manifest }) => manifest),
    trust,
  );
  if (!all.ok) return all;
  const listed = new Map<string, LiveDevice>();
  for (const { admittedAt, manifest } of admitted) {
    const devices = verifyManifests([manifest], trust);
    if (!devices.ok) return devices;
    for (const { deviceId, publicKey, class: known } of devices.value.values()) {
      const key = { keytype: 'ed25519', scheme: 'ed25519', public: publicKey };
      listed.set(deviceId, { deviceId, key, class: known, since: admittedAt });
    }
  }
  return accept(listed);
}

async function readAdmitted(store: BookStore): Promise<readonly Admitted[]> {
  const admitted: Admitted[] = [];
  for (;;) {
    const stored = await store.read(nameOf(admitted.length), RECORD_BYTES_MAX);
    if (stored === undefined) return admitted;
    const record = decodeJson(stored, RECORD_BYTES_MAX, admittedDecoder);
    if (!record.ok) {
      throw new OperationError('FILE_UNREADABLE', `${nameOf(admitted.length)} is damaged: ${record.detail}`, {
        retriable: false,
      });
    }
    admitted.push(record.value);
  }
}

async function append(store: BookStore, index: number, { admittedAt, manifest }: Admitted): Promise<void> {
  const bytes = encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['admittedAt', encodeInstant(admittedAt)],
      ['manifest', encodeBase64(manifest)],
    ]),
  );
  if (await store.keep(nameOf(index), bytes)) return;
  throw new OperationError('FILE_EXISTS', `${nameOf(index)} was written by another: one signer a state`, {
    retriable: false,
  });
}

function nameOf(index: number): string {
  return `devices/manifest-${index}`;
}
