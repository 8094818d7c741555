/**
 * The devices that may vote on a rollout, as the signer itself knows them: never as a database says (rule R7).
 */
import type { Instant } from '../../formats/instant.ts';
import type { PublicKey } from '../../formats/signature-check.ts';

export type LiveDevice = {
  /** SHA-256 of the IDevID public key (SPKI), in hex. */
  readonly deviceId: string;
  /** Its factory key. */
  readonly key: PublicKey;
  /** Whether its evidence is backed by a hardware root. */
  readonly class: 'claimed' | 'proven';
  /** When it was listed, by the signer's clock. */
  readonly since: Instant;
};
