/**
 * The derivations of the Open Profile for DICE: from a device's secret and what it measured to the secrets of what it starts.
 *
 * - Whatever is measured goes into the next secret: other code, configuration, authority or mode is another key.
 * - One way: the secret of a layer says nothing about the one below it.
 * - Hash SHA-512, derivation HKDF-SHA512, keys Ed25519: the profile's defaults.
 * - Source: Open Profile for DICE v2.5, sections "CDI Values", "Layering Details" and "Cryptography".
 */
import { concatBytes, encodeUtf8 } from './bytes.ts';
import { hkdfSha512, sha512Bytes } from './sha512.ts';

/** What is measured before a layer starts, in the profile's order and sizes. */
export type DiceInput = {
  /** 64 bytes. */
  readonly code: Uint8Array;
  /** 64 bytes. */
  readonly configuration: Uint8Array;
  /** 64 bytes. */
  readonly authority: Uint8Array;
  readonly mode: DiceMode;
  /** 64 bytes. */
  readonly hidden: Uint8Array;
};

/** The profile's modes: a device that has none set, one that runs its firmware, one under a debugger, one that recovers. */
export type DiceMode = 'unconfigured' | 'normal' | 'debug' | 'recovery';

export const DICE_SECRET_BYTES = 32;
const MODES: Readonly<Record<DiceMode, number>> = { unconfigured: 0, normal: 1, debug: 2, recovery: 3 };

/** The profile's constant salt of asymmetric keys. */
const ASYM_SALT = Uint8Array.of(
  ...[0x63, 0xb6, 0xa0, 0x4d, 0x2c, 0x07, 0x7f, 0xc1, 0x0f, 0x63, 0x9f, 0x21, 0xda, 0x79, 0x38, 0x44],
  ...[0x35, 0x6c, 0xc2, 0xb0, 0xb4, 0x41, 0xb3, 0xa7, 0x71, 0x24, 0x03, 0x5c, 0x03, 0xf8, 0xe1, 0xbe],
  ...[0x60, 0x35, 0xd3, 0x1f, 0x28, 0x28, 0x21, 0xa7, 0x45, 0x0a, 0x02, 0x22, 0x2a, 0xb1, 0xb3, 0xcf],
  ...[0xf1, 0x67, 0x9b, 0x05, 0xab, 0x1c, 0xa5, 0xd1, 0xaf, 0xfb, 0x78, 0x9c, 0xcd, 0x2b, 0x0b, 0x3b],
);

/**
 * The attestation secret of the layer that `input` describes.
 * @param secret the 32-byte secret of the layer below: the device's own at the first.
 */
export function deriveAttestSecret(secret: Uint8Array, input: DiceInput): Uint8Array {
  const measured = concatBytes(
    input.code,
    input.configuration,
    input.authority,
    Uint8Array.of(MODES[input.mode]),
    input.hidden,
  );
  return hkdfSha512(secret, { salt: sha512Bytes(measured), info: encodeUtf8('CDI_Attest') }, DICE_SECRET_BYTES);
}

/**
 * The 32-byte seed of a layer's Ed25519 key: of the factory key, for the device's own secret. It signs statements about the layer
 * above and nothing else.
 */
export function deriveKeySeed(secret: Uint8Array): Uint8Array {
  return hkdfSha512(secret, { salt: ASYM_SALT, info: encodeUtf8('Key Pair') }, DICE_SECRET_BYTES);
}
