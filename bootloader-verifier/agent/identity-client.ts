/**
 * The port through which a device asks for its identities.
 *
 * - What the signer refuses is a verdict with its code; a network that fails is an `OperationError`.
 * - What arrives is not believed: the device checks the certificate against the anchors that people signed.
 */
import type { Code } from '../../formats/codes.ts';
import type { Verdict } from '../../formats/verdict.ts';

export type IdentityClient = {
  /** A nonce of the signer. */
  readonly nonce: () => Promise<Uint8Array>;
  /** Hands in a request with its proof; the certificate in DER. */
  readonly enrol: (request: {
    readonly purpose: 'enrol' | 'rotate';
    readonly csr: Uint8Array;
    readonly proof: Uint8Array;
  }) => Promise<Verdict<Uint8Array, Code>>;
  /** Says that an identity is used from now on. */
  readonly use: (said: Uint8Array) => Promise<Verdict<void, Code>>;
};
