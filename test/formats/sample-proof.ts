/** Samples of what a device asks with: its boot as the boot stage hands it over, the proof, the object, the extension it gets. */
import { BOOT_STATEMENT_PAYLOAD_TYPE, encodeBootStatement } from '../../formats/boot-statement.ts';
import { encodeHex } from '../../formats/bytes.ts';
import { deriveKeySeed } from '../../formats/dice.ts';
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { ed25519PublicKey, signEd25519 } from '../../formats/ed25519-key.ts';
import type { Enrolment } from '../../formats/enrolment.ts';
import type { IdentityExtension } from '../../formats/identity-extension.ts';
import { proveIdentity } from '../../bootloader-verifier/agent/prove-identity.ts';
import type { BootIdentity } from '../../bootloader-verifier/boot/measure-boot.ts';
import { SAMPLE_BOOT, SAMPLE_SECRET } from './sample-identity.ts';

const EVIDENCE_SEED: Uint8Array = new Uint8Array(32).fill(5);
const SAID = { ...SAMPLE_BOOT, evidenceKey: encodeHex(ed25519PublicKey(EVIDENCE_SEED)) };
const PAYLOAD = encodeBootStatement(SAID);
const SIGNATURE = signEd25519(preAuthEncoding(BOOT_STATEMENT_PAYLOAD_TYPE, PAYLOAD), deriveKeySeed(SAMPLE_SECRET));

export const SAMPLE_BOOT_IDENTITY: BootIdentity = {
  boot: SAID,
  statement: encodeEnvelope({
    payloadType: BOOT_STATEMENT_PAYLOAD_TYPE,
    payload: PAYLOAD,
    signatures: [{ keyid: SAMPLE_BOOT.deviceId, sig: SIGNATURE }],
  }),
  evidenceSeed: EVIDENCE_SEED,
};

export const SAMPLE_PROOF: Uint8Array = proveIdentity(SAMPLE_BOOT_IDENTITY, {
  nonce: new Uint8Array(48).fill(3),
  csr: new Uint8Array(100).fill(4),
  confirmed: true,
  former: { seed: new Uint8Array(32).fill(6), certificate: new Uint8Array(300).fill(9) },
});

export const SAMPLE_ENROLMENT: Enrolment = {
  purpose: 'rotate',
  product: SAMPLE_BOOT.product,
  root: SAMPLE_BOOT.root,
  deviceId: SAMPLE_BOOT.deviceId,
  nonce: '03'.repeat(48),
  csr: 'ab'.repeat(32),
  evidence: 'cd'.repeat(32),
  predecessor: 'ef'.repeat(32),
};

export const SAMPLE_EXTENSION: IdentityExtension = {
  product: SAMPLE_BOOT.product,
  root: SAMPLE_BOOT.root,
  class: 'claimed',
  release: '1.0.0',
  components: new Map([['gateway', { image: 'ab'.repeat(32), securityCounter: 1 }]]),
  predecessor: 'ef'.repeat(32),
};
