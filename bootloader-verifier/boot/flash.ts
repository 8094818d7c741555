/**
 * The port to a device's flash: named regions, read and written at offsets.
 *
 * - A write is durable when it returns. If power fails before, the region holds any prefix of the new bytes, then the old ones.
 * - `factory` and `identity` are written at provisioning only, `protected` by the boot stage only; `identity` holds the device's secret
 *   and the system cannot read it: it gets a flash without these rights.
 */
export const REGIONS = [
  'factory',
  'identity',
  'protected',
  'state',
  'cache',
  'credentials',
  'reports',
  'bundle-a',
  'bundle-b',
  'slot-a',
  'slot-b',
  'parts-a',
  'parts-b',
] as const;
export type Region = (typeof REGIONS)[number];

export type Flash = {
  /** Size of a region, in bytes. */
  readonly sizeOf: (region: Region) => number;
  /** `length` bytes at `offset`; bytes that were never written read as 0xff or as zero. */
  readonly read: (region: Region, offset: number, length: number) => Promise<Uint8Array>;
  /** Writes `bytes` at `offset`, within the region. */
  readonly write: (region: Region, offset: number, bytes: Uint8Array) => Promise<void>;
};

/** The layout that the pilot's devices have: bytes by region. */
export const FLASH_LAYOUT: Readonly<Record<Region, number>> = {
  factory: 1_048_576,
  identity: 4_096,
  protected: 8_192,
  state: 8_192,
  cache: 8_388_608,
  credentials: 32_768,
  reports: 65_536,
  'bundle-a': 2_097_152,
  'bundle-b': 2_097_152,
  'slot-a': 33_554_432,
  'slot-b': 33_554_432,
  'parts-a': 16_777_216,
  'parts-b': 16_777_216,
};

/** Who works with flash. */
export type FlashRights = 'factory' | 'boot-stage' | 'system';

/** The regions that each writer may write; an adapter holds it. */
export const MAY_WRITE: Readonly<Record<FlashRights, readonly Region[]>> = {
  factory: ['factory', 'identity', 'protected'],
  'boot-stage': ['protected', 'state'],
  system: [
    'state',
    'cache',
    'reports',
    'credentials',
    'bundle-a',
    'bundle-b',
    'slot-a',
    'slot-b',
    'parts-a',
    'parts-b',
  ],
};

/** Whether `rights` allow to read `region`: the device's secret is closed to the system; an adapter holds it. */
export function mayRead(rights: FlashRights, region: Region): boolean {
  return region !== 'identity' || rights !== 'system';
}
