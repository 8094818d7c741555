/**
 * The port through which a device asks for its identities.
 *
 * - What the signer refuses is a verdict with its code; a network or a medium that fails is an `OperationError`.
 * - Nobody may be there to carry: then there is no nonce, or no answer yet, and the device asks again at its next poll.
 * - What arrives is not believed: the device checks the certificate against the anchors that people signed.
 */
import type { Code } from '../../formats/codes.ts';
import type { Verdict } from '../../formats/verdict.ts';

type Request = { readonly purpose: 'enrol' | 'rotate'; readonly csr: Uint8Array; readonly proof: Uint8Array };

export type IdentityClient = {
  /** A nonce of the signer; undefined while nobody brings one. */
  readonly nonce: () => Promise<Uint8Array | undefined>;
  /** Hands in a request with its proof. @returns the certificate in DER, or undefined as long as the answer is under way. */
  readonly enrol: (request: Request) => Promise<Verdict<Uint8Array | undefined, Code>>;
  /** Says that an identity is used from now on. */
  readonly use: (said: Uint8Array) => Promise<Verdict<void, Code>>;
};

/** One that reaches the signer: it answers at once, or fails. */
export type ConnectedIdentityClient = Pick<IdentityClient, 'use'> & {
  readonly nonce: () => Promise<Uint8Array>;
  readonly enrol: (request: Request) => Promise<Verdict<Uint8Array, Code>>;
};
