/**
 * One look into the folder where capsules arrive, in the place of a poll of a server.
 *
 * - Capsules are tried in the order of their names; one that is refused is told and does not stand in the way of the next.
 * - The first that brings something new ends the look: the device starts with it before it looks again.
 * - What was dealt with is not read again until it changes, or the device starts anew.
 */
import { encodeUtf8, equalBytes } from '../../formats/bytes.ts';
import type { Instant } from '../../formats/instant.ts';
import { startSha256 } from '../../formats/sha256.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { accept, type Rejected, type Verdict } from '../../formats/verdict.ts';
import type { Flash } from '../boot/flash.ts';
import { readDeviceTrust } from '../boot/protected-store.ts';
import type { DeviceTrust } from '../boot/verify-bundle.ts';
import { openCapsule, type CapsuleBytes } from './capsule-client.ts';
import type { ArrivedCapsule, CapsuleFolder } from './capsule-folder.ts';
import { installCapsule, type CapsuleCode } from './install-capsule.ts';
import type { Installed, RunningSlot } from './install.ts';

export type CapsulePollCode = CapsuleCode | 'CAPSULE_MALFORMED' | 'PROTECTED_STORE_MISSING';
export type CapsulePollInput = {
  readonly flash: Flash;
  readonly folder: CapsuleFolder;
  readonly check: SignatureCheck;
  readonly now: Instant;
  readonly running: RunningSlot | undefined;
  /** What lay there when nothing was left to do; kept by the caller. */
  readonly settled: Uint8Array | undefined;
  /** Told of each capsule that is refused, and how to read the digest of its bytes; a fault of the medium may throw there. */
  readonly refused: (name: string, refusal: Rejected<CapsulePollCode>, digest: () => Promise<string>) => void;
};
export type CapsulesPolled = {
  readonly outcome: { readonly kind: 'unchanged' } | Installed;
  readonly settled: Uint8Array | undefined;
};

/** Looks once. Faults of the medium throw `OperationError`. */
export async function pollCapsules(
  input: CapsulePollInput,
): Promise<Verdict<CapsulesPolled, 'PROTECTED_STORE_MISSING'>> {
  const arrived = await input.folder.list();
  const seen = encodeUtf8(arrived.map(({ name, mark }) => `${name}\n${mark}\n`).join(''));
  if (input.settled !== undefined && equalBytes(seen, input.settled))
    return accept({ outcome: UNCHANGED, settled: seen });
  const device = await readDeviceTrust(input.flash, input.check);
  if (!device.ok) return device;
  for (const capsule of arrived) {
    const installed = await tryCapsule(input, capsule, device.value);
    if (!installed.ok) input.refused(capsule.name, installed, () => input.folder.read(capsule.name, digestOf));
    else if (installed.value.kind === 'installed') return accept({ outcome: installed.value, settled: undefined });
  }
  return accept({ outcome: UNCHANGED, settled: seen });
}

/** The digest of a whole capsule, read in parts. */
async function digestOf({ length, read }: CapsuleBytes): Promise<string> {
  const digest = startSha256();
  for (let offset = 0; offset < length; offset += PART_BYTES) {
    digest.update(await read(offset, Math.min(PART_BYTES, length - offset)));
  }
  return digest.hex();
}

const PART_BYTES = 1_048_576;
const UNCHANGED = { kind: 'unchanged' } as const;

function tryCapsule(
  { flash, folder, running, now }: CapsulePollInput,
  { name }: ArrivedCapsule,
  device: DeviceTrust,
): Promise<Verdict<Installed, CapsuleCode | 'CAPSULE_MALFORMED'>> {
  return folder.read(name, async (bytes) => {
    const capsule = await openCapsule(bytes);
    return capsule.ok ? installCapsule({ device, flash, capsule: capsule.value, running, now }) : capsule;
  });
}
