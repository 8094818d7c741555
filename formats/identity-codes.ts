/** The refusal codes of identities: of factories, evidence and certificates. `codes.ts` has the rules for all of them. */
export const IDENTITY_CODES = {
  DEVICE_SECRET_MISSING: {
    means: 'the secret of the device cannot be read: it starts, but proves nothing',
    todo: 'none in the field: the device needs the factory for a new identity',
  },
  EVIDENCE_MALFORMED: {
    means: 'evidence of a boot is not of its form',
    todo: 'see the detail; update the device or the signer',
  },
  MANIFEST_MALFORMED: { means: "a factory's manifest is not of its form", todo: 'see the detail, write it again' },
  FACTORY_NOT_TRUSTED: {
    means: 'a manifest is of a factory that the targets role does not list, or no longer (R27)',
    todo: 'have the owners list the factory, with days and count',
  },
  FACTORY_COUNT_EXCEEDED: {
    means: 'a factory names more devices than it may (R27)',
    todo: 'find out why before its count is raised: a station may have been robbed',
  },
  CBOR_MALFORMED: { means: 'bytes are not deterministic CBOR', todo: 'encode them as RFC 8949 section 4.2.1 says' },
  ENROLMENT_MALFORMED: { means: 'a request for an identity is not of its form', todo: 'see the detail' },
  EVIDENCE_STALE: {
    means: 'a nonce is not of this signer since its start, too old, or used',
    todo: 'ask for a nonce and prove again',
  },
  EVIDENCE_UNSUPPORTED: {
    means: 'the class of a device demands evidence that cannot be judged here',
    todo: 'update the signer; never lower the class',
  },
  DEVICE_UNKNOWN: { means: 'no factory has named this device', todo: "hand in the factory's manifest" },
  BOOT_UNCONFIRMED: {
    means: 'a release on trial asks for an identity (R17)',
    todo: 'none: it asks again once it is confirmed',
  },
  BOOT_NOT_APPROVED: {
    means: 'what a device has started is no release of its published channel',
    todo: 'find out what runs there: it was altered, or its approval has ended',
  },
  CSR_REFUSED: { means: 'a certificate request is not one of its own Ed25519 key', todo: 'see the detail' },
  CERTIFICATE_REFUSED: {
    means: 'a certificate is not the one that was asked for, or of no anchor of the targets role',
    todo: 'check the CA and its entry in the targets role',
  },
  CA_NOT_LISTED: {
    means: 'the key of the issuing CA is no anchor of the published targets role (R26)',
    todo: 'have the owners list it, or start the signer with the key that they list',
  },
  IDENTITY_UNKNOWN: { means: 'an identity is none that was issued to this device', todo: 'enrol the device again' },
  IDENTITY_ACTIVE: {
    means: 'a device asks to be enrolled while it has an identity',
    todo: 'rotate it, or wait for its end',
  },
  IDENTITY_ENDED: {
    means: 'an identity has ended with the first use of the one after it',
    todo: 'none: whoever uses it holds a copy',
  },
  IDENTITY_FORKED: {
    means: 'two follow one and the same identity: both have ended (R25)',
    todo: 'find out which device is the copy before either gets a new one',
  },
} as const;
