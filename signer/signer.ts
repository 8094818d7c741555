/**
 * The port to whatever holds a private key: a key file today, a token or a daemon elsewhere.
 *
 * - The private part never crosses it; what does is the public key, its id and signatures.
 * - A signer signs the bytes that it is given and decides nothing about them.
 */
import type { PublicKey } from '../formats/signature-check.ts';

export type Signer = {
  readonly key: PublicKey;
  /** SHA-256 of the key's canonical JSON, in hex: the name under which metadata list it. */
  readonly keyid: string;
  /** The signature over `message` by the scheme of `key`. Throws `OperationError` where the holder cannot be reached. */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
};
