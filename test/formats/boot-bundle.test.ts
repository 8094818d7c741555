/** Which bundles need not be written to know that a device reads them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BOOT_BUNDLE_BYTES_MAX,
  encodeBootBundle,
  isSmallBundle,
  parseBootBundle,
  type BootBundle,
} from '../../formats/boot-bundle.ts';
import { equalBytes } from '../../formats/bytes.ts';
import { LOG_PROOF_BYTES_MAX } from '../../formats/log-proof.ts';
import { accepted } from '../accepted.ts';

/** Files from empty to longer than may be, mostly around what counts as small. */
const file = fc
  .oneof(
    { arbitrary: fc.nat(500), weight: 20 },
    { arbitrary: fc.constantFrom(LOG_PROOF_BYTES_MAX, LOG_PROOF_BYTES_MAX + 1, 33_000, 99_000), weight: 4 },
    { arbitrary: fc.constant(710_000), weight: 1 },
  )
  .map((length) => new Uint8Array(length).fill(7));
const NONE = { nil: undefined } as const;
const bundle: fc.Arbitrary<BootBundle> = fc.record({
  release: fc.constantFrom('1.0.0', 'x'.repeat(64)),
  roots: fc.oneof(
    fc.array(file, { minLength: 1, maxLength: 3 }),
    fc.nat(300).map((count) => roots(count + 1)),
  ),
  targets: file,
  channel: file,
  evidence: fc.array(
    fc.record({ component: fc.constantFrom('gateway', 'c'.repeat(63)), provenance: file, vsa: fc.option(file, NONE) }),
    { minLength: 1, maxLength: 8 },
  ),
  proofs: fc.option(
    fc.record({
      channel: fc.option(file, NONE),
      roots: fc.array(file, { maxLength: 3 }).map((proofs) => new Map(proofs.map((proof, i) => [i + 2, proof]))),
    }),
    NONE,
  ),
});

test('a small bundle is read as it was written, and so are not all others', () => {
  const found = new Set<string>();
  fc.assert(
    fc.property(bundle, (made) => {
      const bytes = encodeBootBundle(made);
      const read = parseBootBundle(bytes);
      found.add(`${isSmallBundle(made) ? 'small' : 'large'} ${read.ok ? 'read' : 'refused'}`);
      if (!isSmallBundle(made)) return;
      expect(equalBytes(encodeBootBundle(accepted(read)), bytes), 'read as it was written').toBe(true);
      expect(bytes.length).toBeLessThan(BOOT_BUNDLE_BYTES_MAX / 4);
    }),
    { numRuns: 60 },
  );
  expect(found).toEqual(new Set(['small read', 'large read', 'large refused']));
});

function roots(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, () => new Uint8Array(100));
}
