/** Signers for tests: the same name always gives the same Ed25519 key. */
import { createHash, createPrivateKey } from 'node:crypto';
import { ed25519Signer } from '../signer/ed25519-signer.ts';
import type { Signer } from '../signer/signer.ts';

/** RFC 8410: what stands before the 32 private bytes in PKCS#8. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

const known = new Map<string, Signer>();

/** The signer of `name`; made once. */
export function seededSigner(name: string): Signer {
  const signer = known.get(name) ?? makeSigner(name);
  known.set(name, signer);
  return signer;
}

function makeSigner(name: string): Signer {
  const secret = createHash('sha256').update(`firmament test key ${name}`).digest();
  return ed25519Signer(createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, secret]), format: 'der', type: 'pkcs8' }));
}
