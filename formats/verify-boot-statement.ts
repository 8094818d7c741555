/**
 * Whether a boot statement is the word of the device whose factory key is known.
 *
 * - The signature first, then what was signed; then that it speaks of this very device and repository.
 */
import type { RepositoryId } from './binding.ts';
import { BOOT_STATEMENT_PAYLOAD_TYPE, parseBootStatement, type BootStatement } from './boot-statement.ts';
import { parseHex } from './bytes.ts';
import { deviceIdOf } from './device-id.ts';
import type { SignatureCheck } from './signature-check.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from './verdict.ts';
import { verifyEnvelope, type EnvelopeCode } from './verify-envelope.ts';

export type BootStatementCode = EnvelopeCode | 'EVIDENCE_MALFORMED' | 'EVIDENCE_MISMATCH' | 'REPOSITORY_MISMATCH';

/**
 * Decides whether the envelope in `bytes` is what the boot stage of a device said.
 * @param expected.deviceKey its factory key, in hex.
 */
export function verifyBootStatement(
  bytes: Uint8Array,
  expected: { readonly deviceKey: string; readonly repository: RepositoryId },
  check: SignatureCheck,
): Verdict<Verified<BootStatement>, BootStatementCode> {
  const { deviceKey, repository } = expected;
  const key = { keytype: 'ed25519', scheme: 'ed25519', public: deviceKey };
  const payload = verifyEnvelope(bytes, { payloadType: BOOT_STATEMENT_PAYLOAD_TYPE, key }, check);
  if (!payload.ok) return payload;
  const statement = parseBootStatement(payload.value);
  if (!statement.ok) return statement;
  const { deviceId, product, root } = statement.value;
  if (deviceId !== deviceIdOf(parseHex(deviceKey) ?? new Uint8Array())) {
    return reject('EVIDENCE_MISMATCH', 'the boot statement names another device than the key that signed it');
  }
  return product === repository.product && root === repository.rootOneSha256
    ? accept(markVerified(statement.value))
    : reject('REPOSITORY_MISMATCH', `the boot statement is of product ${product}, or of another root 1`);
}
